import { FilterIcon, HistoryIcon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { ApiError } from "@/api/errors";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Badge, type BadgeVariant } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { moment, shortAddress } from "@/lib/format";
import { NO_FILTER, useAudit, type AuditFilter } from "./queries";
import type { AuditEntry } from "./types";

const FIELDS: { name: keyof AuditFilter; label: string; type: string; hint?: string }[] = [
  { name: "user", label: "User", type: "text", hint: "A wallet's address." },
  { name: "model", label: "Subject", type: "text", hint: "A model, deployment, build or worker." },
  { name: "outcome", label: "Outcome", type: "text", hint: "accepted, completed, or a code." },
  { name: "from", label: "From", type: "datetime-local" },
  { name: "to", label: "To", type: "datetime-local" },
];
const OUTCOMES = ["accepted", "completed", "VALIDATION_ERROR", "AUTH_FAILED", "FORBIDDEN", "RATE_LIMIT_EXCEEDED", "SERVICE_PAUSED"];
// The API names its parameters; the form has the words of the page.
const PARAMETERS: Partial<Record<string, keyof AuditFilter>> = { user: "user", model: "model", outcome: "outcome", from: "from", to: "to" };

/** Every attempt, accepted or refused, newest first. */
export function AuditTrail() {
  const [texts, setTexts] = useState(NO_FILTER);
  const [filter, setFilter] = useState(NO_FILTER);
  const { data, error, isPending, isFetchingNextPage, hasNextPage, fetchNextPage, refetch } = useAudit(filter);
  const entries = data?.pages.flatMap((page) => page.events) ?? [];
  const problems = error instanceof ApiError ? error.fields : [];
  const problemOf = (name: keyof AuditFilter) => problems.find(({ field }) => PARAMETERS[field.split(".").at(-1) ?? ""] === name)?.message;

  function submit(event: FormEvent) {
    event.preventDefault();
    setFilter(texts);
    // The same filter again means: what is new?
    if (JSON.stringify(texts) === JSON.stringify(filter)) void refetch();
  }

  return (
    <div className="flex flex-col gap-4">
      <form onSubmit={submit} noValidate aria-label="Filters" className="grid gap-3 sm:grid-cols-3 lg:grid-cols-5">
        {FIELDS.map(({ name, label, type, hint }) => (
          <Field key={name} label={label} hint={hint} error={problemOf(name)}>
            {(control) => (
              <Input
                {...control} type={type} value={texts[name]} {...(name === "outcome" ? { list: "outcomes" } : {})}
                onChange={(event) => setTexts({ ...texts, [name]: event.target.value })}
              />
            )}
          </Field>
        ))}
        <datalist id="outcomes">{OUTCOMES.map((outcome) => <option key={outcome} value={outcome} />)}</datalist>
        <div className="col-span-full flex gap-2">
          <Button type="submit"><FilterIcon aria-hidden /> Apply</Button>
          <Button variant="outline" onClick={() => { setTexts(NO_FILTER); setFilter(NO_FILTER); }}>Clear</Button>
        </div>
      </form>
      {error ? <ErrorAlert error={error} title="The audit trail could not be loaded" onRetry={() => void refetch()} /> : null}
      {isPending ? <Loading of="audit trail"><Skeleton className="h-64" /></Loading> : null}
      {data && entries.length === 0 && !hasNextPage ? (
        <EmptyState icon={<HistoryIcon aria-hidden />} title="Nothing matches">
          <p className="text-sm text-muted-foreground">Without a user or a subject only the last day is looked at, unless you say from when.</p>
        </EmptyState>
      ) : null}
      {entries.length > 0 ? <Entries entries={entries} /> : null}
      {hasNextPage ? (
        <Button variant="outline" className="self-center" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {isFetchingNextPage ? "Loading…" : "Show older ones"}
        </Button>
      ) : null}
    </div>
  );
}

function Entries({ entries }: { entries: AuditEntry[] }) {
  return (
    <Table label="Audit trail">
      <TableHeader>
        <tr>
          <TableHead>When</TableHead><TableHead>Who</TableHead><TableHead>What</TableHead><TableHead>On</TableHead><TableHead>Outcome</TableHead><TableHead>From</TableHead>
        </tr>
      </TableHeader>
      <TableBody>
        {entries.map((entry, index) => (
          <TableRow key={`${entry.at}-${entry.request_id}-${index}`}>
            <TableCell className="whitespace-nowrap">{moment(entry.at)}</TableCell>
            <TableCell className="font-mono text-xs whitespace-nowrap" title={entry.user ?? undefined}>{entry.user ? shortAddress(entry.user) : "nobody"}</TableCell>
            <TableCell className="min-w-40 font-mono text-xs">{entry.action}</TableCell>
            <TableCell className="max-w-48 font-mono text-xs break-all">{entry.subject ? shortAddress(entry.subject) : ""}</TableCell>
            <TableCell className="min-w-48">
              <Badge variant={variantOf(entry.outcome)}>{entry.outcome}</Badge>
              {entry.message ? <p className="mt-1 text-xs text-muted-foreground">{entry.message}</p> : null}
            </TableCell>
            <TableCell className="font-mono text-xs" title={entry.request_id ? `Request id ${entry.request_id}` : undefined}>{entry.source_ip}</TableCell>
          </TableRow>
        ))}
      </TableBody>
    </Table>
  );
}

function variantOf(outcome: string): BadgeVariant {
  if (outcome === "completed") return "success";
  return outcome === "accepted" ? "info" : "destructive";
}
