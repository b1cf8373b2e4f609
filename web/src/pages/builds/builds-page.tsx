import { ChevronLeftIcon, ChevronRightIcon, HammerIcon, PlusIcon } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { RequireSession } from "@/auth/require-session";
import { BuildStatusBadge, PromiseBadges } from "@/builds/build-status-badge";
import { PAGE_SIZE, useBuilds } from "@/builds/queries";
import { isOver, nameOf, type Build, type BuildStatus } from "@/builds/types";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState, Page } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/input";
import { Progress } from "@/components/ui/progress";
import { Loading, Skeleton } from "@/components/ui/skeleton";

const STATUSES: BuildStatus[] = ["pending", "generating", "auditing", "deploying", "complete", "failed", "cancelled"];

export default function BuildsPage() {
  return (
    <Page
      title="Builds" description="Contracts that were written from a prompt, audited, and deployed."
      actions={<Button asChild><Link to="/builds/new"><PlusIcon aria-hidden /> New build</Link></Button>}
    >
      <RequireSession><BuildList /></RequireSession>
    </Page>
  );
}

function BuildList() {
  // In the address, so that going back from a build comes to the same page.
  const [search, setSearch] = useSearchParams();
  const status = STATUSES.find((known) => known === search.get("status")) ?? null;
  const page = Math.max(1, Math.floor(Number(search.get("page")) || 1));
  const { data, error, isPending, isPlaceholderData, refetch } = useBuilds(status, page);
  const go = (to: { status?: string; page?: number }) =>
    setSearch({
      ...((to.status ?? status) ? { status: to.status ?? status ?? "" } : {}),
      ...(to.page && to.page > 1 ? { page: String(to.page) } : {}),
    });
  const pages = data ? Math.max(1, Math.ceil(data.total / PAGE_SIZE)) : 1;
  return (
    <>
      <Select aria-label="Status of builds" className="w-44" value={status ?? ""} onChange={(event) => go({ status: event.target.value })}>
        <option value="">Any status</option>
        {STATUSES.map((known) => <option key={known} value={known}>{known}</option>)}
      </Select>
      {error ? <ErrorAlert error={error} title="Your builds could not be loaded" onRetry={() => void refetch()} /> : null}
      {isPending ? <Loading of="builds" className="flex flex-col gap-2"><Skeleton className="h-24" /><Skeleton className="h-24" /><Skeleton className="h-24" /></Loading> : null}
      {data && data.builds.length === 0 ? <NoBuilds isFiltered={status !== null || page > 1} /> : null}
      <ul aria-label="Builds" className="flex flex-col gap-2" aria-busy={isPlaceholderData}>
        {data?.builds.map((build) => <BuildRow key={build.build_id} build={build} />)}
      </ul>
      {data && (pages > 1 || page > 1) ? (
        <nav aria-label="Pages of builds" className="flex items-center justify-center gap-3 text-sm">
          <Button variant="outline" size="sm" disabled={page <= 1} onClick={() => go({ page: page - 1 })}><ChevronLeftIcon aria-hidden /> Newer</Button>
          Page {page} of {pages}
          <Button variant="outline" size="sm" disabled={page >= pages} onClick={() => go({ page: page + 1 })}>Older <ChevronRightIcon aria-hidden /></Button>
        </nav>
      ) : null}
    </>
  );
}

function NoBuilds({ isFiltered }: { isFiltered: boolean }) {
  return (
    <EmptyState icon={<HammerIcon aria-hidden />} title={isFiltered ? "No build is here" : "You have no builds yet"}>
      <p className="text-sm text-muted-foreground">
        {isFiltered ? "Choose another status to see the others." : "Say in a sentence what contract you want; the rest is done for you."}
      </p>
      {isFiltered ? null : <Button asChild><Link to="/builds/new">Start a build</Link></Button>}
    </EmptyState>
  );
}

function BuildRow({ build }: { build: Build }) {
  return (
    <li className="flex flex-col gap-2 rounded-xl border bg-card p-4">
      <div className="flex flex-wrap items-center gap-2">
        <Link to={`/builds/${build.build_id}`} className="font-medium underline-offset-4 hover:underline">
          <span className="line-clamp-1">{nameOf(build)}</span>
        </Link>
        <BuildStatusBadge status={build.status} />
        <PromiseBadges build={build} />
        {build.chains.map(({ chain_id, chain_name }) => <Badge key={chain_id} variant="secondary">{chain_name}</Badge>)}
        <Timestamp iso={build.created_at} className="text-xs text-muted-foreground sm:ml-auto" />
      </div>
      <p className="line-clamp-2 text-sm text-muted-foreground">{build.prompt}</p>
      {isOver(build.status) ? null : <Progress value={build.progress} label={`Progress of ${nameOf(build)}`} />}
      {build.error ? <p className="text-sm text-destructive">{build.error}</p> : null}
    </li>
  );
}
