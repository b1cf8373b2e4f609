import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import { POLL_MILLISECONDS } from "@/api/query-client";
import type { components } from "@/api/schema";
import { useSession } from "@/auth/session";
import { firstDay } from "./uptime";

export type Worker = components["schemas"]["WorkerView"];
export type Liveness = Worker["status"];
export type Uptime = components["schemas"]["UptimeAnswer"];
export type FleetUptime = components["schemas"]["FleetUptime"];
export type Enrolment = components["schemas"]["EnrolmentAnswer"];

const PAGE_SIZE = 20;
export const FLEET_DAYS = 14;
// A day's share moves slowly.
const UPTIME_MILLISECONDS = 5 * 60_000;

/** The fleet, newest enrolment first, with the last days of each: all in one request a page. */
export function useFleet(status: Liveness | null) {
  const session = useSession();
  return useInfiniteQuery({
    queryKey: ["workers", "fleet", session?.wallet, status],
    enabled: session !== null,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE_SIZE, days: FLEET_DAYS, ...(status ? { status } : {}), ...(pageParam ? { cursor: pageParam } : {}) };
      return unwrap(api().GET("/workers", { params: { query }, signal }));
    },
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: POLL_MILLISECONDS,
  });
}

/** One worker, or null when the wallet has none. */
export function useWorker(wallet: string | undefined) {
  return useQuery({
    queryKey: ["workers", "one", wallet?.toLowerCase()],
    enabled: wallet !== undefined,
    refetchInterval: POLL_MILLISECONDS,
    queryFn: async ({ signal }) => {
      try {
        return await unwrap(api().GET("/workers/{wallet}", { params: { path: { wallet: wallet ?? "" } }, signal }));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  });
}

/** When a worker was up in the last `days` days, today included. */
export function useUptime(wallet: string, days: number) {
  return useQuery({
    queryKey: ["workers", "uptime", wallet.toLowerCase(), days],
    staleTime: UPTIME_MILLISECONDS,
    refetchInterval: UPTIME_MILLISECONDS,
    queryFn: ({ signal }) => {
      const query = { from: firstDay(days, new Date()) };
      return unwrap(api().GET("/workers/{wallet}/uptime", { params: { path: { wallet }, query }, signal }));
    },
  });
}

/** Enrols the caller's worker, or gives it a new code in place of the old one. */
export function useEnrol() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api().POST("/workers", {})),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["workers"] }),
  });
}

/** Ends the worker's token, and a code that was not exchanged yet. */
export function useRevoke() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wallet: string) =>
      unwrap(api().DELETE("/workers/{wallet}/tokens", { params: { path: { wallet } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["workers"] }),
  });
}

/** Shows a worker's badge and status page to everybody, or no more. */
export function useShow(wallet: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (isPublic: boolean) => unwrap(api().PATCH("/workers/{wallet}", { params: { path: { wallet } }, body: { public: isPublic } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["workers", "one"] }),
  });
}

/** Retires a worker: its tokens end, its records stay. */
export function useRetire() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wallet: string) => unwrap(api().DELETE("/workers/{wallet}", { params: { path: { wallet } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["workers"] }),
  });
}
