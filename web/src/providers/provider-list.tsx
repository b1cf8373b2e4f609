import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { BadgeCheckIcon, ServerOffIcon } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { components } from "@/api/schema";
import { Copied } from "@/components/copied";
import { ErrorAlert } from "@/components/error-alert";
import { Term } from "@/components/term";
import { EmptyState } from "@/components/page";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Checkbox, Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";
import { bytes, duration, shortAddress, usd } from "@/lib/format";
import { useDebounced } from "@/lib/use-debounced";

type Provider = components["schemas"]["ProviderEntry"];

const PAGE_SIZE = 50;
const SETTLED_MILLISECONDS = 400;
const NO_FILTER = { region: "", gpuType: "", maxPrice: "", auditedOnly: false, online: true };

/** Who runs workloads: where, with what, and for about how much. */
export function ProviderList() {
  const [filter, setFilter] = useState(NO_FILTER);
  const settled = useDebounced(filter, SETTLED_MILLISECONDS);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useProviders(settled);
  const fields = error instanceof ApiError ? error.fields : [];
  const providers = data?.pages.flatMap((page) => page.providers);
  const first = data?.pages[0];
  const text = (name: "region" | "gpuType" | "maxPrice") => ({
    value: filter[name], onChange: (event: { target: { value: string } }) => setFilter({ ...filter, [name]: event.target.value }),
  });
  const check = (name: "auditedOnly" | "online") => ({
    checked: filter[name], onChange: (event: { target: { checked: boolean } }) => setFilter({ ...filter, [name]: event.target.checked }),
  });
  return (
    <>
      <div className="flex flex-wrap items-end gap-4">
        <Field label="Region" className="w-44">{(control) => <Input {...control} {...text("region")} placeholder="us-west, Germany" />}</Field>
        <Field label="GPU" className="w-40">{(control) => <Input {...control} {...text("gpuType")} placeholder="A100" />}</Field>
        <Field label="At most, US dollars an hour" className="w-52" error={fields.find(({ field }) => field === "maxPrice")?.message}>{(control) => <Input {...control} {...text("maxPrice")} inputMode="decimal" placeholder="1.50" />}</Field>
        <label className="flex h-9 items-center gap-2 text-sm"><Checkbox {...check("auditedOnly")} /> audited</label>
        <label className="flex h-9 items-center gap-2 text-sm"><Checkbox {...check("online")} /> online</label>
      </div>
      {error && fields.length === 0 ? <ErrorAlert error={error} title="The providers could not be loaded" onRetry={() => void refetch()} /> : null}
      {providers || error ? null : <Loading of="providers" className="flex flex-col gap-2"><Skeleton className="h-10" /><Skeleton className="h-64" /></Loading>}
      {first ? <p role="status" className="text-sm text-muted-foreground">{first.total} {first.total === 1 ? "provider" : "providers"}; the list is {duration(first.cached_age_seconds)} old. Prices are estimates from the network; <Term text="bids" of="bids" /> decide.</p> : null}
      {providers?.length === 0 ? <EmptyState icon={<ServerOffIcon aria-hidden />} title="No provider is like that" /> : null}
      {providers && providers.length > 0 ? (
        <Table label="Providers">
          <TableHeader><tr><TableHead>Provider</TableHead><TableHead>Where</TableHead><TableHead>GPUs</TableHead><TableHead className="text-right">CPU free</TableHead><TableHead className="text-right">Memory free</TableHead><TableHead className="text-right">Up, 30 days</TableHead><TableHead className="text-right">An hour</TableHead></tr></TableHeader>
          <TableBody>{providers.map((provider) => <Row key={provider.address} provider={provider} />)}</TableBody>
        </Table>
      ) : null}
      {hasNextPage ? <Button variant="outline" className="self-center" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>Show more providers</Button> : null}
    </>
  );
}

function useProviders({ region, gpuType, maxPrice, auditedOnly, online }: typeof NO_FILTER) {
  const query = {
    limit: PAGE_SIZE,
    ...(region.trim() ? { region: region.trim() } : {}), ...(gpuType.trim() ? { gpuType: gpuType.trim() } : {}),
    ...(maxPrice.trim() ? { maxPrice: maxPrice.trim() } : {}), ...(auditedOnly ? { auditedOnly } : {}), ...(online ? { online } : {}),
  };
  return useInfiniteQuery({
    queryKey: ["providers", query],
    placeholderData: keepPreviousData,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => unwrap(api().GET("/api/providers", { params: { query: { ...query, ...(pageParam ? { cursor: pageParam } : {}) } as never }, signal })),
    getNextPageParam: (page) => page.next_cursor,
  });
}

function Row({ provider }: { provider: Provider }) {
  const { name, address, availability, uptime, pricing, specs } = provider;
  const gpus = availability.gpus;
  const month = uptime["30d"];
  return (
    <TableRow>
      <TableCell>
        <span className="flex flex-wrap items-center gap-1">
          {name ?? provider.organization ?? shortAddress(address)} {provider.audited ? <Badge variant="success"><BadgeCheckIcon aria-hidden /> audited</Badge> : null}
          {provider.online ? null : <Badge variant="secondary">offline</Badge>}
        </span>
        <Copied text={address} short={shortAddress(address)} what={`address of ${name ?? "this provider"}`} />
      </TableCell>
      <TableCell>{[provider.city, provider.country ?? provider.region].filter(Boolean).join(", ") || "not known"}</TableCell>
      <TableCell>{specs.gpus.length === 0 ? "none" : `${specs.gpus.map(({ model, ram, count }) => `${count ?? ""} ${model}${ram ? ` ${ram}` : ""}`.trim()).join(", ")}${gpus.available === null ? "" : `; ${gpus.available} free`}`}</TableCell>
      <TableCell className="text-right tabular-nums">{availability.cpu_cores.available === null ? "–" : Math.round(availability.cpu_cores.available)}</TableCell>
      <TableCell className="text-right whitespace-nowrap tabular-nums">{availability.memory_bytes.available === null ? "–" : bytes(availability.memory_bytes.available)}</TableCell>
      <TableCell className="text-right tabular-nums">{month === null ? "–" : `${Number((month * 100).toFixed(1))}%`}</TableCell>
      <TableCell className="text-right tabular-nums">{pricing.hourly === null ? "–" : usd(pricing.hourly)}</TableCell>
    </TableRow>
  );
}
