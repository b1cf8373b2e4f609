import { ArrowLeftIcon, BoxIcon, ServerOffIcon } from "lucide-react";
import { Link, useParams } from "react-router";
import { RequireSession } from "@/auth/require-session";
import { apiUrl } from "@/api/client";
import { useSession } from "@/auth/session";
import { Copied } from "@/components/copied";
import { CopyButton } from "@/components/copy-button";
import { Details } from "@/components/details";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState, Page } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { Checkbox } from "@/components/ui/input";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { duration, moment, shortAddress } from "@/lib/format";
import { LivenessBadge } from "@/workers/liveness-badge";
import { incidentsOf } from "@/workers/days";
import { useShow, useUptime, useWorker, type Uptime, type Worker } from "@/workers/queries";
import { percent, share } from "@/workers/uptime";
import { UptimeBars } from "@/workers/uptime-bars";

const DAYS = 90;
const MAX_ROWS = 30;

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
  const isOwn = useSession()?.wallet.toLowerCase() === wallet.toLowerCase();
  if (worker.isPending) return <Loading of="worker" className="flex flex-col gap-3"><Skeleton className="h-40" /><Skeleton className="h-64" /></Loading>;
  if (worker.isError) return <ErrorAlert error={worker.error} title="The worker could not be loaded" onRetry={() => void worker.refetch()} />;
  if (worker.data === null) return <EmptyState icon={<ServerOffIcon aria-hidden />} title="This wallet has no worker" />;
  return (
    <>
      <Card>
        <CardHeader>
          <CardTitle className="flex flex-wrap items-center gap-2">
            <Copied text={worker.data.wallet} what="worker's wallet" /> <LivenessBadge status={worker.data.status} />
          </CardTitle>
        </CardHeader>
        <CardContent className="flex flex-col gap-3">
          <UptimeBars wallet={worker.data.wallet} days={DAYS} />
          <p className="flex flex-wrap gap-x-4 text-xs text-muted-foreground">
            <span><span aria-hidden className="mr-1 inline-block size-2 rounded-xs bg-success" />observed: Slipway saw its beats come in</span>
            <span><span aria-hidden className="mr-1 inline-block size-2 rounded-xs bg-info/40" />reported: told later, and not counted</span>
          </p>
          <Details
            facts={[
              ["Last heard of", worker.data.last_seen ? <Timestamp iso={worker.data.last_seen} /> : "never"],
              ["Enrolled", <Timestamp key="enrolled" iso={worker.data.enrolled_at} />],
              ["With what was reported later", <Reported key="reported" wallet={worker.data.wallet} />],
              ["Clock", clockText(worker.data.clock_offset_seconds)],
              ...(worker.data.clone_noticed_at
                ? [["Two machines with its token", <Timestamp key="clone" iso={worker.data.clone_noticed_at} />] satisfies [string, React.ReactNode]]
                : []),
              ...(worker.data.figures
                ? [["CPU, memory, disk", `${worker.data.figures.cpu_percent} %, ${worker.data.figures.memory_percent} %, ${worker.data.figures.disk_percent} %`] satisfies [string, React.ReactNode]]
                : []),
              ["Present session", worker.data.session ? <>since {moment(worker.data.session.timeFrom)}</> : "none"],
            ]}
          />
        </CardContent>
      </Card>
      <div className="grid gap-5 lg:grid-cols-2 lg:items-start">
        <div className="flex min-w-0 flex-col gap-5">
          <Containers worker={worker.data} />
          <IncidentsOf worker={worker.data} />
          <SessionsOf wallet={worker.data.wallet} />
        </div>
        <div className="flex min-w-0 flex-col gap-5">
          {isOwn ? <BadgePart worker={worker.data} /> : null}
          <DaysOf wallet={worker.data.wallet} />
        </div>
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

/** When it was silent, as far back as the chart goes. */
function IncidentsOf({ worker }: { worker: Worker }) {
  const uptime = useUptime(worker.wallet, DAYS);
  if (!uptime.data || worker.last_seen === null) return null;
  const shown = uptime.data.days[0]?.date;
  const begin = shown && shown > worker.enrolled_at ? shown : worker.enrolled_at;
  const incidents = incidentsOf(uptime.data.records, begin, uptime.dataUpdatedAt);
  return (
    <section aria-labelledby="incidents" className="flex flex-col gap-2">
      <h2 id="incidents" className="text-lg font-semibold">Incidents</h2>
      {incidents.length === 0 ? <p className="text-sm text-muted-foreground">It was never silent for over ten minutes in the last {DAYS} days.</p> : (
        <Table label="Incidents">
          <TableHeader><tr><TableHead>Silent from</TableHead><TableHead>To</TableHead><TableHead className="text-right">Length</TableHead></tr></TableHeader>
          <TableBody>
            {incidents.slice(0, MAX_ROWS).map(({ from, to }) => (
              <TableRow key={from}>
                <TableCell>{moment(from)}</TableCell>
                <TableCell>{to ? moment(to) : <Badge variant="warning">it lasts</Badge>}</TableCell>
                <TableCell className="text-right whitespace-nowrap">{duration(((to ? Date.parse(to) : uptime.dataUpdatedAt) - Date.parse(from)) / 1000)}</TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
    </section>
  );
}

/** A badge for a README, and a page that anyone may see, if its owner wants that; and who is told when it falls silent. */
function BadgePart({ worker }: { worker: Worker }) {
  const show = useShow(worker.wallet);
  const [badge, page] = [apiUrl(`/workers/${worker.wallet}/badge.svg`), apiUrl(`/workers/${worker.wallet}/status`)];
  return (
    <Card>
      <CardHeader><CardTitle>Badge and alerts</CardTitle></CardHeader>
      <CardContent className="flex flex-col gap-3 text-sm">
        <label className="flex items-center gap-2">
          <Checkbox checked={show.isPending ? show.variables : worker.public} disabled={show.isPending} onChange={(event) => show.mutate(event.target.checked)} /> Anyone may see its status and uptime
        </label>
        {show.error ? <ErrorAlert error={show.error} title="Nothing was changed" /> : null}
        {worker.public ? (
          <>
            <a href={page} rel="noreferrer" target="_blank"><img src={badge} alt={`Badge of worker ${shortAddress(worker.wallet)}`} className="h-5" /></a>
            <CopyButton text={`[![uptime](${badge})](${page})`} label="Copy the badge as Markdown" className="self-start">Copy as Markdown</CopyButton>
          </>
        ) : null}
        <p className="text-muted-foreground">Be told when it is late or down: <Link className="text-primary underline" to="/settings?tab=webhooks">make a webhook</Link> about workers.</p>
      </CardContent>
    </Card>
  );
}

function DaysOf({ wallet }: { wallet: string }) {
  const uptime = useUptime(wallet, DAYS);
  if (!uptime.data) return null;
  return (
    <section aria-labelledby="days" className="flex min-w-0 flex-col gap-2">
      <h2 id="days" className="text-lg font-semibold">Days since it was enrolled</h2>
      <Table label="Uptime by day">
        <TableHeader><tr><TableHead>Day (UTC)</TableHead><TableHead className="text-right">Up</TableHead></tr></TableHeader>
        <TableBody>
          {uptime.data.days.filter(({ percent }) => percent !== null).toReversed().map((day) => (
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
        {records.toReversed().slice(0, MAX_ROWS).map((record) => (
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
