import type { ReactNode } from "react";
import { Link } from "react-router";
import { Copied } from "@/components/copied";
import { ErrorAlert } from "@/components/error-alert";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { usd } from "@/lib/format";
import { useStacks } from "./queries";
import { HealthText, StackStatusBadge } from "./stack-card";
import { TITLES } from "./types";

/** Every environment's stacks with their health and cost; below them what is said to who wants another one. */
export function StackList({ children }: { children: ReactNode }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useStacks();
  const stacks = data?.pages.flatMap((page) => page.stacks) ?? [];
  return (
    <>
      {error ? <ErrorAlert error={error} title="The stacks could not be loaded" onRetry={() => void refetch()} /> : null}
      {data || error ? null : <Loading of="stacks"><Skeleton className="h-40" /></Loading>}
      {stacks.length > 0 ? (
        <Table label="All stacks">
          <TableHeader><tr><TableHead>Environment</TableHead><TableHead>Stack</TableHead><TableHead>Status</TableHead><TableHead>Endpoint</TableHead><TableHead>Health</TableHead><TableHead className="text-right">A day</TableHead></tr></TableHeader>
          <TableBody>
            {stacks.map((stack) => (
              <TableRow key={`${stack.environment} ${stack.kind}`}>
                <TableCell><Link className="text-primary underline" to={`/stacks/${stack.environment}`}>{stack.environment}</Link></TableCell>
                <TableCell>{TITLES[stack.kind]}</TableCell>
                <TableCell><StackStatusBadge status={stack.status} /> {stack.stale_endpoint ? <Badge variant="warning">older endpoint</Badge> : null}</TableCell>
                <TableCell>{stack.endpoint ? <Copied text={stack.endpoint} what={`endpoint of ${stack.environment}`} /> : "none"}</TableCell>
                <TableCell>{stack.health ? <HealthText health={stack.health} /> : stack.error ? stack.error.message : "–"}</TableCell>
                <TableCell className="text-right tabular-nums">{stack.cost?.burn_per_day.usd != null ? usd(stack.cost.burn_per_day.usd) : "–"}</TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      ) : null}
      {hasNextPage ? <Button variant="outline" className="self-center" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>Show more stacks</Button> : null}
      {children}
    </>
  );
}
