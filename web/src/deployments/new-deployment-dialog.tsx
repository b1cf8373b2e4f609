import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LoaderCircleIcon, RocketIcon } from "lucide-react";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { toast } from "sonner";
import { ApiError, messageOf } from "@/api/errors";
import { Term } from "@/components/term";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent, DialogDescription, DialogFooter, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Checkbox, Input, Select } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Skeleton } from "@/components/ui/skeleton";
import { bytes, usd } from "@/lib/format";
import { useIdempotencyKey } from "@/lib/idempotency";
import { useDebounced } from "@/lib/use-debounced";
import { useSend } from "@/wallet/send";
import { Fact } from "./deployment-card";
import { Refusals } from "./refusals";
import { estimateWorkload, requestDeployment, type WorkloadRequest } from "./requests";
import { SdlForm } from "./sdl-form-fields";
import { linesOf } from "./sdl-lines";
import { TEMPLATES } from "./templates";
import type { WorkloadEstimate } from "./types";

const CodeEditor = lazy(() => import("@/components/code-editor"));
const SETTLED_MILLISECONDS = 600;
// Told at their own inputs; everything else is about the SDL.
const OWN_FIELDS = new Set(["deposit", "preferences.region", "preferences.gpuType", "preferences.maxPrice"]);

interface Wishes {
  region: string;
  gpuType: string;
  maxPrice: string;
  auditedOnly: boolean;
  deposit: string;
  /** What happens when nobody chooses among the bids in time; null takes the best one without asking. */
  unchosen: "best" | "close" | null;
}

// What was written outlives the dialog, because a session may end while somebody writes.
let draft: { sdl: string; wishes: Wishes } | null = null;

const NO_WISHES: Wishes = { region: "", gpuType: "", maxPrice: "", auditedOnly: false, deposit: "", unchosen: null };

function bodyOf(sdl: string, { region, gpuType, maxPrice, auditedOnly, deposit, unchosen }: Wishes): WorkloadRequest {
  const preferences = {
    ...(region.trim() ? { region: region.trim() } : {}),
    ...(gpuType.trim() ? { gpuType: gpuType.trim() } : {}),
    ...(maxPrice.trim() ? { maxPrice: maxPrice.trim() } : {}),
    ...(auditedOnly ? { auditedOnly } : {}),
  };
  const choice = unchosen ? { choose_bid: true, unchosen } : {};
  return { sdl, preferences, ...(deposit.trim() ? { deposit: deposit.trim() } : {}), ...choice };
}

function templateOf(sdl: string): string {
  return TEMPLATES.find((template) => template.sdl === sdl)?.name ?? "";
}

