import { ChartColumnIcon } from "lucide-react";
import { useState } from "react";
import { BarChart } from "@/components/bar-chart";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Card, CardContent } from "@/components/ui/card";
import { Select } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { ether } from "@/lib/format";
import { totalOf } from "./days";
import { useDayMetrics, type DayMetrics } from "./queries";
import { SERVICES_WITH_JOBS, type Service } from "./types";

const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const percent = (share: number) => `${Number((share * 100).toFixed(1))}%`;
const whole = (text: string) => BigInt(text).toLocaleString("en-US");

/** How a service did, day by day. */
export function MetricsView() {
  const [service, setService] = useState<Service>("tokens");
  const [count, setCount] = useState(7);
  const { data, error, isPending, refetch } = useDayMetrics(service, count);
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap gap-4">
        <Field label="Service" className="w-40">
          {(control) => (
            <Select {...control} value={service} onChange={(event) => setService(event.target.value as Service)}>
              {SERVICES_WITH_JOBS.map((known) => <option key={known} value={known}>{known}</option>)}
            </Select>
          )}
        </Field>
        <Field label="Days" className="w-40">
          {(control) => (
            <Select {...control} value={count} onChange={(event) => setCount(Number(event.target.value))}>
              {[7, 14, 30].map((days) => <option key={days} value={days}>last {days}</option>)}
            </Select>
          )}
        </Field>
      </div>
      {error ? <ErrorAlert error={error} title="The metrics could not be loaded" onRetry={() => void refetch()} /> : null}
      {isPending ? <Loading of="metrics" className="grid gap-4 lg:grid-cols-2"><Skeleton className="h-64" /><Skeleton className="h-64" /></Loading> : null}
      {data ? <Days service={service} days={data} /> : null}
    </div>
  );
}

function Days({ service, days }: { service: Service; days: DayMetrics[] }) {
  const all = days.map(({ metrics }) => metrics);
  const total = totalOf(all);
  const errors: Record<string, number> = {};
  for (const [code, times] of all.flatMap((metrics) => Object.entries(metrics.errors))) errors[code] = (errors[code] ?? 0) + times;
  if (total.rate === null) {
    return (
      <EmptyState icon={<ChartColumnIcon aria-hidden />} title={`Nothing of ${service} ended in these days`}>
        <p className="text-sm text-muted-foreground">Requests that were refused at once are in the audit trail.</p>
      </EmptyState>
    );
  }
  return (
    <>
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-5">
        <Figure name="Success rate" value={percent(total.rate)} />
        <Figure name="Completed" value={String(total.completed)} />
        <Figure name="Failed" value={String(total.failed)} />
        <Figure name="Gas" value={whole(total.gas)} />
        <Figure name="Cost on chain" value={ether(total.cost)} />
      </dl>
      {all.some(({ truncated }) => truncated) ? (
        <p className="text-sm text-muted-foreground">Some days had more jobs than a summary counts: figures are of the newest ones.</p>
      ) : null}
      <div className="grid gap-4 lg:grid-cols-2 lg:items-start">
        <Card className="min-w-0">
          <CardContent className="pt-4">
            <BarChart
              title="Success rate by day" head="Success rate" most={1} format={percent}
              bars={days.map(({ date, metrics }) => ({
                label: date, value: metrics.success_rate,
                text: metrics.success_rate === null ? "nothing ended" : `${percent(metrics.success_rate)} of ${metrics.completed + metrics.failed}`,
              }))}
            />
          </CardContent>
        </Card>
        <Card className="min-w-0">
          <CardContent className="pt-4">
            <BarChart
              title="Gas by day" head="Gas" format={(value) => COMPACT.format(value)}
              bars={days.map(({ date, metrics }) => ({ label: date, value: Number(metrics.gas_used), text: whole(metrics.gas_used) }))}
            />
          </CardContent>
        </Card>
      </div>
      {Object.keys(errors).length > 0 ? (
        <section aria-labelledby="causes" className="flex flex-col gap-2">
          <h2 id="causes" className="text-lg font-semibold">Why jobs failed</h2>
          <Table label="Failures by error code">
            <TableHeader><tr><TableHead>Code</TableHead><TableHead className="text-right">Times</TableHead></tr></TableHeader>
            <TableBody>
              {Object.entries(errors).toSorted(([, one], [, other]) => other - one).map(([code, times]) => (
                <TableRow key={code}><TableCell className="font-mono text-xs">{code}</TableCell><TableCell className="text-right tabular-nums">{times}</TableCell></TableRow>
              ))}
            </TableBody>
          </Table>
        </section>
      ) : null}
    </>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className="rounded-xl border bg-card p-3">
      <dt className="text-xs text-muted-foreground">{name}</dt>
      <dd className="text-lg font-semibold tabular-nums">{value}</dd>
    </div>
  );
}
