import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CoinsIcon, LoaderCircleIcon } from "lucide-react";
import { type FormEvent, useEffect, useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { toast } from "sonner";
import { ApiError, type FieldProblem } from "@/api/errors";
import { useSession } from "@/auth/session";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent, DialogDescription, DialogFooter, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Input, Textarea } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { ether } from "@/lib/format";
import { useIdempotencyKey } from "@/lib/idempotency";
import { useDebounced } from "@/lib/use-debounced";
import { lineOf, parseAllocations, sumOf, type Allocation } from "@/tokens/allocations";
import { ModelChoice } from "@/tokens/model-choice";
import { Fact } from "./deployment-card";
import { Refusals } from "./refusals";
import { estimateToken, requestDeployment } from "./requests";

const SETTLED_MILLISECONDS = 600;
// As long as a launch takes, so that its link is there when it is done.
const SHOWN_MILLISECONDS = 20_000;

/** Launches the token of a validated model, after telling what gas it takes. */
export default function LaunchTokenDialog({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const [model, setModel] = useState("");
  const [name, setName] = useState("");
  const [symbol, setSymbol] = useState("");
  const [supply, setSupply] = useState("");
  const [most, setMost] = useState("");
  const [shares, setShares] = useState("");
  const body = useMemo(
    () => ({
      model_id: model.trim(),
      user_address: session?.wallet ?? "",
      ...(name.trim() ? { token_name: name.trim() } : {}),
      ...(symbol.trim() ? { token_symbol: symbol.trim().toUpperCase() } : {}),
      ...(supply.trim() ? { initial_supply: supply.trim() } : {}),
      ...(most.trim() ? { max_supply: most.trim() } : {}),
      ...(shares.trim() ? { allocations: parseAllocations(shares) } : {}),
    }),
    [model, name, symbol, supply, most, shares, session?.wallet],
  );
  const settled = useDebounced(body, SETTLED_MILLISECONDS);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const keyFor = useIdempotencyKey();
  const estimate = useQuery({
    queryKey: ["estimate", settled],
    queryFn: ({ signal }) => estimateToken(settled, signal),
    enabled: settled.model_id !== "",
    gcTime: 0,
  });
  const launch = useMutation({
    mutationFn: () => requestDeployment(body, keyFor(body)),
    onSuccess: ({ deployment_id: id }) => {
      const action = { label: "Show it", onClick: () => void navigate(`/deployments/${id}`) };
      toast.success("The launch was accepted", { description: "All of its transactions are sent together.", action, duration: SHOWN_MILLISECONDS });
      void queries.invalidateQueries({ queryKey: ["models"] });
      void queries.invalidateQueries({ queryKey: ["deployments"] });
      onClose();
    },
  });
  // What was refused before says nothing of what has been changed since.
  const { reset } = launch;
  useEffect(() => reset(), [body, reset]);

  const isCurrent = settled === body && !estimate.isFetching;
  const data = isCurrent && !estimate.error ? estimate.data : undefined;
  const refused = launch.error ?? estimate.error;
  const fields = refused instanceof ApiError ? refused.fields : [];
  const problemOf = (field: string) => fields.find((problem) => problem.field === field)?.message;
  const canLaunch = data !== undefined && data.refusals.length === 0 && !launch.isPending;

  function submit(event: FormEvent) {
    event.preventDefault();
    if (canLaunch) launch.mutate();
  }

  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent>
        <form onSubmit={submit} className="flex flex-col gap-4">
          <DialogHeader>
            <DialogTitle>Launch token</DialogTitle>
            <DialogDescription>An ERC-20 for a model of yours that was validated, entered in the registry. There is one for each model.</DialogDescription>
          </DialogHeader>
          <ModelChoice value={model} error={problemOf("model_id")} onChange={setModel} />
          <div className="grid gap-3 sm:grid-cols-2">
            <Field label="Token name" error={problemOf("token_name")}>
              {(control) => <Input {...control} maxLength={50} autoComplete="off" placeholder={data?.token_name ?? "from the model"} value={name} onChange={(event) => setName(event.target.value)} />}
            </Field>
            <Field label="Token symbol" hint="Up to ten of A–Z, 0–9 and -" error={problemOf("token_symbol")}>
              {(control) => <Input {...control} maxLength={10} autoComplete="off" placeholder={data?.token_symbol ?? "from the model"} value={symbol} onChange={(event) => setSymbol(event.target.value.toUpperCase())} />}
            </Field>
          </div>
          <div className="grid gap-3 sm:grid-cols-2">
            <Field label="First supply" hint="Whole tokens; none if it is left out" error={problemOf("initial_supply")}>
              {(control) => <Input {...control} inputMode="decimal" autoComplete="off" placeholder="0" value={supply} onChange={(event) => setSupply(event.target.value)} />}
            </Field>
            <Field label="Maximum" hint="What you, as its steward, may mint up to" error={problemOf("max_supply")}>
              {(control) => <Input {...control} inputMode="decimal" autoComplete="off" placeholder={supply || "0"} value={most} onChange={(event) => setMost(event.target.value)} />}
            </Field>
          </div>
          <Field label="Allocations" hint={sharesHint(body.allocations)} error={sharesProblem(fields)}>
            {(control) => <Textarea {...control} rows={3} spellCheck={false} className="font-mono text-xs" placeholder="0x70997970C51812dc3A010C7d01b50e0d17dc79C8 250.5" value={shares} onChange={(event) => setShares(event.target.value)} />}
          </Field>
          {refused && fields.length === 0 ? <ErrorAlert error={refused} title={launch.error ? "The launch was not accepted" : "There is no estimate"} /> : null}
          <section aria-label="Gas estimate" aria-busy={!isCurrent} className="rounded-lg border bg-muted/40 p-3 text-sm">
            {data ? (
              <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3">
                <Fact label="Gas">{data.gas?.toLocaleString("en-US") ?? "not known"}</Fact>
                <Fact label="Expected cost">{data.expected_cost ? ether(data.expected_cost, data.currency) : "not known"}</Fact>
                <Fact label="At most">{data.most_cost ? ether(data.most_cost, data.currency) : "not known"}</Fact>
                <Fact label="Paid by">{data.payer === "account" ? "the operator" : "you"}</Fact>
                <Fact label="Takes about">{data.estimated_confirmation_time} s</Fact>
              </dl>
            ) : (
              <p className="text-muted-foreground">
                {body.model_id === "" ? "Name a model to see what its launch takes." : isCurrent ? "No estimate: see above." : "Estimating…"}
              </p>
            )}
            {data ? <div className="mt-2 empty:hidden"><Refusals refusals={data.refusals} /></div> : null}
          </section>
          <DialogFooter>
            <Button variant="outline" onClick={onClose}>Cancel</Button>
            <Button type="submit" disabled={!canLaunch}>
              {launch.isPending ? <LoaderCircleIcon aria-hidden className="animate-spin" /> : <CoinsIcon aria-hidden />}
              {launch.isPending ? "Launching…" : "Launch"}
            </Button>
          </DialogFooter>
        </form>
      </DialogContent>
    </Dialog>
  );
}

function sharesHint(allocations: Allocation[] | undefined): string {
  if (!allocations) return "One a line: an address and its amount. What is left of the first supply is yours.";
  const sum = sumOf(allocations.map(({ amount }) => amount));
  return `${allocations.length} of at most 200${sum === null ? "" : `, ${sum} in all`}. What is left of the first supply is yours.`;
}

function sharesProblem(fields: FieldProblem[]): string | undefined {
  const problem = fields.find(({ field }) => field.startsWith("allocations"));
  const line = problem && lineOf(problem.field);
  return problem && `${line ? `Line ${line}: ` : ""}${problem.message}`;
}
