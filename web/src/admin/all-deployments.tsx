import { PackageOpenIcon } from "lucide-react";
import { useState } from "react";
import { Copied } from "@/components/copied";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { StatusBadge } from "@/deployments/status-badge";
import { shortAddress, shortId } from "@/lib/format";
import { useDebounced } from "@/lib/use-debounced";
import { useAllDeployments } from "./queries";

const STATUSES = ["pending", "deploying", "registering", "completed", "failed", "active", "closed", "error"];
const SETTLED_MILLISECONDS = 400;

/** What everybody launched. */
export function AllDeployments() {
  const [filter, setFilter] = useState({ user: "", model: "", status: "" });
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useAllDeployments(useDebounced(filter, SETTLED_MILLISECONDS));
  const entries = data?.pages.flatMap((page) => page.deployments);
  const change = (name: keyof typeof filter) => ({
    value: filter[name], onChange: (event: { target: { value: string } }) => setFilter({ ...filter, [name]: event.target.value.trim() }),
  });
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap gap-4">
        <Field label="Wallet" className="w-full sm:w-96">{(control) => <Input {...control} {...change("user")} spellCheck={false} placeholder="0x…" className="font-mono" />}</Field>
        <Field label="Model" className="w-48">{(control) => <Input {...control} {...change("model")} />}</Field>
        <Field label="Status" className="w-40">
          {(control) => <Select {...control} {...change("status")}><option value="">Any</option>{STATUSES.map((status) => <option key={status}>{status}</option>)}</Select>}
        </Field>
      </div>
      {error ? <ErrorAlert error={error} title="The deployments could not be loaded" onRetry={() => void refetch()} /> : null}
      {entries || error ? null : <Loading of="deployments"><Skeleton className="h-64" /></Loading>}
      {entries?.length === 0 && !hasNextPage ? <EmptyState icon={<PackageOpenIcon aria-hidden />} title="Nothing matches" /> : null}
      {entries && entries.length > 0 ? (
        <Table label="Deployments of everybody">
          <TableHeader><tr><TableHead>What</TableHead><TableHead>Whose</TableHead><TableHead>Status</TableHead><TableHead>Id</TableHead><TableHead>Made</TableHead></tr></TableHeader>
          <TableBody>
            {entries.map((entry) => (
              <TableRow key={entry.deployment_id}>
                <TableCell>{entry.model_id ?? "workload"}</TableCell>
                <TableCell><Copied text={entry.user_address} short={shortAddress(entry.user_address)} what="owner's address" /></TableCell>
                <TableCell><StatusBadge status={entry.status} /> {entry.error_code ? <code className="text-xs">{entry.error_code}</code> : null}</TableCell>
                <TableCell><Copied text={entry.deployment_id} short={shortId(entry.deployment_id)} what="deployment's id" /></TableCell>
                <TableCell className="whitespace-nowrap"><Timestamp iso={entry.created_at} /></TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      ) : null}
      {hasNextPage ? <Button variant="outline" className="self-center" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>Show more</Button> : null}
    </div>
  );
}
