import { ShieldAlertIcon, ShieldCheckIcon, ShieldQuestionIcon } from "lucide-react";
import { Diff } from "@/components/diff";
import { EmptyState } from "@/components/page";
import { Badge, type BadgeVariant } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/alert";
import type { AuditReport, Finding, Impact, Round } from "./types";

const IMPACTS: [Impact, BadgeVariant][] = [
  ["High", "destructive"], ["Medium", "warning"], ["Low", "info"], ["Informational", "secondary"], ["Optimization", "secondary"],
];

/** What the audit found, by impact, and what was mended. `onShow` shows lines of the code. */
export function AuditView({ report, onShow }: { report: AuditReport | null; onShow: (lines: number[]) => void }) {
  if (!report) {
    return <EmptyState icon={<ShieldQuestionIcon aria-hidden />} title="There is no audit yet" />;
  }
  const counts = IMPACTS.map(([impact, variant]) => ({
    impact, variant, findings: report.findings.filter((finding) => finding.impact === impact),
  }));
  return (
    <div className="flex flex-col gap-4">
      <Verdict report={report} />
      <ul aria-label="Findings by impact" className="flex flex-wrap gap-2">
        {counts.map(({ impact, variant, findings }) => (
          <li key={impact}><Badge variant={findings.length > 0 ? variant : "outline"}>{impact}: {findings.length}</Badge></li>
        ))}
      </ul>
      {counts.filter(({ findings }) => findings.length > 0).map(({ impact, findings }) => (
        <section key={impact} aria-label={`${impact} findings`} className="flex flex-col gap-2">
          <h3 className="text-sm font-semibold">{impact}</h3>
          {findings.map((finding, index) => <FindingCard key={`${finding.detector}-${index}`} finding={finding} onShow={onShow} />)}
        </section>
      ))}
      {report.rounds.length > 0 ? (
        <section aria-label="Rounds of fixing" className="flex flex-col gap-2">
          <h3 className="text-sm font-semibold">What was mended</h3>
          {report.rounds.map((round) => <RoundPart key={round.number} round={round} />)}
        </section>
      ) : null}
      <p className="text-xs text-muted-foreground">
        {report.detectors.length === 1 ? "1 detector" : `${report.detectors.length} detectors`}
        {report.slither_version ? ` of Slither ${report.slither_version}` : ""}
        {report.compiler_version ? `, compiler ${report.compiler_version}` : ""}, {report.duration.toFixed(1)} s.
        {report.dependency_findings ? ` ${report.dependency_findings} findings lie in library contracts alone.` : ""}
      </p>
    </div>
  );
}

function Verdict({ report }: { report: AuditReport }) {
  if (report.passed) {
    return <Notice variant="info"><ShieldCheckIcon aria-hidden className="!text-success" /><p>Passed: nothing of high or medium impact was found.</p></Notice>;
  }
  const reason = report.error?.message ?? "something of high or medium impact is left, so nothing is deployed.";
  return <Notice variant="destructive"><ShieldAlertIcon aria-hidden /><p>Not passed: {reason}</p></Notice>;
}

function FindingCard({ finding, onShow }: { finding: Finding; onShow: (lines: number[]) => void }) {
  const lines = finding.lines ?? [];
  const place = [finding.contract, finding.function].filter(Boolean).join(".");
  return (
    <article className="flex flex-col gap-1 rounded-lg border bg-card p-3 text-sm">
      <p className="flex flex-wrap items-center gap-2">
        <code className="font-medium">{finding.detector}</code>
        {place ? <code className="text-xs text-muted-foreground">{place}</code> : null}
        <span className="text-xs text-muted-foreground">confidence {finding.confidence.toLowerCase()}</span>
      </p>
      <p className="whitespace-pre-line">{finding.description.trim()}</p>
      {lines.length > 0 ? (
        <Button variant="link" size="sm" className="h-auto w-fit p-0" onClick={() => onShow(lines)}>
          Show {lines.length === 1 ? `line ${lines[0]}` : `lines ${lines[0]} to ${lines.at(-1)}`}
        </Button>
      ) : null}
    </article>
  );
}

function RoundPart({ round }: { round: Round }) {
  return (
    <details className="rounded-lg border bg-card p-3 text-sm">
      <summary className="cursor-pointer">
        Round {round.number} by {round.by === "model" ? "the language model" : "the fixers"}: {round.findings.length}{" "}
        {round.findings.length === 1 ? "finding" : "findings"}, {round.kept ? "kept" : "given up"}
      </summary>
      {round.error ? <p className="mt-2 text-destructive">{round.error}</p> : null}
      {round.diff ? <div className="mt-2"><Diff text={round.diff} /></div> : null}
    </details>
  );
}
