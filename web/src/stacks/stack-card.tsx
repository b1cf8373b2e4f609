import { CircleAlertIcon, CircleCheckIcon, CircleXIcon, LoaderCircleIcon, PencilIcon, RocketIcon, RotateCwIcon, ServerIcon, Trash2Icon, TriangleAlertIcon } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Link } from "react-router";
import { toast } from "sonner";
import { messageOf } from "@/api/errors";
import { ConfirmButton } from "@/components/confirm-button";
import { CopyButton } from "@/components/copy-button";
import { Details } from "@/components/details";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Alert, Notice } from "@/components/ui/alert";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardFooter, CardHeader, CardTitle } from "@/components/ui/card";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Timeline } from "@/deployments/timeline";
import { saveText } from "@/lib/download";
import { moment, shortId } from "@/lib/format";
import { fetchArtifact, useStack, useStackJobs } from "./queries";
import { isBusy, TITLES, type Stack, type StackKind, type StackStatus } from "./types";

const StackDialog = lazy(() => import("./stack-dialog"));

/** One of an environment's two stacks, with a life of its own. */
export function StackCard({ environment, kind }: { environment: string; kind: StackKind }) {
  const { data, error, isPending, refetch } = useStack(environment, kind);
  const [isEditing, setEditing] = useState(false);
  const title = TITLES[kind];
  return (
    <section aria-label={title} className="flex min-w-0 flex-col gap-3">
      {error ? <ErrorAlert error={error} title={`The ${title} could not be loaded`} onRetry={() => void refetch()} /> : null}
      {isPending ? <Loading of={title}><Skeleton className="h-72" /></Loading> : null}
      {data === null ? (
        <EmptyState icon={<ServerIcon aria-hidden />} title={`${environment} has no ${title}`}>
          <p className="text-sm text-muted-foreground">
            {kind === "node" ? "It runs Banano and publishes its endpoint." : "It uses the endpoint that the node publishes, so deploy the node first."}
          </p>
          <Button onClick={() => setEditing(true)}><RocketIcon aria-hidden /> Deploy the {title}</Button>
        </EmptyState>
      ) : null}
      {data ? <Content stack={data} onEdit={() => setEditing(true)} /> : null}
      {isEditing ? (
        <Suspense><StackDialog environment={environment} kind={kind} stack={data ?? null} onClose={() => setEditing(false)} /></Suspense>
      ) : null}
    </section>
  );
}

function Content({ stack, onEdit }: { stack: Stack; onEdit: () => void }) {
  const title = TITLES[stack.kind];
  const isChanging = isBusy(stack.status);
  const { restart, remove } = useStackJobs(stack.environment, stack.kind);
  return (
    <Card>
      <CardHeader>
        <CardTitle className="flex flex-wrap items-center gap-2">{title} <StackStatusBadge status={stack.status} /></CardTitle>
      </CardHeader>
      <CardContent className="flex flex-col gap-4">
        {restart.error ? <ErrorAlert error={restart.error} title="It was not restarted" /> : null}
        {remove.error ? <ErrorAlert error={remove.error} title="It was not deleted" /> : null}
        {stack.error ? (
          <Alert variant="destructive">
            <CircleAlertIcon aria-hidden />
            <div><p className="font-medium">{stack.error.message}</p><p className="text-xs text-muted-foreground">{stack.error.code}</p></div>
          </Alert>
        ) : null}
        {stack.stale_endpoint ? (
          <Notice variant="warning">
            <TriangleAlertIcon aria-hidden />
            <p>The node publishes another endpoint by now. Restart the API to take it.</p>
          </Notice>
        ) : null}
        <Endpoint stack={stack} />
        <Details
          facts={[
            ["Job", <>{stack.job.operation}, {stack.job.ended_at ? <>ended <Timestamp iso={stack.job.ended_at} /></> : <>began <Timestamp iso={stack.job.started_at} /></>}</>],
            ["Generation", String(stack.generation)],
            ["Provider", stack.provider ? <code key="provider" className="text-xs break-all">{stack.provider}</code> : null],
            ["Deployment", stack.deployment_id ? <Link key="deployment" to={`/deployments/${stack.deployment_id}`} className="text-primary underline">{stack.dseq ?? shortId(stack.deployment_id)}</Link> : null],
            ["Node's version", stack.node_version],
            ["Health", stack.health ? <HealthText key="health" health={stack.health} /> : null],
            ["Image", typeof stack.spec.image === "string" ? <code key="image" className="text-xs break-all">{stack.spec.image}</code> : "the installation's"],
            ["Names", stack.uris.length > 0 ? <Uris key="uris" uris={stack.uris} /> : null],
          ]}
        />
        <Looks stack={stack} />
        <details open={isChanging}>
          <summary className="cursor-pointer text-sm text-muted-foreground">{stack.events.length} {stack.events.length === 1 ? "event" : "events"}</summary>
          <div className="mt-3"><Timeline events={stack.events} /></div>
        </details>
      </CardContent>
      <CardFooter>
        <Button size="sm" variant="outline" disabled={isChanging} onClick={onEdit}><PencilIcon aria-hidden /> Change</Button>
        <ConfirmButton
          variant="outline" disabled={isChanging || restart.isPending}
          onConfirm={() => restart.mutate(stack.generation, { onSuccess: () => toast.success(`The ${title} is being restarted`) })}
          confirmation={{
            title: `Restart the ${title} of ${stack.environment}?`,
            description: stack.kind === "node"
              ? "Its endpoint is withdrawn until it answers again. Its volume stays."
              : "It starts anew with the endpoint that the node publishes now.",
            action: `Restart the ${title}`, keep: "Leave it running",
          }}
        >
          <RotateCwIcon aria-hidden /> Restart
        </ConfirmButton>
        <ConfirmButton
          disabled={stack.status === "deleting" || remove.isPending}
          onConfirm={() => remove.mutate(undefined, { onSuccess: () => toast.success(`The ${title} is being deleted`) })}
          confirmation={{
            title: `Delete the ${title} of ${stack.environment}?`,
            description: stack.kind === "node"
              ? "Its deployment is closed, its endpoint withdrawn, and the ledger on its volume is lost. The API is not touched."
              : "Its deployment is closed. The node is not touched.",
            action: `Delete the ${title}`,
          }}
        >
          <Trash2Icon aria-hidden /> Delete
        </ConfirmButton>
      </CardFooter>
    </Card>
  );
}

