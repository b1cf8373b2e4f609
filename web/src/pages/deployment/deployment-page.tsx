import { ArrowLeftIcon, ScrollTextIcon } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { Link, useParams } from "react-router";
import { RequireSession } from "@/auth/require-session";
import { Copied } from "@/components/copied";
import { Term } from "@/components/term";
import { ErrorAlert } from "@/components/error-alert";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import BidChoice from "@/deployments/bid-choice";
import { CloseButton } from "@/deployments/close-button";
import { Fact, titleOf } from "@/deployments/deployment-card";
import { Endpoints } from "@/deployments/endpoints";
import { endpointsOf, isActive, isOrdinaryEnd } from "@/deployments/overview";
import { useDeployment } from "@/deployments/queries";
import { StatusBadge } from "@/deployments/status-badge";
import SpendingChart from "@/deployments/spending-chart";
import { Money, RenameButton, SdlPart } from "@/deployments/workload-parts";
import { Timeline } from "@/deployments/timeline";
import { isWorkload, type TokenDetail, type WorkloadDetail } from "@/deployments/types";
import { TokenCard } from "@/tokens/token-card";
import { ether, moment, shortId } from "@/lib/format";

const LogDialog = lazy(() => import("@/logs/log-dialog"));

export default function DeploymentPage() {
  const { id = "" } = useParams();
  const { data, dataUpdatedAt, error, refetch } = useDeployment(id);
  return (
    <Page
      title={data ? titleOf(data) : `Deployment ${shortId(id)}`} description={<Copied text={id} what="id of this deployment" />}
      actions={
        <>
          {data && isWorkload(data) ? <RenameButton workload={data} /> : null}
          <Button variant="outline" asChild><Link to="/"><ArrowLeftIcon aria-hidden /> Dashboard</Link></Button>
        </>
      }
    >
      <RequireSession>
        {error ? <ErrorAlert error={error} title={data ? "What you see may be out of date" : "The deployment could not be loaded"} onRetry={() => void refetch()} /> : null}
        {data ? (
          <div className="grid grid-cols-1 gap-4 lg:grid-cols-2 lg:items-start">
            {isWorkload(data) && isActive(data) && data.dseq && data.choice?.status.startsWith("awaiting") ? (
              <div className="min-w-0 lg:col-span-2"><Part title="Choose a provider"><BidChoice workload={data} /></Part></div>
            ) : null}
            {isWorkload(data) ? <WorkloadParts workload={data} readAt={dataUpdatedAt} /> : <TokenParts token={data} />}
            <Part title="Timeline"><Timeline events={data.events ?? []} /></Part>
          </div>
        ) : error ? null : <Loading of="deployment" className="flex flex-col gap-3"><Skeleton className="h-40" /><Skeleton className="h-64" /></Loading>}
      </RequireSession>
    </Page>
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

function WorkloadParts({ workload, readAt }: { workload: WorkloadDetail; readAt: number }) {
  const [hasLogs, setLogs] = useState(false);
  const running = isActive(workload);
  const endpoints = endpointsOf(workload);
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <Part title="State">
        <StatusBadge status={workload.status} isClosing={running && workload.close_requested_at != null} isOrdinary={isOrdinaryEnd(workload)} />
        {workload.error ? <p className={isOrdinaryEnd(workload) ? "text-muted-foreground" : "text-destructive"}><span className="font-medium">{workload.error.code}</span>: {workload.error.message}</p> : null}
        <Facts>
          <Fact label="Created">{moment(workload.created_at)}</Fact>
          <Fact label={<Term text="Number on Akash" meaning="The dseq: what Akash knows this deployment by" />}>{workload.dseq ? <Copied text={workload.dseq} what="number on Akash" /> : "none yet"}</Fact>
          {workload.closed_at ? <Fact label="Closed">{moment(workload.closed_at)}</Fact> : null}
          {workload.close_reason ? <Fact label="Why it was closed">{workload.close_reason}</Fact> : null}
          <Fact label={<>Provider, by its <Term text="lease" of="lease" /></>} className="col-span-2">{workload.provider ? <Copied text={workload.provider} what="provider's address" /> : "not chosen yet"}</Fact>
          {endpoints.length > 0 ? <Fact label="Endpoints" className="col-span-2"><Endpoints endpoints={endpoints} /></Fact> : null}
        </Facts>
        <div className="flex flex-wrap gap-2">
          <Button variant="outline" size="sm" disabled={!workload.dseq || !running} onClick={() => setLogs(true)}><ScrollTextIcon aria-hidden /> View logs</Button>
          {running && workload.close_requested_at == null ? <CloseButton id={workload.deployment_id} /> : null}
        </div>
      </Part>
      <Part title={running ? "Cost" : "What it came to"}><Money workload={workload} /></Part>
      {workload.active_at ? <Part title="Spending"><SpendingChart deployments={[workload]} days={14} now={readAt} /></Part> : null}
      <Part title="Services">
        <ul className="flex flex-col gap-1">
          {Object.entries(workload.services ?? {}).map(([name, service]) => (
            <li key={name} className="flex justify-between gap-3"><span className="font-medium">{name}</span> {service.available} of {service.total} available</li>
          ))}
        </ul>
        {Object.keys(workload.services ?? {}).length === 0 ? <p className="text-muted-foreground">{running ? "The provider has not reported any yet." : "None are running."}</p> : null}
      </Part>
      <Part title="SDL"><SdlPart workload={workload} /></Part>
      {hasLogs ? <Suspense fallback={null}><LogDialog workload={workload} onClose={() => setLogs(false)} /></Suspense> : null}
    </div>
  );
}

const PURPOSES = { deploy: "Deployment", register: "Registration", distribute: "First supply" };

function TokenParts({ token }: { token: TokenDetail }) {
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <Part title="State">
        <StatusBadge status={token.status} />
        {token.error ? <p className="text-destructive"><span className="font-medium">{token.error.code}</span>: {token.error.message}</p> : null}
        <Facts>
          <Fact label="Model">{token.model_id}</Fact>
          <Fact label="Symbol">{token.token_symbol ?? "–"}</Fact>
          <Fact label="Token" className="col-span-2">{token.token_address ? <Copied text={token.token_address} what="token's address" /> : "not on chain yet"}</Fact>
          <Fact label="Created">{moment(token.created_at)}</Fact>
          <Fact label="Cost">{token.total_cost ? ether(token.total_cost, token.currency) : "not known yet"}</Fact>
        </Facts>
        {token.token_address ? <Link className="text-primary underline" to={`/tokens/${token.token_address}`}>The token&#39;s page, for anyone</Link> : null}
      </Part>
      {token.status === "completed" && token.token_address ? <TokenCard address={token.token_address} /> : null}
      {(token.allocations ?? []).length > 0 ? (
        <Part title="Allocations">
          <ul className="flex flex-col gap-1">
            {(token.allocations ?? []).map(({ address, amount }) => (
              <li key={address} className="flex flex-wrap justify-between gap-x-3"><Copied text={address} what="holder's address" /> <span className="tabular-nums">{amount}</span></li>
            ))}
          </ul>
        </Part>
      ) : null}
      <Part title="Transactions">
        {(token.transactions ?? []).map((transaction) => (
          <div key={transaction.purpose} className="flex flex-col gap-1">
            <p className="font-medium">{PURPOSES[transaction.purpose]}</p>
            <Copied text={transaction.transaction_hash} what={`hash of the ${PURPOSES[transaction.purpose].toLowerCase()}`} />
            {transaction.explorer_url ? <a className="text-primary underline" href={transaction.explorer_url} rel="noreferrer" target="_blank">In the explorer</a> : null}
            <p className="text-xs text-muted-foreground">{transaction.block_number ? `block ${transaction.block_number}, ${transaction.cost ? ether(transaction.cost, transaction.currency) : ""}` : "not mined yet"}</p>
          </div>
        ))}
        {(token.transactions ?? []).length === 0 ? <p className="text-muted-foreground">None yet.</p> : null}
      </Part>
    </div>
  );
}
