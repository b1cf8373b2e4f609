import { useInfiniteQuery, useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { POLL_MILLISECONDS } from "@/api/query-client";
import { atMost } from "@/lib/at-most";
import { lastDays, type DaySpan } from "./days";
import type { Metrics, ModelEntry, Service } from "./types";

// One reader's page is not to be a burst of requests, each of which wants a function of its own.
const inTurn = atMost(2);
const AUDIT_PAGE = 50;
// Jobs that began on a day that is over may end a little later; after that, nothing of it changes.
const SETTLED_MILLISECONDS = 60 * 60_000;

/** How a service did in the last 24 hours, and whether it takes work now. */
export function useServiceState(service: Service) {
  return useQuery({
    queryKey: ["admin", "service", service],
    refetchInterval: POLL_MILLISECONDS,
    queryFn: ({ signal }) =>
      inTurn(() => unwrap(api().GET("/api/admin/metrics", { params: { query: { service } }, signal }))),
  });
}

/** Pauses a service or resumes it. */
export function useSwitch(service: Service, isPausing: boolean) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => {
      const options = { params: { path: { service } }, body: { reason } };
      return unwrap(
        isPausing ? api().POST("/api/admin/{service}/pause", options) : api().POST("/api/admin/{service}/resume", options),
      );
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["admin"] }),
  });
}

export interface DayMetrics {
  date: string;
  metrics: Metrics;
}

/** How a service did on each of the last days, oldest first. */
export function useDayMetrics(service: Service, count: number) {
  const queries = useQueryClient();
  return useQuery({
    queryKey: ["admin", "days", service, count],
    staleTime: POLL_MILLISECONDS,
    refetchInterval: 2 * POLL_MILLISECONDS,
    queryFn: ({ signal }): Promise<DayMetrics[]> =>
      Promise.all(
        lastDays(count, new Date()).map(async (day) => ({ date: day.date, metrics: await metricsOf(queries, service, day, signal) })),
      ),
  });
}

function metricsOf(queries: QueryClient, service: Service, day: DaySpan, signal: AbortSignal): Promise<Metrics> {
  const isSettled = Date.now() - Date.parse(day.to) > SETTLED_MILLISECONDS;
  const query = { service, from: day.from, to: day.to };
  return queries.fetchQuery({
    queryKey: ["metrics of a day", service, day.date],
    staleTime: isSettled ? Infinity : 0,
    queryFn: () => inTurn(() => unwrap(api().GET("/api/admin/metrics", { params: { query }, signal }))),
  });
}

export interface AuditFilter {
  user: string;
  model: string;
  outcome: string;
  /** As `<input type="datetime-local">` has them, in the reader's time; empty for the API's own choice. */
  from: string;
  to: string;
}

export const NO_FILTER: AuditFilter = { user: "", model: "", outcome: "", from: "", to: "" };

/** Attempts, newest first. */
export function useAudit({ user, model, outcome, from, to }: AuditFilter) {
  return useInfiniteQuery({
    queryKey: ["admin", "audit", user, model, outcome, from, to],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => {
      const texts = { user: user.trim(), model: model.trim(), outcome: outcome.trim(), from: momentOf(from), to: momentOf(to), cursor: pageParam };
      const query = { limit: AUDIT_PAGE, ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text)) };
      return unwrap(api().GET("/api/admin/audit", { params: { query }, signal }));
    },
    getNextPageParam: (page) => page.next_cursor,
  });
}

function momentOf(local: string): string {
  return local ? new Date(local).toISOString() : "";
}

/** Tells the catalogue of a model. */
export function usePutModel() {
  return useMutation({
    mutationFn: ({ id, entry }: { id: string; entry: ModelEntry }) =>
      unwrap(api().PUT("/api/admin/models/{id}", { params: { path: { id } }, body: entry })),
  });
}
