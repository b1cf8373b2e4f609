import { BookOpenIcon, ChartColumnIcon, CoinsIcon, PlusIcon, RotateCwIcon } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { apiUrl } from "@/api/client";
import { RequireSession } from "@/auth/require-session";
import { useSession } from "@/auth/session";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { DeploymentList } from "@/deployments/deployment-list";
import { useFollow } from "@/deployments/follow";
import { overviewOf } from "@/deployments/overview";
import { useDeployments, useLiveStatuses } from "@/deployments/queries";
import { Stats } from "@/deployments/stats";
import { EscrowCard } from "@/escrow/escrow-card";
import { useWallet } from "@/wallet/use-wallet";

const NewDeploymentDialog = lazy(() => import("@/deployments/new-deployment-dialog"));
const SpendingChart = lazy(() => import("@/deployments/spending-chart"));
const LaunchTokenDialog = lazy(() => import("@/deployments/launch-token-dialog"));

type Open = "deployment" | "token" | null;

export default function DashboardPage() {
  const [open, setOpen] = useState<Open>(null);
  const isSignedIn = useWallet().session !== null;
  const close = () => setOpen(null);
  return (
    <Page
      title="Dashboard"
      description="What you launched, what it costs, and how long it lasts."
      actions={
        isSignedIn ? (
          <>
            <Button variant="outline" onClick={() => setOpen("token")}><CoinsIcon aria-hidden /> Launch token</Button>
            <Button onClick={() => setOpen("deployment")}><PlusIcon aria-hidden /> New deployment</Button>
          </>
        ) : null
      }
    >
      <RequireSession>
        <Content onOpen={setOpen} />
        <Suspense fallback={null}>
          {open === "deployment" ? <NewDeploymentDialog onClose={close} /> : null}
          {open === "token" ? <LaunchTokenDialog onClose={close} /> : null}
        </Suspense>
      </RequireSession>
    </Page>
  );
}

function Content({ onOpen }: { onOpen: (open: Open) => void }) {
  const query = useDeployments();
  const deployments = query.data?.deployments;
  const live = useLiveStatuses(deployments).data ?? NOTHING;
  useFollow(deployments);
  const overview = useMemo(
    () => (deployments ? overviewOf(deployments, live, query.dataUpdatedAt) : null),
    [deployments, live, query.dataUpdatedAt],
  );
  const wallet = useSession()?.wallet;
  const [isCharted, setCharted] = useState(false);
  const hasSpent = overview !== null && overview.spent > 0;
  return (
    <>
      <Stats overview={overview} isLoading={query.isPending} />
      {hasSpent ? (
        <div className="flex flex-col gap-3">
          <Button variant="ghost" size="sm" className="self-start" aria-expanded={isCharted} onClick={() => setCharted(!isCharted)}><ChartColumnIcon aria-hidden /> Spending by day</Button>
          {isCharted && deployments ? (
            <Card><CardContent className="pt-4"><Suspense fallback={<Loading of="chart"><Skeleton className="h-52" /></Loading>}><SpendingChart deployments={deployments} now={query.dataUpdatedAt} /></Suspense></CardContent></Card>
          ) : null}
        </div>
      ) : null}
      <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_19rem]">
        <DeploymentList key={wallet} query={query} live={live} onNew={() => onOpen("deployment")} />
        <aside aria-label="Escrow and quick actions" className="flex min-w-0 flex-col gap-4">
          <EscrowCard deployments={deployments} />
          <Card>
            <CardHeader><CardTitle>Quick actions</CardTitle></CardHeader>
            <CardContent className="flex flex-col gap-2">
              <Button variant="outline" className="justify-start" onClick={() => onOpen("deployment")}><PlusIcon aria-hidden /> Deploy a workload</Button>
              <Button variant="outline" className="justify-start" onClick={() => onOpen("token")}><CoinsIcon aria-hidden /> Launch a token</Button>
              <Button variant="outline" className="justify-start" onClick={() => void query.refetch()}><RotateCwIcon aria-hidden /> Reload the list</Button>
              <Button variant="outline" className="justify-start" asChild>
                <a href={apiUrl("/docs")} target="_blank" rel="noreferrer"><BookOpenIcon aria-hidden /> API documents</a>
              </Button>
            </CardContent>
          </Card>
        </aside>
      </div>
    </>
  );
}

const NOTHING = {};
