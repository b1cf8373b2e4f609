import { ArrowLeftIcon, BoxIcon, ServerOffIcon } from "lucide-react";
import { Link, useParams } from "react-router";
import { RequireSession } from "@/auth/require-session";
import { Details } from "@/components/details";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState, Page } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { duration, moment, shortAddress } from "@/lib/format";
import { LivenessBadge } from "@/workers/liveness-badge";
import { useUptime, useWorker, type Uptime, type Worker } from "@/workers/queries";
import { percent, share } from "@/workers/uptime";
import { UptimeBars } from "@/workers/uptime-bars";

const DAYS = 30;

export default function WorkerPage() {
  const { wallet = "" } = useParams();
  return (
    <Page
      title={`Worker ${shortAddress(wallet)}`}
      actions={<Button variant="outline" asChild><Link to="/workers"><ArrowLeftIcon aria-hidden /> All workers</Link></Button>}
    >
      <RequireSession><WorkerDetail wallet={wallet} /></RequireSession>
    </Page>
  );
}

function WorkerDetail({ wallet }: { wallet: string }) {
  const worker = useWorker(wallet);
  if (worker.isPending) return <Loading of="worker" className="flex flex-col gap-3"><Skeleton className="h-40" /><Skeleton className="h-64" /></Loading>;
  if (worker.isError) return <ErrorAlert error={worker.error} title="The worker could not be loaded" onRetry={() => void worker.refetch()} />;
  if (worker.data === null) return <EmptyState icon={<ServerOffIcon aria-hidden />} title="This wallet has no worker" />;
  return (
    <>
      <Card>
        <CardHeader>
          <CardTitle className="flex flex-wrap items-center gap-2">
            <span className="font-mono text-sm break-all">{worker.data.wallet}</span> <LivenessBadge status={worker.data.status} />
          </CardTitle>
        </CardHeader>
        <CardContent className="flex flex-col gap-3">
          <UptimeBars wallet={worker.data.wallet} days={DAYS} />
          <Details
            facts={[
              ["Last heard of", worker.data.last_seen ? <Timestamp iso={worker.data.last_seen} /> : "never"],
              ["Enrolled", <Timestamp key="enrolled" iso={worker.data.enrolled_at} />],
              ["With what was reported later", <Reported key="reported" wallet={worker.data.wallet} />],
              ["Clock", clockText(worker.data.clock_offset_seconds)],
              ...(worker.data.clone_noticed_at
                ? [["Two machines with its token", <Timestamp key="clone" iso={worker.data.clone_noticed_at} />] satisfies [string, React.ReactNode]]
                : []),
              ["Present session", worker.data.session ? <>since {moment(worker.data.session.timeFrom)}</> : "none"],
            ]}
          />
        </CardContent>
      </Card>
      <div className="grid gap-5 lg:grid-cols-2 lg:items-start">
        <div className="flex min-w-0 flex-col gap-5">
          <Containers worker={worker.data} />
          <SessionsOf wallet={worker.data.wallet} />
        </div>
        <DaysOf wallet={worker.data.wallet} />
      </div>
    </>
  );
}

function Reported({ wallet }: { wallet: string }) {
  const uptime = useUptime(wallet, DAYS);
  const value = uptime.data?.reported_percent;
  return <>{value == null ? "not known" : `up ${percent(value)} of the last ${DAYS} days`}</>;
}

function clockText(offset: number | null): string {
  if (offset === null) return "not known";
  if (Math.abs(offset) < 2) return "right";
  return offset > 0 ? `${offset} s ahead` : `${-offset} s behind`;
}

function SessionsOf({ wallet }: { wallet: string }) {
  const uptime = useUptime(wallet, DAYS);
  if (!uptime.data) return null;
  return (
    <section aria-labelledby="sessions" className="flex flex-col gap-2">
      <h2 id="sessions" className="text-lg font-semibold">Sessions</h2>
      {uptime.data.records.length === 0 ? (
        <p className="text-sm text-muted-foreground">It was not heard of in the last {DAYS} days.</p>
      ) : (
        <Sessions records={uptime.data.records} />
      )}
    </section>
  );
}

function DaysOf({ wallet }: { wallet: string }) {
  const uptime = useUptime(wallet, DAYS);
  if (!uptime.data) return null;
  return (
    <section aria-labelledby="days" className="flex min-w-0 flex-col gap-2">
      <h2 id="days" className="text-lg font-semibold">Days</h2>
      <Table label="Uptime by day">
        <TableHeader><tr><TableHead>Day (UTC)</TableHead><TableHead className="text-right">Up</TableHead></tr></TableHeader>
        <TableBody>
          {uptime.data.days.toReversed().map((day) => (
            <TableRow key={day.date}>
              <TableCell>{day.date}</TableCell>
              <TableCell className="text-right tabular-nums">{share(day.percent)}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </section>
  );
}

function Sessions({ records }: { records: Uptime["records"] }) {
  return (
    <Table label="Sessions">
      <TableHeader><tr><TableHead>From</TableHead><TableHead>To</TableHead><TableHead className="text-right">Length</TableHead></tr></TableHeader>
      <TableBody>
        {records.toReversed().map((record) => (
          <TableRow key={record.timeFrom}>
            <TableCell>{moment(record.timeFrom)}</TableCell>
            <TableCell>{moment(record.timeTo)} {record.open ? <Badge variant="success">open</Badge> : null} {record.reported ? <Badge variant="outline" title="Reported later, not seen by Slipway as it passed">reported</Badge> : null}</TableCell>
            <TableCell className="text-right whitespace-nowrap">
              {duration((Date.parse(record.timeTo) - Date.parse(record.timeFrom)) / 1000)}
            </TableCell>
          </TableRow>
        ))}
      </TableBody>
    </Table>
  );
}

/** For the worker's owner, operators and administrators. */
function Containers({ worker }: { worker: Worker }) {
  if (worker.containers === null) return null;
  return (
    <section aria-labelledby="containers" className="flex flex-col gap-2">
      <h2 id="containers" className="text-lg font-semibold">Containers</h2>
      {worker.containers.length === 0 ? (
        <EmptyState icon={<BoxIcon aria-hidden />} title="It reported no container" />
      ) : (
        <Table label="Containers">
          <TableHeader><tr><TableHead>Name</TableHead><TableHead>Ports</TableHead></tr></TableHeader>
          <TableBody>
            {worker.containers.map((container, index) => (
              <TableRow key={`${container.containerName}-${index}`}>
                <TableCell className="font-mono text-xs">{container.containerName}</TableCell>
                <TableCell className="font-mono text-xs">{container.port || "none"}</TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
    </section>
  );
}
