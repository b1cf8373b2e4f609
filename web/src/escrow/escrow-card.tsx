import { ArrowDownToLineIcon, LandmarkIcon, Undo2Icon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { Dialog, DialogContent, DialogDescription, DialogFooter, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Input, Select } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Term } from "@/components/term";
import { Fact, titleOf } from "@/deployments/deployment-card";
import { isWorkload, type Deployment } from "@/deployments/types";
import { shortId } from "@/lib/format";
import { useWallet } from "@/wallet/use-wallet";
import { NO_JOB, useEscrow, useEscrowTransactions } from "./escrow";

const MAX_JOBS = 50;

/** What the escrow holds for a job, with deposits and refunds that the wallet signs. */
export function EscrowCard({ deployments }: { deployments: Deployment[] | undefined }) {
  const jobs = (deployments ?? []).filter(isWorkload).slice(0, MAX_JOBS);
  const [chosen, setChosen] = useState<string | null>(null);
  const [isDepositing, setDepositing] = useState(false);
  const job = jobs.find(({ deployment_id }) => deployment_id === chosen)?.deployment_id ?? jobs[0]?.deployment_id;
  const { data, error, refetch } = useEscrow(job ?? NO_JOB);
  return (
    <Card>
      <CardHeader>
        <CardTitle className="flex items-center gap-2"><LandmarkIcon aria-hidden className="size-4" /> <span><Term text="Escrow" of="escrow" /> balance</span></CardTitle>
      </CardHeader>
      <CardContent className="flex flex-col gap-3 text-sm">
        {job ? (
          <Field label="For deployment">
            {(control) => (
              <Select {...control} value={job} onChange={(event) => setChosen(event.target.value)}>
                {jobs.map((deployment) => (
                  <option key={deployment.deployment_id} value={deployment.deployment_id}>
                    {optionOf(deployment)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        ) : null}
        {error && !data ? <ErrorAlert error={error} title="The escrow could not be read" onRetry={() => void refetch()} /> : null}
        {data ? (
          <dl className="grid grid-cols-2 gap-2">
            <Fact label="Deposited" className="col-span-2 font-medium">{amount(data.deposited)}</Fact>
            <Fact label={<Term text="Reserved" meaning="Set aside for what the workload costs; the operator can't take more than the agreed price" />}>{amount(data.reserved)}</Fact>
            <Fact label={<Term text="Released" meaning="Paid to the operator for what the workload cost" />}>{amount(data.released)}</Fact>
            <Fact label="Refunded">{amount(data.refunded)}</Fact>
            <Fact label={<Term text="Free" meaning="Neither reserved, released nor refunded: you can have it back" />}>{amount(data.refundable)}</Fact>
            <Fact label="In your wallet" className="col-span-2 border-t pt-2">{amount(data.balance)}</Fact>
          </dl>
        ) : error ? null : <Loading of="escrow" className="flex flex-col gap-2"><Skeleton className="h-8" /><Skeleton className="h-8" /></Loading>}
        {job ? (
          <div className="flex flex-wrap gap-2">
            <Button size="sm" onClick={() => setDepositing(true)} disabled={!data}><ArrowDownToLineIcon aria-hidden /> Deposit</Button>
            <RefundButton key={job} job={job} refundable={data?.refundable} />
          </div>
        ) : (
          <p className="text-xs text-muted-foreground">Deposits are made for a deployment: create one first.</p>
        )}
        {job && isDepositing ? <DepositDialog job={job} balance={data?.balance} onClose={() => setDepositing(false)} /> : null}
      </CardContent>
    </Card>
  );
}

/** Without its services, a workload's title is its id already. */
function optionOf(deployment: Deployment): string {
  const [title, id] = [titleOf(deployment), shortId(deployment.deployment_id)];
  return title.includes(id) ? title : `${title} · ${id}`;
}

/** An amount of the escrow's token, without zeros that say nothing. */
export function amount(text: string): string {
  const [whole = "0", fraction = ""] = text.split(".");
  return `${BigInt(whole).toLocaleString("en-US")}.${fraction.replace(/0+$/, "").padEnd(2, "0")} USDC`;
}

export function RefundButton({ job, refundable }: { job: string; refundable: string | undefined }) {
  const { isWrongNetwork } = useWallet();
  const { refund, step } = useEscrowTransactions(job);
  const isNothing = refundable === undefined || Number(refundable) === 0;
  return (
    <>
      <Button
        size="sm" variant="outline" disabled={isNothing || isWrongNetwork || refund.isPending}
        onClick={() => refund.mutate(undefined, { onSuccess: () => toast.success("Refunded to your wallet") })}
      >
        <Undo2Icon aria-hidden /> {refund.isPending ? "Refunding…" : "Refund"}
      </Button>
      {step ? <p role="status" className="w-full text-xs text-muted-foreground">{step}</p> : null}
      {refund.error ? <ErrorAlert error={refund.error} title="Nothing was refunded" /> : null}
    </>
  );
}

export function DepositDialog({ job, balance, suggested = "10", onClose }: { job: string; balance: string | undefined; suggested?: string; onClose: () => void }) {
  const [wanted, setWanted] = useState(suggested);
  const { isWrongNetwork, chain } = useWallet();
  const { deposit, step } = useEscrowTransactions(job);

  function submit(event: FormEvent) {
    event.preventDefault();
    deposit.mutate(wanted.trim(), {
      onSuccess: () => {
        toast.success("Deposited");
        onClose();
      },
    });
  }

  return (
    <Dialog open onOpenChange={(open) => !open && !deposit.isPending && onClose()}>
      <DialogContent className="max-w-sm">
        <form onSubmit={submit} className="flex flex-col gap-4">
          <DialogHeader>
            <DialogTitle>Deposit</DialogTitle>
            <DialogDescription>
              Your wallet signs it: the <Term text="escrow" of="escrow" /> contract holds it for deployment {shortId(job)}, and what is unspent can be refunded.
            </DialogDescription>
          </DialogHeader>
          <Field label="Amount" hint={balance ? `USDC; your wallet has ${amount(balance)}` : "USDC"} error={isWrongNetwork ? `Switch your wallet to ${chain.name} first` : undefined}>
            {(control) => <Input {...control} required inputMode="decimal" pattern="[0-9]+(\.[0-9]+)?" value={wanted} onChange={(event) => setWanted(event.target.value)} />}
          </Field>
          {deposit.error ? <ErrorAlert error={deposit.error} title="Nothing was deposited" /> : null}
          <p role="status" className="text-xs text-muted-foreground">{step}</p>
          <DialogFooter>
            <Button variant="outline" onClick={onClose} disabled={deposit.isPending}>Cancel</Button>
            <Button type="submit" disabled={deposit.isPending || isWrongNetwork}>{deposit.isPending ? "Depositing…" : "Deposit"}</Button>
          </DialogFooter>
        </form>
      </DialogContent>
    </Dialog>
  );
}
