import { CoinsIcon, PencilIcon, RocketIcon } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { toast } from "sonner";
import { CopyButton } from "@/components/copy-button";
import { ErrorAlert } from "@/components/error-alert";
import { Term } from "@/components/term";
import { TextDialog } from "@/components/text-dialog";
import { Notice } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/input";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { useEscrow } from "@/escrow/escrow";
import { amount, DepositDialog, RefundButton } from "@/escrow/escrow-card";
import { duration, usd } from "@/lib/format";
import { Fact } from "./deployment-card";
import { isActive } from "./overview";
import { useSdl, useWorkloadChanges } from "./queries";
import type { WorkloadDetail } from "./types";

const UpdateDialog = lazy(() => import("./update-dialog"));
const NewDeploymentDialog = lazy(() => import("./new-deployment-dialog"));

export function RenameButton({ workload }: { workload: WorkloadDetail }) {
  const [isOpen, setOpen] = useState(false);
  const { patch } = useWorkloadChanges(workload.deployment_id);
  return (
    <>
      <Button variant="outline" onClick={() => setOpen(true)}><PencilIcon aria-hidden /> Rename</Button>
      {isOpen ? (
        <TextDialog
          title="Rename" description="What you call it here and in notifications; without a name it is called as its services are." label="Name" action="Rename"
          initial={workload.name ?? ""} input={{ maxLength: 64 }} error={patch.error} isPending={patch.isPending} onClose={() => setOpen(false)}
          onSubmit={(name) => patch.mutate({ name: name || null }, { onSuccess: () => setOpen(false) })}
        />
      ) : null}
    </>
  );
}

/** What it costs, how long the deposit lasts, and more of it; after its end, what it came to and what comes back. */
export function Money({ workload }: { workload: WorkloadDetail }) {
  const cost = workload.live?.cost;
  const running = isActive(workload);
  return (
    <>
      <dl className="grid grid-cols-2 gap-3">
        <Fact label="Price">{workload.usd_per_hour ? `${usd(workload.usd_per_hour)} an hour` : "no price yet"}</Fact>
        <Fact label="Burn per day">{cost?.burn_per_day.usd != null ? usd(cost.burn_per_day.usd) : "–"}</Fact>
        <Fact label={running ? "Spent" : "Spent in all"}>{spentOf(workload)}</Fact>
        <Fact label="Deposit">{usd(workload.deposit)}</Fact>
        {running ? (
          <>
            <Fact label="Left of the deposit">{cost?.balance.usd != null ? usd(cost.balance.usd) : usd(workload.deposit)}</Fact>
            <Fact label={<Term text="Runway" of="runway" />}>{cost?.runway_seconds != null ? duration(cost.runway_seconds) : "–"}</Fact>
          </>
        ) : workload.closed_at ? <Fact label="Ran for">{duration((Date.parse(workload.closed_at) - Date.parse(workload.active_at ?? workload.closed_at)) / 1000)}</Fact> : null}
        <Fact label="Paid by">{workload.payment ? <>you, from the <Term text="escrow" of="escrow" /></> : "the operator's account"}</Fact>
        {workload.live?.stale && workload.live.age_seconds != null ? <Fact label="As of">{duration(workload.live.age_seconds)} ago</Fact> : null}
      </dl>
      {workload.payment ? <OwnMoney workload={workload} /> : running ? <TopUp workload={workload} /> : null}
    </>
  );
}

function spentOf(workload: WorkloadDetail): string {
  const cost = workload.live?.cost;
  const final = workload.payment?.spent ?? workload.final_cost;
  if (!isActive(workload) && final != null) return usd(final);
  return cost?.spent.usd != null ? `${cost.estimate ? "about " : ""}${usd(cost.spent.usd)}` : "–";
}

/** More for a workload that the operator's account pays, within the budgets. */
function TopUp({ workload }: { workload: WorkloadDetail }) {
  const [isOpen, setOpen] = useState(false);
  const { topUp, patch } = useWorkloadChanges(workload.deployment_id);
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <Button size="sm" variant="outline" disabled={!workload.dseq} onClick={() => setOpen(true)}><CoinsIcon aria-hidden /> Top up</Button>
      <label className="flex items-center gap-2">
        <Checkbox checked={(patch.isPending ? patch.variables.auto_top_up : undefined) ?? workload.auto_top_up} disabled={patch.isPending} onChange={(event) => patch.mutate({ auto_top_up: event.target.checked })} />
        Top up by itself, within the budgets
      </label>
      {workload.top_up ? <p role="status" className="w-full text-xs text-muted-foreground">{usd(workload.top_up)} is on its way to the account.</p> : null}
      {patch.error ? <ErrorAlert error={patch.error} title="Nothing was changed" /> : null}
      {isOpen ? (
        <TextDialog
          title="Top up" description="It goes to the workload's account on Akash; what is not spent comes back when it is closed." label="US dollars" action="Top up"
          initial="5" input={{ required: true, inputMode: "decimal", pattern: "[0-9]+(\\.[0-9]+)?" }} error={topUp.error} isPending={topUp.isPending} onClose={() => setOpen(false)}
          onSubmit={(text) => topUp.mutate(text, { onSuccess: () => { toast.success("The deposit is on its way"); setOpen(false); } })}
        />
      ) : null}
    </div>
  );
}

