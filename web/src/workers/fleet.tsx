import { ServerOffIcon } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { useSession } from "@/auth/session";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/input";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { shortAddress } from "@/lib/format";
import { LivenessBadge } from "./liveness-badge";
import { daysOf } from "./days";
import { FLEET_DAYS, useFleet, type FleetUptime, type Liveness, type Worker } from "./queries";
import { DayBars } from "./uptime-bars";

/** Every worker, with its last two weeks. */
export function Fleet() {
  const [status, setStatus] = useState<Liveness | null>(null);
  const fleet = useFleet(status);
  const workers = fleet.data?.pages.flatMap((page) => page.workers.map((worker) => ({ worker, uptime: page.uptime?.[worker.wallet] }))) ?? [];
  return (
    <section aria-labelledby="fleet" className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 id="fleet" className="text-lg font-semibold">Fleet</h2>
        <Select
          aria-label="Status of workers" className="w-40" value={status ?? ""}
          onChange={(event) => setStatus((event.target.value || null) as Liveness | null)}
        >
          <option value="">Any status</option>
          <option value="healthy">Healthy</option>
          <option value="late">Late</option>
          <option value="down">Down</option>
          <option value="new">New</option>
          <option value="retired">Retired</option>
        </Select>
      </div>
      {fleet.isError ? <ErrorAlert error={fleet.error} title="The fleet could not be loaded" onRetry={() => void fleet.refetch()} /> : null}
      {fleet.isPending ? (
        <Loading of="fleet" className="flex flex-col gap-2"><Skeleton className="h-20" /><Skeleton className="h-20" /><Skeleton className="h-20" /></Loading>
      ) : null}
      {fleet.isSuccess && workers.length === 0 && !fleet.hasNextPage ? (
        <EmptyState icon={<ServerOffIcon aria-hidden />} title={status ? `No worker is ${status}` : "No worker is enrolled"}>
          <p className="text-sm text-muted-foreground">{status ? "Choose another status to see the others." : "The first one can be yours."}</p>
        </EmptyState>
      ) : null}
      <ul className="flex flex-col gap-2">
        {workers.map(({ worker, uptime }) => <FleetRow key={worker.wallet} worker={worker} uptime={uptime} />)}
      </ul>
      {fleet.hasNextPage ? (
        <Button variant="outline" className="self-center" disabled={fleet.isFetchingNextPage} onClick={() => void fleet.fetchNextPage()}>
          {fleet.isFetchingNextPage ? "Loading…" : "Show more workers"}
        </Button>
      ) : null}
    </section>
  );
}

function FleetRow({ worker, uptime }: { worker: Worker; uptime: FleetUptime | undefined }) {
  const own = useSession()?.wallet.toLowerCase() === worker.wallet.toLowerCase();
  return (
    <li className="grid gap-x-6 gap-y-2 rounded-xl border bg-card p-4 sm:grid-cols-[15rem_1fr] sm:items-center">
      <div className="flex flex-col gap-1">
        <div className="flex flex-wrap items-center gap-2">
          <Link to={`/workers/${worker.wallet}`} title={worker.wallet} className="font-mono text-sm underline-offset-4 hover:underline">
            {shortAddress(worker.wallet)}
          </Link>
          <LivenessBadge status={worker.status} />
          {own ? <Badge variant="secondary">yours</Badge> : null}
        </div>
        <p className="text-xs text-muted-foreground">
          {worker.last_seen ? <>Heard of <Timestamp iso={worker.last_seen} /></> : "Never heard of"}
        </p>
      </div>
      {uptime ? <DayBars days={daysOf(uptime.days, [])} whole={uptime.percent} count={FLEET_DAYS} /> : null}
    </li>
  );
}
