import { PackageOpenIcon, RotateCwIcon } from "lucide-react";
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { DeploymentCard } from "./deployment-card";
import { countTabs, inTab, TABS, type Tab } from "./overview";
import type { useDeployments } from "./queries";
import type { Deployment, LiveStatus, Workload } from "./types";

const LogDialog = lazy(() => import("@/logs/log-dialog"));
// What fits on a few screens; more on demand, because hundreds of cards take their time.
const SHOWN_AT_FIRST = 30;

const NAMES: Record<Tab, string> = { active: "Active", done: "Done", all: "All", closed: "Closed" };

export function DeploymentList({
  query, live, onNew,
}: { query: ReturnType<typeof useDeployments>; live: Record<string, LiveStatus>; onNew: () => void }) {
  const [tab, setTab] = useState<Tab>("active");
  const [logsOf, setLogsOf] = useState<Workload | null>(null);
  const deployments = query.data?.deployments;
  const counts = useMemo(() => countTabs(deployments ?? []), [deployments]);
  const more = query.data && !query.data.isWhole ? "+" : "";
  const viewLogs = useCallback((workload: Workload) => setLogsOf(workload), []);

  return (
    <section aria-labelledby="deployments-title" className="flex min-w-0 flex-col gap-3">
      <Tabs value={tab} onValueChange={(value) => setTab(value as Tab)}>
        <div className="flex flex-wrap items-center justify-between gap-2">
          <h2 id="deployments-title" className="text-base font-semibold">Deployments</h2>
          <div className="flex items-center gap-2">
            <TabsList aria-label="Which deployments">
              {TABS.map((name) => (
                <TabsTrigger key={name} value={name}>
                  {NAMES[name]}
                  {deployments ? <span className="text-xs tabular-nums text-muted-foreground">{counts[name]}{more}</span> : null}
                </TabsTrigger>
              ))}
            </TabsList>
            <Button variant="outline" size="icon" aria-label="Refresh" title="Refresh" disabled={query.isFetching} onClick={() => void query.refetch()}>
              <RotateCwIcon aria-hidden className={query.isFetching ? "animate-spin" : ""} />
            </Button>
          </div>
        </div>
        {query.error ? (
          <div className="mt-3">
            <ErrorAlert error={query.error} title="Your deployments could not be loaded" onRetry={() => void query.refetch()} />
          </div>
        ) : null}
        {TABS.map((name) => (
          <TabsContent key={name} value={name} className="mt-3">
            {deployments ? (
              <Cards
                deployments={deployments.filter((deployment) => inTab(deployment, name))} live={live} onViewLogs={viewLogs}
                empty={<Empty tab={name} all={counts.all} onNew={onNew} onShowAll={() => setTab("all")} />}
              />
            ) : query.error ? null : <LoadingDeployments />}
          </TabsContent>
        ))}
      </Tabs>
      {logsOf ? (
        <Suspense fallback={null}>
          <LogDialog workload={logsOf} onClose={() => setLogsOf(null)} />
        </Suspense>
      ) : null}
    </section>
  );
}

function Cards({
  deployments, live, onViewLogs, empty,
}: {
  deployments: Deployment[];
  live: Record<string, LiveStatus>;
  onViewLogs: (workload: Workload) => void;
  empty: React.ReactNode;
}) {
  const [shown, setShown] = useState(SHOWN_AT_FIRST);
  if (deployments.length === 0) return empty;
  return (
    <div className="flex flex-col gap-3">
      <ul className="flex flex-col gap-3">
        {deployments.slice(0, shown).map((deployment) => (
          <li key={deployment.deployment_id}>
            <DeploymentCard deployment={deployment} live={live[deployment.deployment_id]} onViewLogs={onViewLogs} />
          </li>
        ))}
      </ul>
      {shown < deployments.length ? (
        <Button variant="outline" onClick={() => setShown(shown + SHOWN_AT_FIRST)}>
          Show more ({deployments.length - shown} left)
        </Button>
      ) : null}
    </div>
  );
}

function Empty({ tab, all, onNew, onShowAll }: { tab: Tab; all: number; onNew: () => void; onShowAll: () => void }) {
  const elsewhere = tab !== "all" && all > 0;
  return (
    <EmptyState icon={<PackageOpenIcon aria-hidden />} title={tab === "all" ? "No deployments yet" : `No ${tab} deployments`}>
      <p className="max-w-md text-sm text-muted-foreground">
        {tab === "closed"
          ? "What you close, and what failed, is kept here."
          : tab === "done" ? "Tokens that are launched are kept here."
          : "Run a container on the Akash network. A template gets you there in a minute."}
      </p>
      <div className="flex flex-wrap justify-center gap-2">
        {tab === "closed" || tab === "done" ? null : <Button onClick={onNew}>Create a deployment</Button>}
        {elsewhere ? <Button variant="outline" onClick={onShowAll}>Show all {all}</Button> : null}
      </div>
    </EmptyState>
  );
}

function LoadingDeployments() {
  return (
    <Loading of="deployments" className="flex flex-col gap-3">
      {[0, 1, 2].map((key) => (
        <Card key={key} className="flex flex-col gap-3 p-5">
          <Skeleton className="h-5 w-48" /><Skeleton className="h-8" /><Skeleton className="h-8 w-64" />
        </Card>
      ))}
    </Loading>
  );
}
