import { ArrowLeftIcon, ScrollTextIcon } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { Link, useParams } from "react-router";
import { RequireSession } from "@/auth/require-session";
import { ErrorAlert } from "@/components/error-alert";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { CloseButton } from "@/deployments/close-button";
import { Fact, titleOf } from "@/deployments/deployment-card";
import { Endpoints } from "@/deployments/endpoints";
import { endpointsOf, isActive } from "@/deployments/overview";
import { useDeployment } from "@/deployments/queries";
import { StatusBadge } from "@/deployments/status-badge";
import { Timeline } from "@/deployments/timeline";
import { isWorkload, type TokenDetail, type WorkloadDetail } from "@/deployments/types";
import { TokenCard } from "@/tokens/token-card";
import { duration, ether, moment, shortId, usd } from "@/lib/format";

const LogDialog = lazy(() => import("@/logs/log-dialog"));

export default function DeploymentPage() {
  const { id = "" } = useParams();
  return (
    <Page
      title={`Deployment ${shortId(id)}`}
      actions={<Button variant="outline" asChild><Link to="/"><ArrowLeftIcon aria-hidden /> Dashboard</Link></Button>}
    >
      <RequireSession><Content id={id} /></RequireSession>
    </Page>
  );
}

function Content({ id }: { id: string }) {
  const { data, error, refetch } = useDeployment(id);
  if (error && !data) return <ErrorAlert error={error} title="The deployment could not be loaded" onRetry={() => void refetch()} />;
  if (!data) return <Loading of="deployment" className="flex flex-col gap-3"><Skeleton className="h-40" /><Skeleton className="h-64" /></Loading>;
  return (
    <>
      {error ? <ErrorAlert error={error} title="What you see may be out of date" onRetry={() => void refetch()} /> : null}
      <div className="grid gap-4 lg:grid-cols-2">
        {isWorkload(data) ? <WorkloadParts workload={data} /> : <TokenParts token={data} />}
        <Part title="Timeline"><Timeline events={data.events ?? []} /></Part>
      </div>
    </>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card>
      <CardHeader><CardTitle>{title}</CardTitle></CardHeader>
      <CardContent className="flex flex-col gap-3 text-sm">{children}</CardContent>
    </Card>
  );
}

function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-2 gap-3">{children}</dl>;
}

function Code({ children }: { children: ReactNode }) {
  return <code className="text-xs break-all">{children}</code>;
}

function WorkloadParts({ workload }: { workload: WorkloadDetail }) {
  const [hasLogs, setLogs] = useState(false);
  const cost = workload.live?.cost;
  const running = isActive(workload);
  const endpoints = endpointsOf(workload);
  return (
    <div className="flex flex-col gap-4">
      <Part title={titleOf(workload)}>
        <StatusBadge status={workload.status} isClosing={running && workload.close_requested_at != null} />
        {workload.error ? <p className="text-destructive"><span className="font-medium">{workload.error.code}</span>: {workload.error.message}</p> : null}
        <Facts>
          <Fact label="Id" className="col-span-2"><Code>{workload.deployment_id}</Code></Fact>
          <Fact label="Created">{moment(workload.created_at)}</Fact>
          <Fact label="Number on Akash"><Code>{workload.dseq ?? "none yet"}</Code></Fact>
          {workload.closed_at ? <Fact label="Closed">{moment(workload.closed_at)}</Fact> : null}
          {workload.close_reason ? <Fact label="Why it was closed">{workload.close_reason}</Fact> : null}
          <Fact label="Provider" className="col-span-2"><Code>{workload.provider ?? "not chosen yet"}</Code></Fact>
          {endpoints.length > 0 ? <Fact label="Endpoints" className="col-span-2"><Endpoints endpoints={endpoints} /></Fact> : null}
        </Facts>
        <div className="flex flex-wrap gap-2">
          <Button variant="outline" size="sm" disabled={!workload.dseq || !running} onClick={() => setLogs(true)}><ScrollTextIcon aria-hidden /> View logs</Button>
          {running && workload.close_requested_at == null ? <CloseButton id={workload.deployment_id} /> : null}
        </div>
      </Part>
      <Part title="Cost">
        <Facts>
          <Fact label="Price">{workload.usd_per_hour ? `${usd(workload.usd_per_hour)} an hour` : "no price yet"}</Fact>
          <Fact label="Burn per day">{cost?.burn_per_day.usd != null ? usd(cost.burn_per_day.usd) : "–"}</Fact>
          <Fact label="Spent">{cost?.spent.usd != null ? `${cost.estimate ? "about " : ""}${usd(cost.spent.usd)}` : "–"}</Fact>
          <Fact label="Left of the deposit">{cost?.balance.usd != null ? usd(cost.balance.usd) : usd(workload.deposit)}</Fact>
          <Fact label="Runway">{cost?.runway_seconds != null ? duration(cost.runway_seconds) : "–"}</Fact>
          {workload.live?.stale && workload.live.age_seconds != null ? <Fact label="As of">{duration(workload.live.age_seconds)} ago</Fact> : null}
        </Facts>
      </Part>
      <Part title="Services">
        <ul className="flex flex-col gap-1">
          {Object.entries(workload.services ?? {}).map(([name, service]) => (
            <li key={name} className="flex justify-between gap-3"><span className="font-medium">{name}</span> {service.available} of {service.total} available</li>
          ))}
        </ul>
        {Object.keys(workload.services ?? {}).length === 0 ? <p className="text-muted-foreground">{running ? "The provider has not reported any yet." : "None are running."}</p> : null}
      </Part>
      {hasLogs ? <Suspense fallback={null}><LogDialog workload={workload} onClose={() => setLogs(false)} /></Suspense> : null}
    </div>
  );
}

