import { CircleAlertIcon, CircleDotIcon, RadioIcon, RefreshCwIcon } from "lucide-react";
import { Alert } from "@/components/ui/alert";
import { Badge } from "@/components/ui/badge";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { Progress as Bar } from "@/components/ui/progress";
import { BuildStatusBadge } from "./build-status-badge";
import { NotHonouredList, PowersList } from "./promises";
import { isOver, type Build } from "./types";
import type { Progress } from "./use-build-stream";

/** Where a build stands, and what happened so far. */
export function BuildProgress({ build, progress }: { build: Build; progress: Progress }) {
  const { updates, state } = progress;
  const last = updates.at(-1);
  // Whichever knows more: the stream, or the last answer of the API.
  const newest = last && last.sequence >= build.sequence ? last : build;
  return (
    <Card>
      <CardHeader>
        <CardTitle className="flex flex-wrap items-center gap-2">
          Progress <BuildStatusBadge status={newest.status} />
          {isOver(newest.status) ? null : <Connection state={state} />}
        </CardTitle>
      </CardHeader>
      <CardContent className="flex flex-col gap-3">
        <div className="flex items-center gap-3">
          <Bar value={newest.progress} label="Progress of the build" />
          <span className="w-10 shrink-0 text-right whitespace-nowrap text-sm tabular-nums">{newest.progress}%</span>
        </div>
        <p role="status" className="text-sm">{last?.message ?? newest.step.replaceAll("_", " ")}</p>
        {build.error ? (
          <Alert variant="destructive">
            <CircleAlertIcon aria-hidden />
            <div className="min-w-0">
              <p className="font-medium">{build.error}</p>
              {build.error_code ? <p className="text-xs text-muted-foreground">{build.error_code}</p> : null}
            </div>
          </Alert>
        ) : null}
        <NotHonouredList wishes={build.not_honoured} dropped={!build.strict} />
        <PowersList powers={build.powers} />
        {updates.length > 0 ? (
          <details open={!isOver(newest.status)}>
            <summary className="cursor-pointer text-sm text-muted-foreground">{updates.length} {updates.length === 1 ? "event" : "events"}</summary>
            <ol aria-label="Events" className="relative mt-3 ml-2 flex flex-col gap-3 border-l pl-5">
              {updates.map((update) => {
                const Icon = update.step === "error" ? CircleAlertIcon : CircleDotIcon;
                return (
                  <li key={update.sequence} className="relative text-sm">
                    <Icon aria-hidden className={`absolute top-0.5 -left-[29px] size-4 bg-card ${update.step === "error" ? "text-destructive" : "text-primary"}`} />
                    <p>{update.message ?? update.step.replaceAll("_", " ")}</p>
                    <p className="text-xs text-muted-foreground">
                      {update.step.replaceAll("_", " ")} · {update.progress}%
                    </p>
                  </li>
                );
              })}
            </ol>
          </details>
        ) : null}
      </CardContent>
    </Card>
  );
}

function Connection({ state }: { state: Progress["state"] }) {
  if (state === "live") return <Badge variant="outline" title="Told at once, as it happens"><RadioIcon aria-hidden className="text-success" /> live</Badge>;
  return <Badge variant="outline" title="Asked for every few seconds"><RefreshCwIcon aria-hidden /> {state === "reconnecting" ? "reconnecting" : "polling"}</Badge>;
}
