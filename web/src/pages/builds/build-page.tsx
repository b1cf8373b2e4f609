import { ArrowLeftIcon, CircleSlashIcon, DownloadIcon, FileJsonIcon, FileCodeIcon } from "lucide-react";
import { lazy, Suspense, useCallback, useState } from "react";
import { Link, useParams } from "react-router";
import { toast } from "sonner";
import { messageOf } from "@/api/errors";
import { RequireSession } from "@/auth/require-session";
import { AuditView } from "@/builds/audit-view";
import { BuildFacts } from "@/builds/build-facts";
import { BuildProgress } from "@/builds/build-progress";
import { ChainDeployments } from "@/builds/chain-deployments";
import { fetchMetadata, useBuild, useCancelBuild } from "@/builds/queries";
import { isOver, nameOf, type AuditReport, type Build } from "@/builds/types";
import { useBuildStream } from "@/builds/use-build-stream";
import { ConfirmButton } from "@/components/confirm-button";
import { CopyButton } from "@/components/copy-button";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState, Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { saveText } from "@/lib/download";
import { shortId } from "@/lib/format";

const CodeView = lazy(() => import("@/builds/code-view"));

export default function BuildPage() {
  const { id = "" } = useParams();
  return (
    <Page
      title={`Build ${shortId(id)}`}
      actions={<Button variant="outline" asChild><Link to="/builds"><ArrowLeftIcon aria-hidden /> All builds</Link></Button>}
    >
      <RequireSession><Loaded key={id} id={id} /></RequireSession>
    </Page>
  );
}

function Loaded({ id }: { id: string }) {
  const [isTold, setTold] = useState(false);
  const { data, error, refetch } = useBuild(id, isTold);
  const again = useCallback(() => void refetch(), [refetch]);
  if (error && !data) return <ErrorAlert error={error} title="The build could not be loaded" onRetry={again} />;
  if (!data) return <Loading of="build" className="flex flex-col gap-3"><Skeleton className="h-40" /><Skeleton className="h-64" /></Loading>;
  return (
    <>
      {error ? <ErrorAlert error={error} title="What you see may be out of date" onRetry={again} /> : null}
      <Content build={data} onChange={again} onTold={setTold} />
    </>
  );
}

function Content({ build, onChange, onTold }: { build: Build; onChange: () => void; onTold: (isTold: boolean) => void }) {
  const progress = useBuildStream(build, onChange, onTold);
  const [tab, setTab] = useState("code");
  const [marked, setMarked] = useState<number[]>([]);
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="min-w-0 text-lg font-medium">{nameOf(build)}</p>
        {isOver(build.status) ? null : <CancelButton build={build} />}
      </div>
      <div className="grid gap-4 lg:grid-cols-2 lg:items-start">
        <BuildProgress build={build} progress={progress} />
        <ChainDeployments build={build} />
      </div>
      <Tabs value={tab} onValueChange={setTab} className="flex min-w-0 flex-col gap-3">
        <TabsList aria-label="Parts of the build">
          <TabsTrigger value="code">Code</TabsTrigger>
          <TabsTrigger value="audit">Audit</TabsTrigger>
          <TabsTrigger value="request">Request</TabsTrigger>
        </TabsList>
        <TabsContent value="code"><CodeTab build={build} marked={marked} /></TabsContent>
        <TabsContent value="audit">
          <AuditView
            report={(build.audit_report as AuditReport | null | undefined) ?? null}
            onShow={(lines) => { setMarked(lines); setTab("code"); }}
          />
        </TabsContent>
        <TabsContent value="request"><BuildFacts build={build} /></TabsContent>
      </Tabs>
    </>
  );
}

function CancelButton({ build }: { build: Build }) {
  const cancel = useCancelBuild();
  return (
    <ConfirmButton
      disabled={cancel.isPending}
      onConfirm={() =>
        cancel.mutate(build.build_id, {
          onSuccess: () => toast.success("The build is cancelled"),
          onError: (error) => toast.error("It was not cancelled", { description: messageOf(error) }),
        })
      }
      confirmation={{
        title: "Cancel this build?",
        description: "Nothing more of it is sent to a chain. What is deployed already stays there.",
        action: "Cancel build", keep: "Let it go on",
      }}
    >
      <CircleSlashIcon aria-hidden /> {cancel.isPending ? "Cancelling…" : "Cancel build"}
    </ConfirmButton>
  );
}

function CodeTab({ build, marked }: { build: Build; marked: number[] }) {
  const { code } = build;
  if (!code) {
    return (
      <EmptyState icon={<FileCodeIcon aria-hidden />} title={isOver(build.status) ? "No code was written" : "The code is being written"}>
        <p className="text-sm text-muted-foreground">{isOver(build.status) ? "The progress above says why." : "It appears here as soon as it is there."}</p>
      </EmptyState>
    );
  }
  const name = build.contract_name ?? build.build_id;

  async function saveMetadata() {
    try {
      saveText(`${name}.json`, await fetchMetadata(build.build_id), "application/json");
    } catch (error) {
      toast.error("It could not be downloaded", { description: messageOf(error) });
    }
  }

  return (
    <div className="flex min-w-0 flex-col gap-3">
      <div className="flex flex-wrap gap-2">
        <Button size="sm" variant="outline" onClick={() => saveText(`${name}.sol`, code)}><DownloadIcon aria-hidden /> Download {name}.sol</Button>
        <CopyButton text={code} label="Copy the code">Copy the code</CopyButton>
        <Button size="sm" variant="outline" title="With it, block explorers verify the contract" onClick={() => void saveMetadata()}>
          <FileJsonIcon aria-hidden /> Compiler input
        </Button>
      </div>
      <Suspense fallback={<Loading of="code"><Skeleton className="h-96" /></Loading>}><CodeView code={code} marked={marked} /></Suspense>
    </div>
  );
}
