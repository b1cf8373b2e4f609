import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownIcon, CopyIcon, DownloadIcon, PauseIcon, PlayIcon } from "lucide-react";
import { useDeferredValue, useLayoutEffect, useMemo, useRef, useState } from "react";
import { toast } from "sonner";
import { ErrorAlert } from "@/components/error-alert";
import { Badge, type BadgeVariant } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent, DialogDescription, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Input, Select } from "@/components/ui/input";
import { titleOf } from "@/deployments/deployment-card";
import type { Workload } from "@/deployments/types";
import { shortId } from "@/lib/format";
import { filterLines, type LogLine, MAX_LINES, textOf } from "./log-buffer";
import type { StreamState } from "./log-stream";
import { useLogs } from "./use-logs";

const TAIL = 1_000;
const ROW = 20;

const STATES: Record<StreamState["name"], { text: string; variant: BadgeVariant }> = {
  connecting: { text: "connecting", variant: "warning" },
  live: { text: "live", variant: "success" },
  reconnecting: { text: "reconnecting", variant: "warning" },
  ended: { text: "ended", variant: "secondary" },
  refused: { text: "not available", variant: "destructive" },
};

function counted(lines: number): string {
  return lines === 1 ? "1 line" : `${lines.toLocaleString("en-US")} lines`;
}

/** A workload's log, live. */
export default function LogDialog({ workload, onClose }: { workload: Workload; onClose: () => void }) {
  const id = workload.deployment_id;
  const { lines, state, restart } = useLogs(id, TAIL);
  const [service, setService] = useState("");
  const [search, setSearch] = useState("");
  const [paused, setPaused] = useState<LogLine[] | null>(null);
  const wanted = useDeferredValue(search);
  const from = paused ?? lines;
  const shown = useMemo(() => filterLines(from, service, wanted), [from, service, wanted]);
  const services = useMemo(
    () => [...new Set([...Object.keys(workload.services ?? {}), ...lines.map((line) => line.service)])].filter(Boolean).sort(),
    [workload.services, lines],
  );
  const missed = paused ? (lines.at(-1)?.number ?? -1) - (paused.at(-1)?.number ?? -1) : 0;

  function download() {
    const url = URL.createObjectURL(new Blob([textOf(shown)], { type: "text/plain" }));
    const link = Object.assign(document.createElement("a"), { href: url, download: `${titleOf(workload)}-${shortId(id)}.log` });
    link.click();
    URL.revokeObjectURL(url);
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(textOf(shown));
      toast.success(`${counted(shown.length)} copied`);
    } catch {
      toast.error("The browser does not let this page copy: download the lines instead");
    }
  }

  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent className="flex h-[calc(100dvh-1.5rem)] max-w-5xl flex-col sm:h-[80dvh]">
        <DialogHeader>
          <DialogTitle className="flex flex-wrap items-center gap-2">
            Logs of {titleOf(workload)} <Badge role="status" variant={STATES[state.name].variant}>{STATES[state.name].text}</Badge>
          </DialogTitle>
          <DialogDescription>The newest {MAX_LINES.toLocaleString("en-US")} lines of deployment {shortId(id)}.</DialogDescription>
        </DialogHeader>
        <div className="flex flex-wrap gap-2">
          <Select aria-label="Service" className="w-36" value={service} onChange={(event) => setService(event.target.value)}>
            <option value="">All services</option>
            {services.map((name) => <option key={name}>{name}</option>)}
          </Select>
          <Input aria-label="Search" type="search" placeholder="Search" className="min-w-32 flex-1" value={search} onChange={(event) => setSearch(event.target.value)} />
          <Button variant="outline" aria-pressed={paused !== null} onClick={() => setPaused(paused ? null : lines)}>
            {paused ? <PlayIcon aria-hidden /> : <PauseIcon aria-hidden />} {paused ? `Resume${missed ? ` (${missed} new)` : ""}` : "Pause"}
          </Button>
          <Button variant="outline" size="icon" aria-label="Copy" title="Copy" onClick={() => void copy()}><CopyIcon aria-hidden /></Button>
          <Button variant="outline" size="icon" aria-label="Download" title="Download" onClick={download}><DownloadIcon aria-hidden /></Button>
        </div>
        {state.name === "refused" ? <ErrorAlert error={state.error} title="There is no log to show" onRetry={restart} /> : null}
        {state.name === "reconnecting" ? <ErrorAlert error={state.error} title="The stream broke off; it is being taken up again by itself" /> : null}
        <Lines lines={shown} isFollowing={paused === null} />
        <p className="text-xs text-muted-foreground" aria-live="off">
          {shown.length === from.length ? counted(shown.length) : `${shown.length.toLocaleString("en-US")} of ${counted(from.length)}`}
          {state.name === "ended" ? " · the workload is closed" : ""}
        </p>
      </DialogContent>
    </Dialog>
  );
}

/** Draws only the rows that are in sight. It stays at the end while its reader does not scroll away from it. */
function Lines({ lines, isFollowing }: { lines: LogLine[]; isFollowing: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const rows = useVirtualizer({
    count: lines.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 20,
  });
  const lastTop = useRef(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (element && atEnd && isFollowing) element.scrollTop = element.scrollHeight;
  }, [lines, atEnd, isFollowing]);

  // Only who scrolls up leaves the end: lines that came since the box was scrolled to the end leave it behind as well.
  function noticeScroll() {
    const element = box.current;
    if (!element) return;
    const isUp = element.scrollTop < lastTop.current;
    lastTop.current = element.scrollTop;
    if (element.scrollHeight - element.scrollTop - element.clientHeight < 2 * ROW) setAtEnd(true);
    else if (isUp) setAtEnd(false);
  }

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={box} role="log" aria-label="Log lines" aria-live="off" tabIndex={0} onScroll={noticeScroll}
        className="h-full overflow-auto rounded-md border bg-zinc-950 py-1 font-mono text-xs text-zinc-100 outline-none focus-visible:ring-[3px] focus-visible:ring-ring/60"
      >
        {lines.length === 0 ? <p className="p-3 text-zinc-400">No lines yet.</p> : null}
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map((row) => {
            const line = lines[row.index] as LogLine;
            return (
              <div
                key={line.number} className="absolute left-0 flex min-w-full gap-3 px-3 whitespace-pre"
                style={{ height: ROW, lineHeight: `${ROW}px`, transform: `translateY(${row.start}px)` }}
              >
                <span className={line.isRemark ? "text-amber-300" : "text-teal-300"}>{line.isRemark ? "●" : line.service}</span>
                <span className={line.isRemark ? "text-amber-200" : ""}>{line.text}</span>
              </div>
            );
          })}
        </div>
      </div>
      {!atEnd && isFollowing ? (
        <Button size="sm" className="absolute right-4 bottom-3 shadow-lg" onClick={() => setAtEnd(true)}><ArrowDownIcon aria-hidden /> Newest</Button>
      ) : null}
    </div>
  );
}
