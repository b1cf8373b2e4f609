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
import { fetchMetadata, fetchReport, useBuild, useCancelBuild } from "@/builds/queries";
import { isOver, nameOf, type AuditReport, type Build } from "@/builds/types";
import { useBuildStream } from "@/builds/use-build-stream";
import { ConfirmButton } from "@/components/confirm-button";
import { CopyButton } from "@/components/copy-button";
import { Copied } from "@/components/copied";
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
  return <BuildOf key={id} id={id} />;
}

function BuildOf({ id }: { id: string }) {
  const [isTold, setTold] = useState(false);
  const { data, error, refetch } = useBuild(id, isTold);
  const again = useCallback(() => void refetch(), [refetch]);
  return (
    <Page
      title={data ? nameOf(data) : `Build ${shortId(id)}`} description={<Copied text={id} what="id of this build" />}
      actions={
        <>
          {data && !isOver(data.status) ? <CancelButton build={data} /> : null}
          <Button variant="outline" asChild><Link to="/builds"><ArrowLeftIcon aria-hidden /> All builds</Link></Button>
        </>
      }
    >
      <RequireSession>
        {error ? <ErrorAlert error={error} title={data ? "What you see may be out of date" : "The build could not be loaded"} onRetry={again} /> : null}
        {data ? <Content build={data} onChange={again} onTold={setTold} /> : error ? null : (
          <Loading of="build" className="flex flex-col gap-3"><Skeleton className="h-40" /><Skeleton className="h-64" /></Loading>
        )}
      </RequireSession>
    </Page>
  );
}

function Content({ build, onChange, onTold }: { build: Build; onChange: () => void; onTold: (isTold: boolean) => void }) {
  const progress = useBuildStream(build, onChange, onTold);
  const [tab, setTab] = useState("code");
  const [marked, setMarked] = useState<number[]>([]);
  return (
    <>
      <div className="grid grid-cols-1 gap-4 lg:grid-cols-2 lg:items-start">
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
        <TabsContent value="audit" className="flex flex-col gap-4">
          {build.audit_report ? <Reports build={build} /> : null}
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
      size="default" disabled={cancel.isPending}
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

  return (
    <div className="flex min-w-0 flex-col gap-3">
      <div className="flex flex-wrap gap-2">
        <Button size="sm" variant="outline" onClick={() => saveText(`${name}.sol`, code)}><DownloadIcon aria-hidden /> Download {name}.sol</Button>
        <CopyButton text={code} label="Copy the code">Copy the code</CopyButton>
        <Button size="sm" variant="outline" title="With it, block explorers verify the contract" onClick={() => void save(`${name}.json`, () => fetchMetadata(build.build_id))}>
          <FileJsonIcon aria-hidden /> Compiler input
        </Button>
        {build.abi ? <CopyButton text={JSON.stringify(build.abi, null, 2)} label="Copy the ABI">Copy the ABI</CopyButton> : null}
        {build.bytecode_hash ? <CopyButton text={build.bytecode_hash} label="Copy the hash of the audited creation code">Copy the code&#39;s hash</CopyButton> : null}
      </div>
      <Suspense fallback={<Loading of="code"><Skeleton className="h-96" /></Loading>}><CodeView code={code} marked={marked} /></Suspense>
    </div>
  );
}

function Reports({ build }: { build: Build }) {
  const name = build.contract_name ?? build.build_id;
  return (
    <div className="flex flex-wrap gap-2">
      <Button size="sm" variant="outline" title="Code scanning of GitHub and editors read it" onClick={() => void save(`${name}.sarif`, () => fetchReport(build.build_id, "sarif"))}><DownloadIcon aria-hidden /> SARIF</Button>
      <Button size="sm" variant="outline" onClick={() => void save(`${name}-audit.md`, () => fetchReport(build.build_id, "markdown"), "text/markdown")}><DownloadIcon aria-hidden /> Markdown</Button>
    </div>
  );
}

async function save(name: string, fetchText: () => Promise<string>, type = "application/json") {
  try {
    saveText(name, await fetchText(), type);
  } catch (error) {
    toast.error("It could not be downloaded", { description: messageOf(error) });
  }
}
