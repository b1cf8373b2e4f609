import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { BadgeCheckIcon, LoaderCircleIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { toast } from "sonner";
import { api, unwrap } from "@/api/client";
import type { components } from "@/api/schema";
import { Copied } from "@/components/copied";
import { ErrorAlert } from "@/components/error-alert";
import { Term } from "@/components/term";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { duration, shortAddress, usd } from "@/lib/format";
import type { WorkloadDetail } from "./types";

type Bid = components["schemas"]["OfferedBid"];
type BidList = components["schemas"]["BidList"];

const EVERY_MILLISECONDS = 3_000;
const percent = (share: number | null | undefined) => (share == null ? "–" : `${Number((share * 100).toFixed(1))}%`);
const nameOf = (bid: Bid) => bid.name ?? shortAddress(bid.provider);

/** The bids for a workload that waits for its owner to choose, and the choice. */
export default function BidChoice({ workload }: { workload: WorkloadDetail }) {
  const id = workload.deployment_id;
  const queries = useQueryClient();
  const params = { path: { id } };
  const { data, error, refetch } = useQuery({
    queryKey: ["bids", id],
    queryFn: ({ signal }) => unwrap(api().GET("/api/deployments/{id}/bids", { params, signal })),
    refetchInterval: EVERY_MILLISECONDS,
  });
  const choose = useMutation({
    mutationFn: (bids: Bid[]) =>
      unwrap(api().POST("/api/deployments/{id}/bids", { params, body: { providers: bids.map(({ provider }) => provider), ...(bids.length === 1 && bids[0] ? { price: bids[0].price } : {}) } })),
    onSuccess: (_, bids) => toast.success("The provider is chosen", { description: `The lease with ${bids.map(nameOf).join(", ")} is being made.` }),
    onSettled: () => Promise.all([["deployments"], ["deployment"], ["bids", id]].map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
  if (!data) {
    return error ? <ErrorAlert error={error} title="The bids could not be loaded" onRetry={() => void refetch()} /> : <Loading of="bids"><Skeleton className="h-40" /></Loading>;
  }
  return (
    <>
      <Deadline choice={data.choice} />
      {choose.error ? <ErrorAlert error={choose.error} title="It was not chosen" /> : null}
      <Bids key={data.groups} list={data} isPending={choose.isPending} onChoose={(bids) => choose.mutate(bids)} />
    </>
  );
}

function Deadline({ choice }: { choice: BidList["choice"] }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  if (choice?.until == null) return <p role="status" className="text-muted-foreground">Providers are being asked; bids come within a minute.</p>;
  const left = (Date.parse(choice.until) - now) / 1000;
  const otherwise = choice.unchosen === "close" ? "it is closed, and nothing was spent" : "the first of these is taken";
  if (left <= 0) return <p role="status">The time to choose is over: {otherwise}.</p>;
  return (
    <p>
      Choose within <span role="timer" className="font-semibold tabular-nums">{duration(Math.ceil(left))}</span>; after that {otherwise}.
    </p>
  );
}

function Bids({ list, isPending, onChoose }: { list: BidList; isPending: boolean; onChoose: (bids: Bid[]) => void }) {
  const [picked, setPicked] = useState<Record<number, string>>({});
  const groups = Array.from({ length: list.groups }, (_, index) => index + 1);
  const bids = list.bids ?? [];
  const taken = groups.flatMap((group) => bids.find((bid) => bid.group === group && bid.provider === picked[group] && bid.acceptable) ?? []);
  const refused = bids.filter((bid) => !bid.acceptable);
  const isOpen = list.choice?.status === "awaiting_choice";
  const only = groups.length === 1;
  return (
    <>
      {groups.map((group) => {
        const offered = bids.filter((bid) => bid.group === group && bid.acceptable);
        if (offered.length === 0) return null;
        return (
          <Table key={group} label={only ? "Bids" : `Bids for placement ${group}`}>
            <TableHeader>
              <tr>
                <TableHead>Provider</TableHead>
                <TableHead className="text-right">A month</TableHead>
                <TableHead className="hidden sm:table-cell">Where</TableHead>
                <TableHead className="hidden text-right sm:table-cell">Up, 7 days</TableHead>
                <TableHead className="hidden sm:table-cell"><Term text="Audited" meaning="Akash's auditors have checked this provider" /></TableHead>
                <TableHead><span className="sr-only">Choose</span></TableHead>
              </tr>
            </TableHeader>
            <TableBody>
              {offered.map((bid) => (
                <Row
                  key={bid.provider} bid={bid} isDisabled={!isOpen || isPending} isPicked={only ? undefined : picked[group] === bid.provider}
                  onChoose={() => (only ? onChoose([bid]) : setPicked({ ...picked, [group]: bid.provider }))}
                />
              ))}
            </TableBody>
          </Table>
        );
      })}
      {only ? null : (
        <Button className="self-start" disabled={!isOpen || isPending || taken.length < groups.length} onClick={() => onChoose(taken)}>
          {isPending ? <LoaderCircleIcon aria-hidden className="animate-spin" /> : null} Take these {groups.length} bids
        </Button>
      )}
      {refused.length > 0 ? (
        <details className="text-xs">
          <summary className="cursor-pointer text-muted-foreground">{refused.length} {refused.length === 1 ? "bid" : "bids"} that will not do</summary>
          <ul className="mt-1 flex flex-col gap-1">
            {refused.map((bid) => <li key={`${bid.group} ${bid.provider}`} className="[overflow-wrap:anywhere]">{nameOf(bid)}, {usd(bid.usd_per_month)} a month: {bid.why_not}</li>)}
          </ul>
        </details>
      ) : null}
    </>
  );
}

function Row({ bid, isDisabled, isPicked, onChoose }: { bid: Bid; isDisabled: boolean; isPicked: boolean | undefined; onChoose: () => void }) {
  const where = [bid.region, bid.country].filter(Boolean).join(", ") || "–";
  return (
    <TableRow>
      <TableCell>
        <span className="font-medium [overflow-wrap:anywhere]">{nameOf(bid)}</span>
        <span className="flex text-xs text-muted-foreground"><Copied text={bid.provider} short={shortAddress(bid.provider)} what={`address of ${nameOf(bid)}`} /></span>
        {bid.gpu ? <span className="text-xs">{bid.gpu}</span> : null}
        <span className="block text-xs text-muted-foreground sm:hidden">{where} · up {percent(bid.uptime)}{bid.audited ? " · audited" : ""}</span>
      </TableCell>
      <TableCell className="text-right tabular-nums" title={`${bid.price} uact a block, ${usd(bid.usd_per_hour)} an hour`}>{usd(bid.usd_per_month)}</TableCell>
      <TableCell className="hidden sm:table-cell">{where}</TableCell>
      <TableCell className="hidden text-right tabular-nums sm:table-cell">{percent(bid.uptime)}</TableCell>
      <TableCell className="hidden sm:table-cell">{bid.audited ? <Badge variant="success"><BadgeCheckIcon aria-hidden /> audited</Badge> : "no"}</TableCell>
      <TableCell className="text-right">
        <Button size="sm" variant={isPicked ? "default" : "outline"} aria-pressed={isPicked} aria-label={`Choose ${nameOf(bid)}`} disabled={isDisabled} onClick={onChoose}>Choose</Button>
      </TableCell>
    </TableRow>
  );
}
