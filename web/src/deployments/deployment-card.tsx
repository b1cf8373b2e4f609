import { CoinsIcon, ContainerIcon, ListTreeIcon, ScrollTextIcon } from "lucide-react";
import { memo, useState, type ReactNode } from "react";
import { Link } from "react-router";
import { Ago } from "@/components/ago";
import { ErrorAlert } from "@/components/error-alert";
import { Copied } from "@/components/copied";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { ether, shortAddress, shortId, usd } from "@/lib/format";
import { CloseButton } from "./close-button";
import { Endpoints } from "./endpoints";
import { endpointsOf, isActive, isOrdinaryEnd } from "./overview";
import { useDeployment } from "./queries";
import { StatusBadge } from "./status-badge";
import { Timeline } from "./timeline";
import { isWorkload, type Deployment, type LiveStatus, type Token, type Workload } from "./types";

interface CardProps {
  deployment: Deployment;
  live: LiveStatus | undefined;
  onViewLogs: (deployment: Workload) => void;
}

/** One deployment in the list. */
export const DeploymentCard = memo(function DeploymentCard({ deployment, live, onViewLogs }: CardProps) {
  const [isOpen, setOpen] = useState(false);
  const workload = isWorkload(deployment) ? deployment : null;
  const id = deployment.deployment_id;
  const isClosing = workload !== null && workload.close_requested_at != null && isActive(workload);
  return (
    <Card>
      <article aria-labelledby={`title-${id}`} className="flex flex-col gap-3 p-4 sm:px-5">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          {workload ? <ContainerIcon aria-hidden className="size-5 text-muted-foreground" /> : <CoinsIcon aria-hidden className="size-5 text-muted-foreground" />}
          <h3 id={`title-${id}`} className="font-semibold">
            <Link className="outline-none hover:underline focus-visible:underline" to={`/deployments/${id}`}>{titleOf(deployment)}</Link>
          </h3>
          <StatusBadge status={deployment.status} isClosing={isClosing} isOrdinary={isOrdinaryEnd(deployment)} />
          <span className="ml-auto text-xs text-muted-foreground">created <Ago at={deployment.created_at} /></span>
        </div>
        <dl className="grid grid-cols-2 gap-x-4 gap-y-2 text-sm sm:grid-cols-4">
          <Fact label="Id"><Copied text={id} short={shortId(id)} what="deployment's id" /></Fact>
          {workload ? <WorkloadFacts workload={workload} live={live} /> : <TokenFacts token={deployment as Token} />}
        </dl>
        {deployment.error ? (
          <p className={isOrdinaryEnd(deployment) ? "text-sm text-muted-foreground" : "text-sm text-destructive"}>
            <span className="font-medium">{deployment.error.code}</span>: {deployment.error.message}
          </p>
        ) : null}
        <div className="flex flex-wrap gap-2">
          <Button variant="outline" size="sm" aria-expanded={isOpen} aria-label={`Timeline of ${shortId(id)}`} onClick={() => setOpen(!isOpen)}>
            <ListTreeIcon aria-hidden /> Timeline
          </Button>
          {workload ? (
            <Button variant="outline" size="sm" disabled={!workload.dseq || !isActive(workload)} aria-label={`View logs of ${shortId(id)}`} onClick={() => onViewLogs(workload)}>
              <ScrollTextIcon aria-hidden /> View logs
            </Button>
          ) : null}
          {workload && isActive(workload) && !isClosing ? <CloseButton id={id} /> : null}
        </div>
        {isOpen ? <CardTimeline id={id} /> : null}
      </article>
    </Card>
  );
});

/** What people call a deployment: its name, or its services as they run or ran, or its token. */
export function titleOf(deployment: Deployment): string {
  if (!isWorkload(deployment)) return deployment.token_symbol ?? deployment.model_id;
  if (deployment.name) return deployment.name;
  const running = Object.keys(deployment.services ?? {});
  const services = running.length > 0 ? running : Object.keys(deployment.last_seen?.services ?? {});
  return services.length > 0 ? services.join(", ") : `Workload ${shortId(deployment.deployment_id)}`;
}

export function Fact({ label, children, className }: { label: ReactNode; children: ReactNode; className?: string }) {
  return (
    <div className={className}>
      <dt className="text-xs text-muted-foreground">{label}</dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  );
}

function WorkloadFacts({ workload, live }: { workload: Workload; live: LiveStatus | undefined }) {
  const endpoints = endpointsOf(workload);
  const spent = live?.cost?.spent.usd;
  return (
    <>
      <Fact label="Provider">
        {workload.provider ? <Copied text={workload.provider} short={shortAddress(workload.provider)} what="provider's address" /> : workload.choice?.status === "awaiting_choice" ? <Link className="underline" to={`/deployments/${workload.deployment_id}`}>Choose one</Link> : "not chosen yet"}
      </Fact>
      <Fact label="Cost">{workload.usd_per_hour ? `${usd(24 * Number(workload.usd_per_hour))} a day` : "no price yet"}</Fact>
      <Fact label="Spent">{spent != null ? usd(spent) : "–"}</Fact>
      {endpoints.length > 0 ? (
        <Fact label="Endpoints" className="col-span-2 sm:col-span-4"><Endpoints endpoints={endpoints} /></Fact>
      ) : null}
    </>
  );
}

function TokenFacts({ token }: { token: Token }) {
  return (
    <>
      <Fact label="Model">{token.model_id}</Fact>
      <Fact label="Token">
        {token.token_address ? <Copied text={token.token_address} short={shortAddress(token.token_address)} what="token's address" /> : "not on chain yet"}
      </Fact>
      <Fact label="Cost">{token.total_cost ? ether(token.total_cost, token.currency) : "not known yet"}</Fact>
    </>
  );
}

function CardTimeline({ id }: { id: string }) {
  const { data, error, refetch } = useDeployment(id);
  if (error && !data) return <ErrorAlert error={error} title="The timeline could not be loaded" onRetry={() => void refetch()} />;
  if (!data) return <Loading of="events" className="flex flex-col gap-2"><Skeleton className="h-10" /><Skeleton className="h-10" /></Loading>;
  return <Timeline events={data.events ?? []} />;
}
