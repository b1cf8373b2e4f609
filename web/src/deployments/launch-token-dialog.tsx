import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CoinsIcon, LoaderCircleIcon } from "lucide-react";
import { type FormEvent, useEffect, useMemo, useState } from "react";
import { toast } from "sonner";
import { ApiError } from "@/api/errors";
import { useSession } from "@/auth/session";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent, DialogDescription, DialogFooter, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { ether } from "@/lib/format";
import { useIdempotencyKey } from "@/lib/idempotency";
import { useDebounced } from "@/lib/use-debounced";
import { Fact } from "./deployment-card";
import { Refusals } from "./refusals";
import { estimateToken, requestDeployment } from "./requests";

const SETTLED_MILLISECONDS = 600;

/** Launches the token of a validated model, after telling what gas it takes. */
export default function LaunchTokenDialog({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const [model, setModel] = useState("");
  const [name, setName] = useState("");
  const [symbol, setSymbol] = useState("");
  const body = useMemo(
    () => ({
      model_id: model.trim(),
      user_address: session?.wallet ?? "",
      ...(name.trim() ? { token_name: name.trim() } : {}),
      ...(symbol.trim() ? { token_symbol: symbol.trim().toUpperCase() } : {}),
    }),
    [model, name, symbol, session?.wallet],
  );
  const settled = useDebounced(body, SETTLED_MILLISECONDS);
  const queries = useQueryClient();
  const keyFor = useIdempotencyKey();
  const estimate = useQuery({
    queryKey: ["estimate", settled],
    queryFn: ({ signal }) => estimateToken(settled, signal),
    enabled: settled.model_id !== "",
    gcTime: 0,
  });
  const launch = useMutation({
    mutationFn: () => requestDeployment(body, keyFor(body)),
    onSuccess: () => {
      toast.success("The launch was accepted", { description: "Two transactions take it to the registry." });
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
          <Field label="Model" hint="The model's id, such as sentiment-v2" error={problemOf("model_id")}>
            {(control) => <Input {...control} required maxLength={64} autoComplete="off" value={model} onChange={(event) => setModel(event.target.value)} />}
          </Field>
          <div className="grid gap-3 sm:grid-cols-2">
            <Field label="Token name" error={problemOf("token_name")}>
              {(control) => <Input {...control} maxLength={50} autoComplete="off" placeholder={data?.token_name ?? "from the model"} value={name} onChange={(event) => setName(event.target.value)} />}
            </Field>
            <Field label="Token symbol" hint="Up to ten of A–Z, 0–9 and -" error={problemOf("token_symbol")}>
              {(control) => <Input {...control} maxLength={10} autoComplete="off" placeholder={data?.token_symbol ?? "from the model"} value={symbol} onChange={(event) => setSymbol(event.target.value.toUpperCase())} />}
            </Field>
          </div>
          {refused && fields.length === 0 ? <ErrorAlert error={refused} title={launch.error ? "The launch was not accepted" : "There is no estimate"} /> : null}
          <section aria-label="Gas estimate" aria-busy={!isCurrent} className="rounded-lg border bg-muted/40 p-3 text-sm">
            {data ? (
              <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3">
                <Fact label="Gas">{data.gas?.toLocaleString("en-US") ?? "not known"}</Fact>
                <Fact label="Estimated cost">{data.estimated_gas_cost ? ether(data.estimated_gas_cost) : "not known"}</Fact>
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
