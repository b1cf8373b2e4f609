import { CircleCheckIcon, CirclePauseIcon, LoaderCircleIcon, PauseIcon, PlayIcon, ZapOffIcon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { ErrorAlert } from "@/components/error-alert";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardFooter, CardHeader, CardTitle } from "@/components/ui/card";
import { Details } from "@/components/details";
import { Dialog, DialogContent, DialogDescription, DialogFooter, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { useServiceState, useSwitch } from "./queries";
import { SERVICES, SERVICES_WITH_JOBS, type Metrics, type Service } from "./types";

/** Every service with its switch. */
export function Services() {
  return (
    <ul aria-label="Services" className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
      {SERVICES.map((service) => <li key={service} aria-label={service}><ServiceCard service={service} /></li>)}
    </ul>
  );
}

function ServiceCard({ service }: { service: Service }) {
  const { data, error, refetch } = useServiceState(service);
  const [isAsking, setAsking] = useState(false);
  if (error && !data) return <ErrorAlert error={error} title={`How ${service} stands could not be loaded`} onRetry={() => void refetch()} />;
  if (!data) return <Loading of="services"><Skeleton className="h-36" /></Loading>;
  return (
    <Card className="flex h-full flex-col">
      <CardHeader>
        <CardTitle className="flex flex-wrap items-center gap-2">{service} <SwitchBadge metrics={data} /></CardTitle>
      </CardHeader>
      <CardContent className="flex-1">
        {SERVICES_WITH_JOBS.includes(service) ? (
          <Details
            facts={[
              ["Running now", String(data.in_flight)],
              ["Last 24 h", `${data.completed} completed, ${data.failed} failed`],
            ]}
          />
        ) : <p className="text-sm text-muted-foreground">Its requests are answered at once; it has no jobs.</p>}
      </CardContent>
      <CardFooter>
        <Button size="sm" variant={data.paused ? "default" : "outline"} onClick={() => setAsking(true)}>
          {data.paused ? <PlayIcon aria-hidden /> : <PauseIcon aria-hidden />} {data.paused ? "Resume" : "Pause"}
          <span className="sr-only"> {service}</span>
        </Button>
      </CardFooter>
      {isAsking ? <SwitchDialog service={service} isPausing={!data.paused} onClose={() => setAsking(false)} /> : null}
    </Card>
  );
}

function SwitchBadge({ metrics }: { metrics: Metrics }) {
  if (metrics.paused) return <Badge variant="warning"><CirclePauseIcon aria-hidden /> paused</Badge>;
  const openUntil = Number((metrics.breaker as { open_until?: number }).open_until ?? 0);
  if (openUntil > 0) return <Badge variant="destructive" title="Too much went wrong of late: new work is refused until a trial succeeds"><ZapOffIcon aria-hidden /> breaker open</Badge>;
  return <Badge variant="success"><CircleCheckIcon aria-hidden /> takes work</Badge>;
}

function SwitchDialog({ service, isPausing, onClose }: { service: Service; isPausing: boolean; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [isTried, setTried] = useState(false);
  const change = useSwitch(service, isPausing);

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (!reason.trim()) return;
    change.mutate(reason.trim(), {
      onSuccess: () => {
        toast.success(isPausing ? `${service} is paused` : `${service} takes work again`);
        onClose();
      },
    });
  }

  return (
    <Dialog open onOpenChange={(open) => open || onClose()}>
      <DialogContent className="max-w-md">
        <DialogHeader>
          <DialogTitle>{isPausing ? "Pause" : "Resume"} {service}?</DialogTitle>
          <DialogDescription>
            {isPausing ? "New work is refused from now on, with your reason; what runs goes on." : "New work is taken again."}
          </DialogDescription>
        </DialogHeader>
        <form onSubmit={submit} noValidate className="flex flex-col gap-4">
          <Field label="Reason" hint="Whoever is refused reads it." error={isTried && !reason.trim() ? "Say why" : undefined}>
            {(control) => <Input {...control} maxLength={200} value={reason} onChange={(event) => setReason(event.target.value)} />}
          </Field>
          {change.error ? <ErrorAlert error={change.error} title="Nothing was changed" /> : null}
          <DialogFooter>
            <Button variant="outline" onClick={onClose}>Back</Button>
            <Button type="submit" variant={isPausing ? "destructive" : "default"} disabled={change.isPending}>
              {change.isPending ? <LoaderCircleIcon aria-hidden className="animate-spin" /> : null} {isPausing ? "Pause" : "Resume"} {service}
            </Button>
          </DialogFooter>
        </form>
      </DialogContent>
    </Dialog>
  );
}
