import { PencilIcon, UndoIcon } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import type { components } from "@/api/schema";
import { ErrorAlert } from "@/components/error-alert";
import { TextDialog } from "@/components/text-dialog";
import { Button } from "@/components/ui/button";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Progress } from "@/components/ui/progress";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { ether, moment, shortAddress, usd } from "@/lib/format";
import { useBudgets, useLimits, useSetBudget, useSetLimit, type LimitChange } from "./queries";

type Budget = components["schemas"]["BudgetView"];

/** Ceilings for what the operator pays, and limits of tiers and wallets; both hold from the next request on. */
export function Ceilings() {
  return <div className="flex min-w-0 flex-col gap-6"><Budgets /><Limits /></div>;
}

function shown(amount: string, { unit, name }: Budget): string {
  if (unit === "wei") return ether(amount, `units of chain ${name.replace("gas_", "")}`);
  return unit === "USD" ? usd(amount) : `${usd(amount)} an hour`;
}

function Budgets() {
  const { data, error, refetch } = useBudgets();
  const set = useSetBudget();
  const [editing, setEditing] = useState<Budget | null>(null);
  return (
    <section aria-labelledby="budgets" className="flex min-w-0 flex-col gap-2">
      <h2 id="budgets" className="text-lg font-semibold">Budgets</h2>
      {error ? <ErrorAlert error={error} title="The budgets could not be loaded" onRetry={() => void refetch()} /> : null}
      {set.error && !editing ? <ErrorAlert error={set.error} title="The budget was not changed" /> : null}
      {data ? (
        <Table label="Budgets">
          <TableHeader><tr><TableHead>Budget</TableHead><TableHead>Used</TableHead><TableHead className="text-right">Ceiling</TableHead><TableHead className="text-right">Left</TableHead><TableHead>Begins anew</TableHead><TableHead><span className="sr-only">Change</span></TableHead></tr></TableHeader>
          <TableBody>
            {data.map((budget) => (
              <TableRow key={budget.name}>
                <TableCell><code className="text-xs">{budget.name}</code></TableCell>
                <TableCell className="min-w-40">
                  {shown(budget.used, budget)}
                  <Progress value={Math.min(100, Math.round((100 * Number(budget.used)) / (Number(budget.limit) || 1)))} label={`Used of ${budget.name}`} />
                </TableCell>
                <TableCell className="text-right tabular-nums">{shown(budget.limit, budget)}</TableCell>
                <TableCell className="text-right tabular-nums">{shown(budget.left, budget)}</TableCell>
                <TableCell className="whitespace-nowrap">{budget.resets_at ? moment(budget.resets_at) : "–"}</TableCell>
                <TableCell className="whitespace-nowrap">
                  <Button size="sm" variant="outline" aria-label={`Change ${budget.name}`} onClick={() => setEditing(budget)}><PencilIcon aria-hidden /></Button>{" "}
                  <Button size="sm" variant="ghost" aria-label={`Give ${budget.name} back to the template`} title="As the template has it" onClick={() => set.mutate({ name: budget.name, limit: null })}><UndoIcon aria-hidden /></Button>
                </TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      ) : error ? null : <Loading of="budgets"><Skeleton className="h-40" /></Loading>}
      {editing ? (
        <TextDialog
          title={`Ceiling of ${editing.name}`} description="It holds from the next request on; what is begun goes on." label={`In ${editing.unit}`} action="Set it"
          initial={editing.limit} input={{ required: true, inputMode: "decimal", pattern: "[0-9]+(\\.[0-9]+)?" }} error={set.error} isPending={set.isPending}
          onClose={() => { set.reset(); setEditing(null); }}
          onSubmit={(limit) => set.mutate({ name: editing.name, limit }, { onSuccess: () => { toast.success("The ceiling is set"); setEditing(null); } })}
        />
      ) : null}
    </section>
  );
}

/** What a limit counts over, in words; what is `open` counts while it runs. */
function per(span: string): string {
  if (span === "open") return "at once";
  return span === "hour" ? "an hour" : `a ${span}`;
}

interface LimitRow {
  of: LimitChange["of"];
  who: string;
  name: string;
  spans: Record<string, number>;
}

function Limits() {
  const { data, error, refetch } = useLimits();
  const set = useSetLimit();
  const [editing, setEditing] = useState<(LimitRow & { span: string }) | null>(null);
  const rows: LimitRow[] = data
    ? (["tiers", "wallets"] as const).flatMap((of) => Object.entries(data[of]).flatMap(([who, limits]) => Object.entries(limits).map(([name, spans]) => ({ of, who, name, spans }))))
    : [];
  return (
    <section aria-labelledby="limits" className="flex min-w-0 flex-col gap-2">
      <h2 id="limits" className="text-lg font-semibold">Limits of tiers and wallets</h2>
      {error ? <ErrorAlert error={error} title="The limits could not be loaded" onRetry={() => void refetch()} /> : null}
      {set.error && !editing ? <ErrorAlert error={set.error} title="The limit was not changed" /> : null}
      {data ? (
        <Table label="Limits">
          <TableHeader><tr><TableHead>Whose</TableHead><TableHead>Limit</TableHead><TableHead>Most</TableHead><TableHead><span className="sr-only">Change</span></TableHead></tr></TableHeader>
          <TableBody>
            {rows.map((row) => (
              <TableRow key={`${row.who} ${row.name}`}>
                <TableCell title={row.who}>{row.of === "tiers" ? row.who : <code className="text-xs">{shortAddress(row.who)}</code>}</TableCell>
                <TableCell>{row.name}</TableCell>
                <TableCell>
                  <span className="flex flex-wrap gap-1">
                    {Object.entries(row.spans).map(([span, most]) => (
                      <Button key={span} size="sm" variant="outline" onClick={() => setEditing({ ...row, span })}>{most} {per(span)}<span className="sr-only">: change {row.name} of {row.who}</span></Button>
                    ))}
                  </span>
                </TableCell>
                <TableCell><Button size="sm" variant="ghost" aria-label={`Give ${row.name} of ${row.who} back`} title="As it is without a change" onClick={() => set.mutate({ ...row, spans: null })}><UndoIcon aria-hidden /></Button></TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      ) : error ? null : <Loading of="limits"><Skeleton className="h-40" /></Loading>}
      {editing ? (
        <TextDialog
          title={`${editing.name} of ${editing.who}`} description="It holds from the next request on." label={`Most ${per(editing.span)}`} action="Set it"
          initial={String(editing.spans[editing.span] ?? "")} input={{ required: true, inputMode: "numeric", pattern: "[0-9]+" }} error={set.error} isPending={set.isPending}
          onClose={() => { set.reset(); setEditing(null); }}
          onSubmit={(most) => {
            const { span, ...row } = editing;
            set.mutate({ ...row, spans: { ...row.spans, [span]: Number(most) } }, { onSuccess: () => { toast.success("The limit is set"); setEditing(null); } });
          }}
        />
      ) : null}
    </section>
  );
}