/** A workload that its owner pays: the deposit that it waits for, more of it, and what waits to be refunded. */
function OwnMoney({ workload }: { workload: WorkloadDetail }) {
  const job = workload.deployment_id;
  const { data } = useEscrow(job);
  const [isDepositing, setDepositing] = useState(false);
  const running = isActive(workload);
  const waits = workload.payment?.status === "awaiting_deposit" && running;
  return (
    <>
      {waits ? <Notice variant="warning"><p>It waits for your deposit of {amount(workload.payment?.amount ?? "0")}. Without it the request ends at {new Date(workload.payment?.expires_at ?? "").toLocaleTimeString()}.</p></Notice> : null}
      {data ? (
        <dl className="grid grid-cols-2 gap-3 border-t pt-3">
          <Fact label="Deposited">{amount(data.deposited)}</Fact>
          <Fact label="Reserved">{amount(data.reserved)}</Fact>
          <Fact label="Released">{amount(data.released)}</Fact>
          <Fact label="Refunded">{amount(data.refunded)}</Fact>
          <Fact label={running ? "Free" : "Waits to be refunded"} className="col-span-2">{amount(data.refundable)}</Fact>
        </dl>
      ) : null}
      <div className="flex flex-wrap gap-2">
        {running ? <Button size="sm" onClick={() => setDepositing(true)}><CoinsIcon aria-hidden /> {waits ? "Deposit" : "Top up"}</Button> : null}
        {running ? null : <RefundButton job={job} refundable={data?.refundable} />}
      </div>
      {isDepositing ? <DepositDialog job={job} balance={data?.balance} suggested={waits ? workload.payment?.amount : "5"} onClose={() => setDepositing(false)} /> : null}
    </>
  );
}

/** The SDL as it runs, another one for it, and the same once more. */
export function SdlPart({ workload }: { workload: WorkloadDetail }) {
  const [isRevealed, setRevealed] = useState(false);
  const [opened, setOpened] = useState<"update" | "again" | null>(null);
  const id = workload.deployment_id;
  const masked = useSdl(workload, false, true);
  // Secrets are fetched when somebody wants to see or to send them.
  const whole = useSdl(workload, true, isRevealed || opened !== null);
  const data = (isRevealed && whole.data) || masked.data;
  const error = masked.error ?? whole.error;
  const close = () => setOpened(null);
  if (error) return <ErrorAlert error={error} title="The SDL could not be loaded" onRetry={() => void (masked.error ? masked : whole).refetch()} />;
  if (!data) return <Loading of="SDL"><Skeleton className="h-40" /></Loading>;
  return (
    <>
      <pre tabIndex={0} role="region" aria-label="SDL" className="max-h-80 overflow-auto rounded-md border bg-muted/40 p-3 font-mono text-xs [overflow-wrap:normal]">{data.sdl}</pre>
      <div className="flex flex-wrap gap-2">
        {isActive(workload) ? <Button size="sm" variant="outline" disabled={workload.status !== "active" || workload.update_requested_at != null} onClick={() => setOpened("update")}><PencilIcon aria-hidden /> Update</Button> : null}
        <Button size="sm" variant="outline" onClick={() => setOpened("again")}><RocketIcon aria-hidden /> Deploy again</Button>
        <Button size="sm" variant="outline" aria-pressed={isRevealed} onClick={() => setRevealed(!isRevealed)}>{isRevealed ? "Mask secrets" : "Show secrets"}</Button>
        <CopyButton text={data.sdl} label="Copy the SDL as it is shown" />
      </div>
      {workload.update_requested_at != null ? <p role="status" className="text-xs text-muted-foreground">An update is under way.</p> : null}
      <Suspense fallback={null}>
        {opened === "update" && whole.data ? <UpdateDialog id={id} sdl={whole.data.sdl} onClose={close} /> : null}
        {opened === "again" && whole.data ? <NewDeploymentDialog sdl={whole.data.sdl} onClose={close} /> : null}
      </Suspense>
    </>
  );
}