const PURPOSES = { deploy: "Deployment", register: "Registration", distribute: "First supply" };

function TokenParts({ token }: { token: TokenDetail }) {
  return (
    <div className="flex flex-col gap-4">
      <Part title={token.token_name ?? token.model_id}>
        <StatusBadge status={token.status} />
        {token.error ? <p className="text-destructive"><span className="font-medium">{token.error.code}</span>: {token.error.message}</p> : null}
        <Facts>
          <Fact label="Id" className="col-span-2"><Code>{token.deployment_id}</Code></Fact>
          <Fact label="Model">{token.model_id}</Fact>
          <Fact label="Symbol">{token.token_symbol ?? "–"}</Fact>
          <Fact label="Token" className="col-span-2"><Code>{token.token_address ?? "not on chain yet"}</Code></Fact>
          <Fact label="Created">{moment(token.created_at)}</Fact>
          <Fact label="Cost">{token.total_cost ? ether(token.total_cost, token.currency ?? undefined) : "not known yet"}</Fact>
        </Facts>
        {token.token_address ? <Link className="text-primary underline" to={`/tokens/${token.token_address}`}>The token&#39;s page, for anyone</Link> : null}
      </Part>
      {token.status === "completed" && token.token_address ? <TokenCard address={token.token_address} /> : null}
      {(token.allocations ?? []).length > 0 ? (
        <Part title="Allocations">
          <ul className="flex flex-col gap-1">
            {(token.allocations ?? []).map(({ address, amount }) => (
              <li key={address} className="flex flex-wrap justify-between gap-x-3"><Code>{address}</Code> <span className="tabular-nums">{amount}</span></li>
            ))}
          </ul>
        </Part>
      ) : null}
      <Part title="Transactions">
        {(token.transactions ?? []).map((transaction) => (
          <div key={transaction.purpose} className="flex flex-col gap-1">
            <p className="font-medium">{PURPOSES[transaction.purpose]}</p>
            {transaction.explorer_url ? <a className="text-primary underline" href={transaction.explorer_url} rel="noreferrer" target="_blank"><Code>{transaction.transaction_hash}</Code></a> : <Code>{transaction.transaction_hash}</Code>}
            <p className="text-xs text-muted-foreground">{transaction.block_number ? `block ${transaction.block_number}, ${transaction.cost ? ether(transaction.cost, transaction.currency ?? undefined) : ""}` : "not mined yet"}</p>
          </div>
        ))}
        {(token.transactions ?? []).length === 0 ? <p className="text-muted-foreground">None yet.</p> : null}
      </Part>
    </div>
  );
}