/** Deploys a workload from an SDL, after telling what it would cost. */
export default function NewDeploymentDialog({ sdl: given, onClose }: { sdl?: string; onClose: () => void }) {
  const [sdl, setSdl] = useState(given ?? draft?.sdl ?? TEMPLATES[0]?.sdl ?? "");
  const [wishes, setWishes] = useState(draft?.wishes ?? NO_WISHES);
  const navigate = useNavigate();
  const { send, step, setStep } = useSend();
  useEffect(() => {
    if (given === undefined) draft = { sdl, wishes };
  }, [given, sdl, wishes]);
  const body = useMemo(() => bodyOf(sdl, wishes), [sdl, wishes]);
  const settled = useDebounced(body, SETTLED_MILLISECONDS);
  const queries = useQueryClient();
  const keyFor = useIdempotencyKey();

  const estimate = useQuery({
    queryKey: ["estimate", settled],
    queryFn: ({ signal }) => estimateWorkload(settled, signal),
    enabled: settled.sdl.trim() !== "",
    gcTime: 0,
  });
  const deploy = useMutation({
    mutationFn: async () => {
      const answer = await requestDeployment(body, keyFor(body));
      if (!("payment" in answer)) return { id: answer.deployment_id, unpaid: null };
      try {
        await send(answer.payment.transactions);
        return { id: answer.deployment_id, unpaid: null };
      } catch (error) {
        // It is accepted all the same, and its page takes the deposit for as long as it waits.
        return { id: answer.deployment_id, unpaid: error };
      }
    },
    onSuccess: ({ id, unpaid }) => {
      const action = { label: "Show it", onClick: () => void navigate(`/deployments/${id}`) };
      if (unpaid) toast.warning("It waits for your deposit", { description: messageOf(unpaid), action });
      else toast.success("The workload was accepted", { description: "Providers are being asked for bids.", action });
      void queries.invalidateQueries({ queryKey: ["deployments"] });
      void queries.invalidateQueries({ queryKey: ["escrow"] });
      if (given === undefined) draft = null;
      onClose();
      if (unpaid || given !== undefined || body.choose_bid) void navigate(`/deployments/${id}`);
    },
    onSettled: () => setStep(""),
  });

  // What was refused before says nothing of what has been changed since.
  const { reset } = deploy;
  useEffect(() => reset(), [body, reset]);

  const isCurrent = settled === body && !estimate.isFetching;
  const refused = deploy.error ?? estimate.error;
  const fields = useMemo(() => (refused instanceof ApiError ? refused.fields : []), [refused]);
  const problemOf = (name: string) => fields.find(({ field }) => field === name)?.message;
  const problems = useMemo(
    () => linesOf(settled.sdl, fields.filter(({ field }) => !OWN_FIELDS.has(field))),
    [settled.sdl, fields],
  );
  const wish = (name: keyof Wishes) => ({
    value: wishes[name] as string,
    onChange: (event: { target: { value: string } }) => setWishes({ ...wishes, [name]: event.target.value }),
  });
  const otherError = refused && fields.length === 0 ? refused : null;

  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent className="max-w-5xl">
        <DialogHeader>
          <DialogTitle>New deployment</DialogTitle>
          <DialogDescription>Describe what to run in Akash&#39;s <Term text="SDL" of="sdl" />, with its highest price in <Term text="uact" of="uact" />. Providers send <Term text="bids" of="bids" />, and the best that will do, or the one that you choose, gets the <Term text="lease" of="lease" />.</DialogDescription>
        </DialogHeader>
        <Field label="Start from a template">
          {(control) => (
            <Select {...control} value={templateOf(sdl)} onChange={(event) => setSdl(TEMPLATES.find(({ name }) => name === event.target.value)?.sdl ?? sdl)}>
              {templateOf(sdl) === "" ? <option value="">What you wrote</option> : null}
              {TEMPLATES.map(({ name, description }) => <option key={name} value={name}>{name}: {description}</option>)}
            </Select>
          )}
        </Field>
        <div className="grid grid-cols-1 gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
          <SdlForm sdl={sdl} onChange={setSdl} />
          <div className="flex min-w-0 flex-col gap-1.5">
            <span className="text-sm font-medium" aria-hidden>SDL</span>
            <div className="h-80">
              <Suspense fallback={<Skeleton className="h-full" />}>
                <CodeEditor value={sdl} onChange={setSdl} problems={problems} label="SDL" describedBy="sdl-problems" />
              </Suspense>
            </div>
            <ul id="sdl-problems" aria-live="polite" className="flex flex-col gap-0.5 text-xs text-destructive">
              {problems.map(({ line, message }, index) => <li key={index}>Line {line}: {message}</li>)}
            </ul>
          </div>
        </div>
        <details>
          <summary className="cursor-pointer text-sm font-medium">Preferences and deposit</summary>
          <div className="mt-3 grid gap-3 sm:grid-cols-2">
            <Field label="Region" hint="A region, country or city, such as us-west" error={problemOf("preferences.region")}>
              {(control) => <Input {...control} {...wish("region")} />}
            </Field>
            <Field label="GPU" hint="Such as A100 or a100-80gb" error={problemOf("preferences.gpuType")}>
              {(control) => <Input {...control} {...wish("gpuType")} />}
            </Field>
            <Field label="Highest price" hint="US dollars an hour for the whole workload" error={problemOf("preferences.maxPrice")}>
              {(control) => <Input {...control} {...wish("maxPrice")} inputMode="decimal" />}
            </Field>
            <Field label="Deposit" hint="US dollars; what is not spent comes back" error={problemOf("deposit")}>
              {(control) => <Input {...control} {...wish("deposit")} inputMode="decimal" placeholder="5" />}
            </Field>
            <label className="flex items-center gap-2 text-sm">
              <Checkbox checked={wishes.auditedOnly} onChange={(event) => setWishes({ ...wishes, auditedOnly: event.target.checked })} />
              Only audited providers
            </label>
          </div>
        </details>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
          <label className="flex items-center gap-2">
            <Checkbox checked={wishes.unchosen !== null} onChange={(event) => setWishes({ ...wishes, unchosen: event.target.checked ? "best" : null })} />
            Choose the provider myself
          </label>
          {wishes.unchosen ? (
            <label className="flex flex-wrap items-center gap-2">
              If I have not within four minutes,
              <Select className="w-auto" value={wishes.unchosen} onChange={(event) => setWishes({ ...wishes, unchosen: event.target.value === "close" ? "close" : "best" })}>
                <option value="best">take the best bid</option>
                <option value="close">close it, nothing is spent</option>
              </Select>
            </label>
          ) : null}
        </div>
        {otherError ? <ErrorAlert error={otherError} title={deploy.error ? "The workload was not accepted" : "There is no estimate"} onRetry={deploy.error ? undefined : () => void estimate.refetch()} /> : null}
        <EstimateSummary estimate={isCurrent && !estimate.error ? estimate.data : undefined} isWaiting={!isCurrent} />
        <DialogFooter>
          <Button variant="outline" onClick={onClose}>Cancel</Button>
          <Button
            disabled={!isCurrent || !estimate.data || estimate.error !== null || estimate.data.refusals.length > 0 || deploy.isPending}
            onClick={() => deploy.mutate()}
          >
            {deploy.isPending ? <LoaderCircleIcon aria-hidden className="animate-spin" /> : <RocketIcon aria-hidden />}
            {deploy.isPending ? step || "Deploying…" : "Deploy"}
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}

function EstimateSummary({ estimate, isWaiting }: { estimate: WorkloadEstimate | undefined; isWaiting: boolean }) {
  return (
    <section aria-label="Estimate" aria-busy={isWaiting} className="rounded-lg border bg-muted/40 p-3">
      {estimate ? (
        <dl className="grid grid-cols-2 gap-3 text-sm sm:grid-cols-4">
          <Fact label="Estimated cost">{estimate.usd_per_hour === null ? "not known" : `${usd(estimate.usd_per_hour)} an hour`}</Fact>
          <Fact label="A month">{estimate.usd_per_month === null ? "not known" : usd(estimate.usd_per_month)}</Fact>
          <Fact label="Deposit">{usd(estimate.deposit)}, {estimate.payer === "escrow" ? "from your wallet" : "paid by the operator"}</Fact>
          <Fact label="Resources">
            {estimate.resources.cpu_millicores / 1000} CPU, {bytes(estimate.resources.memory_bytes)}
            {estimate.resources.gpus > 0 ? `, ${estimate.resources.gpus} GPU` : ""}
          </Fact>
        </dl>
      ) : (
        <p className="text-sm text-muted-foreground">{isWaiting ? "Estimating…" : "No estimate yet: correct what is named above."}</p>
      )}
      {estimate && estimate.refusals.length > 0 ? <div className="mt-3"><Refusals refusals={estimate.refusals} /></div> : null}
    </section>
  );
}
