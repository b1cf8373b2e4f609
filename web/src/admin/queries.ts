import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { POLL_MILLISECONDS } from "@/api/query-client";
import { atMost } from "@/lib/at-most";
import type { ModelEntry, Service } from "./types";

// One reader's page is not to be a burst of requests, each of which wants a function of its own.
const inTurn = atMost(2);
const AUDIT_PAGE = 50;
const HOUR_MILLISECONDS = 3_600_000;
const DAY_MILLISECONDS = 24 * HOUR_MILLISECONDS;

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

/** How a service and the API did over the last `days`: the whole, and step by step. */
export function useSeries(service: Service, days: number) {
  return useQuery({
    queryKey: ["admin", "series", service, days],
    staleTime: POLL_MILLISECONDS,
    refetchInterval: 2 * POLL_MILLISECONDS,
    queryFn: async ({ signal }) => {
      const [step, length] = days > 1 ? (["day", DAY_MILLISECONDS] as const) : (["hour", HOUR_MILLISECONDS] as const);
      // Whole days or hours in UTC, the present one included.
      const first = Math.floor(Date.now() / length) - (days * DAY_MILLISECONDS) / length + 1;
      const query = { service, from: new Date(first * length).toISOString() };
      const [whole, series] = await Promise.all([
        inTurn(() => unwrap(api().GET("/api/admin/metrics", { params: { query }, signal }))),
        inTurn(() => unwrap(api().GET("/api/admin/metrics/series", { params: { query: { ...query, step } }, signal }))),
      ]);
      return { whole, series };
    },
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
