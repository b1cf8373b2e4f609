import { ArchiveIcon, ServerIcon, TerminalIcon, ShieldOffIcon } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { toast } from "sonner";
import { useSession } from "@/auth/session";
import { ConfirmButton } from "@/components/confirm-button";
import { Details } from "@/components/details";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardFooter, CardHeader, CardTitle } from "@/components/ui/card";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { LivenessBadge } from "./liveness-badge";
import { useEnrol, useRetire, useRevoke, useWorker, type Worker } from "./queries";
import { SetupDialog } from "./setup-dialog";
import { UptimeBars } from "./uptime-bars";

export const DAYS = 30;

/** The caller's own worker, or the way to one. */
export function OwnWorker() {
  const wallet = useSession()?.wallet;
  const worker = useWorker(wallet);
  const enrol = useEnrol();
  const [isShown, setShown] = useState(false);
  const ask = () => enrol.mutate(undefined, { onSuccess: () => setShown(true) });

  return (
    <section aria-label="Your worker" className="flex flex-col gap-3">
      {enrol.error ? <ErrorAlert error={enrol.error} title="The worker was not enrolled" onRetry={ask} /> : null}
      {worker.isPending ? <Loading of="worker"><Skeleton className="h-44" /></Loading> : null}
      {worker.isError ? <ErrorAlert error={worker.error} title="Your worker could not be loaded" onRetry={() => void worker.refetch()} /> : null}
      {worker.data === null ? (
        <EmptyState icon={<ServerIcon aria-hidden />} title="You have no worker yet">
          <p className="max-w-md text-sm text-muted-foreground">
            A worker is a machine that proves it is alive: it reports every five minutes which containers it runs.
          </p>
          <Button onClick={ask} disabled={enrol.isPending}><TerminalIcon aria-hidden /> Enrol a worker</Button>
        </EmptyState>
      ) : null}
      {worker.data ? <OwnCard worker={worker.data} isAsking={enrol.isPending} onAsk={ask} /> : null}
      <SetupDialog enrolment={isShown ? enrol.data : undefined} onClose={() => { setShown(false); enrol.reset(); }} />
    </section>
  );
}

function OwnCard({ worker, isAsking, onAsk }: { worker: Worker; isAsking: boolean; onAsk: () => void }) {
  const revoke = useRevoke();
  const retire = useRetire();
  return (
    <Card>
      <CardHeader>
        <CardTitle className="flex flex-wrap items-center gap-2">Your worker <LivenessBadge status={worker.status} /></CardTitle>
      </CardHeader>
      <CardContent className="flex flex-col gap-3">
        {retire.error ? <ErrorAlert error={retire.error} title="The worker was not retired" /> : null}
        {revoke.error ? <ErrorAlert error={revoke.error} title="The token was not revoked" /> : null}
        <UptimeBars wallet={worker.wallet} days={DAYS} />
        <Details
          facts={[
            ["Last heard of", worker.last_seen ? <Timestamp iso={worker.last_seen} /> : "never"],
            ["Enrolled", <Timestamp key="enrolled" iso={worker.enrolled_at} />],
            ["Containers", worker.containers ? String(worker.containers.length) : null],
          ]}
        />
      </CardContent>
      <CardFooter>
        <Button size="sm" variant="outline" asChild><Link to={`/workers/${worker.wallet}`}>Sessions and containers</Link></Button>
        <Button size="sm" variant="outline" onClick={onAsk} disabled={isAsking}><TerminalIcon aria-hidden /> New setup command</Button>
        <ConfirmButton
          disabled={revoke.isPending}
          onConfirm={() => revoke.mutate(worker.wallet, { onSuccess: () => toast.success("The token is revoked") })}
          confirmation={{
            title: "Revoke the worker's token?",
            description: "Its next heartbeat is refused, and so is a setup command that was not used yet. To let it in again, run setup with a new command.",
            action: "Revoke token",
          }}
        >
          <ShieldOffIcon aria-hidden /> Revoke token
        </ConfirmButton>
        {worker.status === "retired" ? null : (
          <ConfirmButton
            disabled={retire.isPending}
            onConfirm={() => retire.mutate(worker.wallet, { onSuccess: () => toast.success("The worker is retired") })}
            confirmation={{ title: "Retire the worker?", description: "Its token ends and nobody is told of its silence any more. Its records stay; a new setup command takes it back.", action: "Retire worker" }}
          >
            <ArchiveIcon aria-hidden /> Retire
          </ConfirmButton>
        )}
      </CardFooter>
    </Card>
  );
}