/** What the last probe of a published node found. */
export function HealthText({ health }: { health: NonNullable<Stack["health"]> }) {
  if (health.answers) return <>answers, at block {health.block_count?.toLocaleString("en-US") ?? "unknown"}{typeof health.peers === "number" ? `, with ${health.peers} peers` : ""}, probed <Timestamp iso={health.probed_at} /></>;
  return <span className="text-warning">does not answer ({health.failures}× in a row{health.reason ? `: ${health.reason}` : ""}){health.withdrawn_at ? <>, endpoint withdrawn <Timestamp iso={health.withdrawn_at} /></> : null}</span>;
}

export function StackStatusBadge({ status }: { status: StackStatus }) {
  const variant = status === "active" ? "success" : status === "failed" ? "destructive" : isBusy(status) ? "info" : "secondary";
  const Icon = status === "active" ? CircleCheckIcon : status === "failed" ? CircleXIcon : LoaderCircleIcon;
  return (
    <Badge variant={variant} data-status={status}>
      <Icon aria-hidden className={isBusy(status) ? "animate-spin" : undefined} /> {status}
    </Badge>
  );
}

/** Of a node what it publishes, of an API what it uses. */
function Endpoint({ stack }: { stack: Stack }) {
  const isNode = stack.kind === "node";

  async function save(what: "endpoint.json" | "endpoint.json.sig") {
    try {
      saveText(what, await fetchArtifact(stack.environment, what), "application/json");
    } catch (error) {
      toast.error("It could not be downloaded", { description: messageOf(error) });
    }
  }

  return (
    <div className="flex flex-col gap-2 rounded-lg bg-muted p-3">
      <p className="text-xs text-muted-foreground">{isNode ? "Published endpoint" : "Endpoint in use"}</p>
      {stack.endpoint ? (
        <p className="flex flex-wrap items-center gap-2">
          <code className="text-sm break-all">{stack.endpoint}</code>
          <CopyButton text={stack.endpoint} label="Copy the endpoint" variant="ghost" size="icon" className="size-7" />
        </p>
      ) : <p className="text-sm">None at the moment</p>}
      {isNode && stack.endpoint ? (
        <div className="flex flex-wrap gap-2">
          <Button size="sm" variant="outline" onClick={() => void save("endpoint.json")}>endpoint.json</Button>
          <Button size="sm" variant="outline" onClick={() => void save("endpoint.json.sig")}>Its signature</Button>
        </div>
      ) : null}
    </div>
  );
}

function Uris({ uris }: { uris: string[] }) {
  return (
    <ul>
      {uris.map((uri) => {
        const url = /^https?:\/\//.test(uri) ? uri : `http://${uri}`;
        return <li key={uri}><a href={url} rel="noreferrer" className="break-all text-primary underline">{uri}</a></li>;
      })}
    </ul>
  );
}

/** Looks for the port that the provider forwards to the node. */
function Looks({ stack }: { stack: Stack }) {
  if (stack.discovery.length === 0) return null;
  return (
    <details>
      <summary className="cursor-pointer text-sm text-muted-foreground">Looks for the node's port</summary>
      <ol className="mt-2 flex flex-col gap-1 text-xs">
        {stack.discovery.map(({ count, at, outcome, cause }, index) => (
          <li key={`${count}-${index}`}>
            <span className={outcome === "failure" ? "text-destructive" : outcome === "success" ? "text-success" : undefined}>{outcome} {count}</span>
            {cause ? `: ${cause}` : ""} <time dateTime={at} className="text-muted-foreground">{moment(at)}</time>
          </li>
        ))}
      </ol>
    </details>
  );
}
