import { LoaderCircleIcon } from "lucide-react";
import { lazy, Suspense } from "react";
import { ApiError } from "@/api/errors";
import { ErrorAlert } from "@/components/error-alert";
import { Badge } from "@/components/ui/badge";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Refusals } from "@/deployments/refusals";
import { useConfiguration } from "@/lib/configuration";
import { ether } from "@/lib/format";
import { NotHonouredList, PowersList, SettingsAndAssumed } from "./promises";
import type { Preview } from "./types";

const CodeView = lazy(() => import("./code-view"));

/** What a prompt would become, before anything is started. */
export function BuildPreview({
  preview, isCurrent, error, strict,
}: { preview: Preview | undefined; isCurrent: boolean; error: unknown; strict: boolean }) {
  const isAboutFields = error instanceof ApiError && error.fields.length > 0;
  return (
    <Card>
      <section aria-label="Preview" aria-busy={!isCurrent}>
        <CardHeader>
          <CardTitle className="flex flex-wrap items-center gap-2">
            Preview {preview?.kind ? <Badge variant="secondary">{preview.kind}</Badge> : null}
            {isCurrent ? null : <LoaderCircleIcon aria-label="Reading the prompt" className="size-4 animate-spin text-muted-foreground" />}
          </CardTitle>
        </CardHeader>
        <CardContent className="flex flex-col gap-4">
          {isAboutFields ? <p className="text-sm text-muted-foreground">Correct what is marked beside the fields, and the preview appears here.</p> : error ? <ErrorAlert error={error} title="There is no preview" /> : null}
          {preview ? <Shown preview={preview} strict={strict} /> : error ? null : (
            <p className="text-sm text-muted-foreground">Write what you want: what it would become appears here as you write, and nothing is built yet.</p>
          )}
        </CardContent>
      </section>
    </Card>
  );
}

function Shown({ preview, strict }: { preview: Preview; strict: boolean }) {
  const refusals = preview.refusals.filter(({ code }) => code !== "NOT_HONOURED");
  return (
    <>
      <p className="text-lg font-medium">{preview.title}</p>
      <NotHonouredList wishes={preview.not_honoured} dropped={!strict} />
      <Refusals refusals={refusals} />
      <PowersList powers={preview.powers} />
      <SettingsAndAssumed settings={preview.options} assumed={preview.assumed} />
      <Gas preview={preview} />
      {preview.source ? (
        <details>
          <summary className="cursor-pointer text-sm font-medium">Source, {preview.source.split("\n").length} lines</summary>
          <div className="mt-2"><Suspense fallback={<Loading of="code"><Skeleton className="h-64" /></Loading>}><CodeView code={preview.source} marked={NOTHING} /></Suspense></div>
        </details>
      ) : null}
    </>
  );
}

const NOTHING: number[] = [];

function Gas({ preview }: { preview: Preview }) {
  const { buildChains } = useConfiguration();
  if (preview.gas.length === 0) return null;
  return (
    <section aria-label="Gas">
      <h3 className="mb-1 text-sm font-semibold">What its creation takes</h3>
      <ul className="text-sm">
        {preview.gas.map(({ chain_id, gas, cost, currency }) => (
          <li key={chain_id}>
            {buildChains.find(({ id }) => id === chain_id)?.name ?? `Chain ${chain_id}`}: about {gas.toLocaleString("en-US")} gas
            {cost === null ? `; what that costs in ${currency} is not known now` : `, ${ether(cost, currency)}`}
          </li>
        ))}
      </ul>
    </section>
  );
}
