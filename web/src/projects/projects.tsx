import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { FolderIcon, PlusIcon } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { components } from "@/api/schema";
import { useSession } from "@/auth/session";
import { Copied } from "@/components/copied";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Checkbox, Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { useIdempotencyKey } from "@/lib/idempotency";
import { shortAddress } from "@/lib/format";

type Schemas = components["schemas"];
type What = "projects" | "payments";

const VARIANTS = { pending: "warning", processing: "info", success: "success", failed: "destructive" } as const;

/** Projects that were recorded, and a form for another one. */
export function Projects() {
  return (
    <Records
      what="projects" fields={[["name", "Name"], ["github", "GitHub repository"]]} head={["Name", "Status", "Repository", "Address", "Whose", "Made"]}
      row={(project: Schemas["Project"]) => [
        project.name, <Badge key="status" variant={VARIANTS[project.status]}>{project.status}</Badge>, project.github,
        project.url ? <a key="url" className="text-primary underline" href={project.url} rel="noreferrer" target="_blank">{project.url}</a> : "–",
        <Copied key="creator" text={project.creator} short={shortAddress(project.creator)} what="creator's address" />, <Timestamp key="at" iso={project.createdAt} />,
      ]}
    />
  );
}

/** Payments that were recorded, and a form for another one. */
export function Payments() {
  return (
    <Records
      what="payments" fields={[["name", "For"], ["amount", "Amount in the smallest unit"]]} head={["For", "Amount", "Whose", "Made"]}
      row={(payment: Schemas["Payment"]) => [
        payment.name, <span key="amount" className="tabular-nums">{payment.amount}</span>,
        <Copied key="creator" text={payment.creator} short={shortAddress(payment.creator)} what="creator's address" />, <Timestamp key="at" iso={payment.createdAt} />,
      ]}
    />
  );
}

function Records<Entry extends { id: string }>({
  what, fields, head, row,
}: { what: What; fields: [string, string][]; head: string[]; row: (entry: Entry) => ReactNode[] }) {
  const wallet = useSession()?.wallet;
  const [isMine, setMine] = useState(true);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useRecords(what, isMine ? wallet : undefined);
  const entries = data?.pages.flatMap((page) => page.entries as unknown[] as Entry[]);
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <NewRecord what={what} fields={fields} />
      <label className="flex items-center gap-2 text-sm"><Checkbox checked={isMine} onChange={(event) => setMine(event.target.checked)} /> Only mine</label>
      {error ? <ErrorAlert error={error} title={`The ${what} could not be loaded`} onRetry={() => void refetch()} /> : null}
      {entries || error ? null : <Loading of={what}><Skeleton className="h-40" /></Loading>}
      {entries?.length === 0 && !hasNextPage ? <EmptyState icon={<FolderIcon aria-hidden />} title={`There are no ${what}`} /> : null}
      {entries && entries.length > 0 ? (
        <Table label={what === "projects" ? "Projects" : "Payments"}>
          <TableHeader><tr>{head.map((name) => <TableHead key={name}>{name}</TableHead>)}</tr></TableHeader>
          <TableBody>{entries.map((entry) => <TableRow key={entry.id}>{row(entry).map((cell, index) => <TableCell key={index}>{cell}</TableCell>)}</TableRow>)}</TableBody>
        </Table>
      ) : null}
      {hasNextPage ? <Button variant="outline" className="self-center" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>Show more</Button> : null}
    </div>
  );
}

function NewRecord({ what, fields }: { what: What; fields: [string, string][] }) {
  const [texts, setTexts] = useState<Record<string, string>>({});
  const queries = useQueryClient();
  const keyFor = useIdempotencyKey();
  const record = useMutation({
    mutationFn: (body: Record<string, string>) => {
      const options = { body: body as never, params: { header: { "idempotency-key": keyFor(body) } } };
      return unwrap<unknown>(what === "projects" ? api().POST("/deployments", options) : api().POST("/payments", options));
    },
    onSuccess: () => setTexts({}),
    onSettled: () => queries.invalidateQueries({ queryKey: ["records", what] }),
  });
  const problems = record.error instanceof ApiError ? record.error.fields : [];

  function submit(event: FormEvent) {
    event.preventDefault();
    record.mutate(Object.fromEntries(fields.map(([name]) => [name, (texts[name] ?? "").trim()])));
  }

  return (
    <form onSubmit={submit} className="flex flex-wrap items-start gap-3">
      {fields.map(([name, label]) => (
        <Field key={name} label={label} className="w-full sm:w-64" error={problems.find(({ field }) => field === name)?.message}>
          {(control) => <Input {...control} required autoComplete="off" value={texts[name] ?? ""} onChange={(event) => setTexts({ ...texts, [name]: event.target.value })} />}
        </Field>
      ))}
      <Button type="submit" className="sm:mt-5" disabled={record.isPending}><PlusIcon aria-hidden /> Record a {what === "projects" ? "project" : "payment"}</Button>
      {record.error && problems.length === 0 ? <div className="w-full"><ErrorAlert error={record.error} title="It was not recorded" /></div> : null}
    </form>
  );
}

function useRecords(what: What, creator: string | undefined) {
  const session = useSession();
  return useInfiniteQuery({
    queryKey: ["records", what, session?.wallet, creator],
    enabled: session !== null,
    initialPageParam: "",
    queryFn: async ({ pageParam, signal }) => {
      const query = { limit: 50, ...(creator ? { creator } : {}), ...(pageParam ? { cursor: pageParam } : {}) };
      if (what === "projects") {
        const page = await unwrap(api().GET("/deployments", { params: { query }, signal }));
        return { entries: page.deployments, next: page.next_cursor };
      }
      const page = await unwrap(api().GET("/payments", { params: { query }, signal }));
      return { entries: page.payments, next: page.next_cursor };
    },
    getNextPageParam: (page) => page.next,
  });
}
