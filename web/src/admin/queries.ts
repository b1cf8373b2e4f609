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

/** What users' jobs cost on chains over the last `days`, the present one included; of one wallet, or of all. */
export function useGas(user: string, days: number) {
  return useQuery({
    queryKey: ["admin", "gas", user, days],
    staleTime: POLL_MILLISECONDS,
    queryFn: ({ signal }) => {
      const from = new Date((Math.floor(Date.now() / DAY_MILLISECONDS) - days + 1) * DAY_MILLISECONDS).toISOString();
      return unwrap(api().GET("/api/admin/gas", { params: { query: { from, ...(user ? { user } : {}) } }, signal }));
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

export interface DeploymentFilter {
  user: string;
  model: string;
  status: string;
}

/** Deployments of everybody, newest first. */
export function useAllDeployments(filter: DeploymentFilter) {
  return useInfiniteQuery({
    queryKey: ["admin", "deployments", filter],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => {
      const given = Object.fromEntries(Object.entries(filter).filter(([, text]) => text !== ""));
      const query = { ...given, limit: AUDIT_PAGE, ...(pageParam ? { cursor: pageParam } : {}) };
      return unwrap(api().GET("/api/admin/deployments", { params: { query: query as never }, signal }));
    },
    getNextPageParam: (page) => page.next_cursor,
  });
}

export function useBudgets() {
  return useQuery({
    queryKey: ["admin", "budgets"],
    refetchInterval: POLL_MILLISECONDS,
    queryFn: async ({ signal }) => (await unwrap(api().GET("/api/admin/budgets", { signal }))).budgets,
  });
}

/** Sets a ceiling; null goes back to the template's parameter. */
export function useSetBudget() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, limit }: { name: string; limit: string | null }) => unwrap(api().PUT("/api/admin/budgets", { body: { [name]: limit } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["admin", "budgets"] }),
  });
}

export function useLimits() {
  return useQuery({ queryKey: ["admin", "limits"], queryFn: ({ signal }) => unwrap(api().GET("/api/admin/limits", { signal })) });
}

export interface LimitChange {
  of: "tiers" | "wallets";
  who: string;
  name: string;
  /** All spans of the limit; null goes back to what holds without it. */
  spans: Record<string, number> | null;
}

/** Sets a limit of a tier or a wallet. */
export function useSetLimit() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ of, who, name, spans }: LimitChange) => unwrap(api().PUT("/api/admin/limits", { body: { [of]: { [who]: { [name]: spans } } } as never })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["admin", "limits"] }),
  });
}

/** Whether a wallet is blocked, and why. */
export function useStanding(wallet: string) {
  return useQuery({
    queryKey: ["admin", "wallet", wallet],
    enabled: wallet !== "",
    retry: false,
    queryFn: ({ signal }) => unwrap(api().GET("/api/admin/wallets/{wallet}", { params: { path: { wallet } }, signal })),
  });
}

export function useWalletChanges(wallet: string) {
  const queries = useQueryClient();
  const params = { path: { wallet } };
  const onSettled = () => queries.invalidateQueries({ queryKey: ["admin", "wallet", wallet] });
  return {
    block: useMutation({ mutationFn: (reason: string) => unwrap(api().POST("/api/admin/wallets/{wallet}/block", { params, body: { reason } })), onSettled }),
    unblock: useMutation({ mutationFn: (reason: string) => unwrap(api().POST("/api/admin/wallets/{wallet}/unblock", { params, body: { reason } })), onSettled }),
    logout: useMutation({ mutationFn: () => unwrap(api().POST("/api/admin/wallets/{wallet}/logout", { params })), onSettled }),
  };
}
