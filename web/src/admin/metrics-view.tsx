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
import { useSeries } from "./queries";
import { SERVICES_WITH_JOBS, type Metrics, type Series, type SeriesPoint, type Service } from "./types";

const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const percent = (share: number) => `${Number((share * 100).toFixed(1))}%`;
const integer = (text: string) => BigInt(text).toLocaleString("en-US");

/** How a service and the whole API did, hour by hour or day by day. */
export function MetricsView() {
  const [service, setService] = useState<Service>("tokens");
  const [count, setCount] = useState(7);
  const { data, error, isPending, refetch } = useSeries(service, count);
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
              {[1, 7, 14, 30].map((days) => <option key={days} value={days}>last {days === 1 ? "24 hours" : days}</option>)}
            </Select>
          )}
        </Field>
      </div>
      {error ? <ErrorAlert error={error} title="The metrics could not be loaded" onRetry={() => void refetch()} /> : null}
      {isPending ? <Loading of="metrics" className="grid gap-4 lg:grid-cols-2"><Skeleton className="h-64" /><Skeleton className="h-64" /></Loading> : null}
      {data ? <><Requests series={data.series} /><Jobs service={service} whole={data.whole} series={data.series} /></> : null}
    </div>
  );
}

const labelOf = (at: string, series: Series) => (series.step === "hour" ? `${at.slice(5, 10)} ${at.slice(11, 16)}` : at.slice(0, 10));

interface Chart {
  title: string;
  series: Series;
  valueOf: (point: SeriesPoint) => number | null;
  textOf: (point: SeriesPoint) => string;
  format: (value: number) => string;
  most?: number;
}

function SeriesChart({ title, series, valueOf, textOf, ...more }: Chart) {
  return (
    <Card className="min-w-0">
      <CardContent className="pt-4">
        <BarChart
          title={`${title} by ${series.step}`} head={title} step={series.step} {...more}
          bars={series.points.map((point) => ({ label: labelOf(point.at, series), value: valueOf(point), text: textOf(point) }))}
        />
      </CardContent>
    </Card>
  );
}

/** What the API answered, over all services. */
function Requests({ series }: { series: Series }) {
  const { points } = series;
  if (points.every(({ requests }) => requests === null)) {
    return <p className="text-sm text-muted-foreground">CloudWatch does not answer: requests are not known now.</p>;
  }
  const sum = (of: (point: SeriesPoint) => number | null) => points.reduce((total, point) => total + (of(point) ?? 0), 0);
  const [requests, failed] = [sum((point) => point.requests), sum((point) => point.server_errors)];
  return (
    <section aria-labelledby="requests" className="flex flex-col gap-3">
      <h2 id="requests" className="text-lg font-semibold">All requests</h2>
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-5">
        <Figure name="Requests" value={requests.toLocaleString("en-US")} />
        <Figure name="Failed with 5xx" value={`${failed} (${requests ? percent(failed / requests) : "0%"})`} />
      </dl>
      <div className="grid gap-4 lg:grid-cols-3 lg:items-start">
        <SeriesChart title="Requests" series={series} format={(value) => COMPACT.format(value)} valueOf={(point) => point.requests} textOf={(point) => String(point.requests ?? "not known")} />
        <SeriesChart title="Milliseconds of the slowest twentieth" series={series} format={(value) => COMPACT.format(value)} valueOf={(point) => point.p95_milliseconds} textOf={(point) => (point.p95_milliseconds === null ? "none" : `${Math.round(point.p95_milliseconds)} ms`)} />
        <SeriesChart title="5xx" series={series} format={(value) => COMPACT.format(value)} valueOf={(point) => point.server_errors} textOf={(point) => String(point.server_errors ?? "not known")} />
      </div>
    </section>
  );
}

function Jobs({ service, whole, series }: { service: Service; whole: Metrics; series: Series }) {
  const errors = whole.errors;
  if (whole.success_rate === null) {
    return (
      <EmptyState icon={<ChartColumnIcon aria-hidden />} title={`Nothing of ${service} ended in this time`}>
        <p className="text-sm text-muted-foreground">Requests that were refused at once are in the audit trail.</p>
      </EmptyState>
    );
  }
  return (
    <>
      <h2 className="text-lg font-semibold">Jobs of {service}</h2>
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-5">
        <Figure name="Success rate" value={percent(whole.success_rate)} />
        <Figure name="Completed" value={String(whole.completed)} />
        <Figure name="Failed" value={String(whole.failed)} />
        <Figure name="Gas" value={integer(whole.gas_used)} />
        <Figure name="Cost on chain" value={ether(whole.total_cost, whole.currency ?? "of several currencies")} />
      </dl>
      {whole.truncated ? (
        <p className="text-sm text-muted-foreground">There were more jobs than a summary counts: figures are of the newest ones.</p>
      ) : null}
      <div className="grid gap-4 lg:grid-cols-3 lg:items-start">
        <SeriesChart title="Ended jobs" series={series} format={(value) => COMPACT.format(value)} valueOf={({ completed, failed }) => completed + failed} textOf={({ completed, failed }) => `${completed} completed, ${failed} failed`} />
        <SeriesChart title="Success rate" series={series} most={1} format={percent} valueOf={(point) => point.success_rate} textOf={({ success_rate: rate, completed, failed }) => (rate === null ? "nothing ended" : `${percent(rate)} of ${completed + failed}`)} />
        <SeriesChart title="Gas" series={series} format={(value) => COMPACT.format(value)} valueOf={(point) => Number(point.gas_used)} textOf={(point) => integer(point.gas_used)} />
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
