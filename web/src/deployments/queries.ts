import { keepPreviousData, type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { api, unwrap } from "@/api/client";
import { messageOf } from "@/api/errors";
import { POLL_MILLISECONDS } from "@/api/query-client";
import { getSession, useSession } from "@/auth/session";
import { isActive } from "./overview";
import { isWorkload, type Deployment, type LiveStatus, type Workload } from "./types";

const PAGE_SIZE = 100;
// 2,000 deployments; beyond that counts are told as “at least”.
const MAX_PAGES = 20;
// What Akash tells of each active workload takes a request; the rest is reckoned from prices.
const MAX_LIVE = 24;
const AT_ONCE = 4;
// While something is on its way, its change is what the reader waits for.
const SOON_MILLISECONDS = 4_000;

export interface DeploymentList {
  deployments: Deployment[];
  isWhole: boolean;
}

/** Every page after the other; `onPart` gets what there is so far. */
async function everyDeployment(signal: AbortSignal, onPart: (part: DeploymentList) => void): Promise<DeploymentList> {
  const deployments: Deployment[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await unwrap(
      api().GET("/api/deployments", { params: { query: { limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) } }, signal }),
    );
    deployments.push(...(answer.deployments as Deployment[]));
    if (!answer.next_cursor) return { deployments, isWhole: true };
    onPart({ deployments: [...deployments], isWhole: false });
    cursor = answer.next_cursor;
  }
  return { deployments, isWhole: false };
}

const listKey = (wallet: string | undefined) => ["deployments", wallet];

function listOptions(queries: QueryClient, wallet: string | undefined) {
  const queryKey = listKey(wallet);
  return queryOptions({
    queryKey,
    queryFn: ({ signal }) => {
      // The first time, what has come is shown at once. Later the old list stays until the new one is whole.
      const isFirst = queries.getQueryData(queryKey) === undefined;
      return everyDeployment(signal, (part) => {
        if (isFirst) queries.setQueryData(queryKey, part);
      });
    },
  });
}

/** Begins to load the list before there is anything to show it in. */
export function prefetchDeployments(queries: QueryClient): void {
  const session = getSession();
  if (session) void queries.prefetchQuery(listOptions(queries, session.wallet));
}

/** All of the caller's deployments, newest first, asked for again every 30 seconds. */
export function useDeployments() {
  const session = useSession();
  return useQuery({
    ...listOptions(useQueryClient(), session?.wallet),
    enabled: session !== null,
    refetchInterval: POLL_MILLISECONDS,
  });
}

/** What Akash tells of the newest active workloads, by their id; a workload that it does not tell of is left out. */
export function useLiveStatuses(deployments: Deployment[] | undefined) {
  const ids = (deployments ?? [])
    .filter((deployment) => isWorkload(deployment) && isActive(deployment) && deployment.dseq)
    .slice(0, MAX_LIVE)
    .map((deployment) => deployment.deployment_id);
  return useQuery({
    queryKey: ["live", ids],
    enabled: ids.length > 0,
    refetchInterval: POLL_MILLISECONDS,
    queryFn: async ({ signal }) => {
      const found: Record<string, LiveStatus> = {};
      const waiting = [...ids];
      const ask = async () => {
        for (let id = waiting.shift(); id; id = waiting.shift()) {
          const path = { id };
          try {
            const status = await unwrap(api().GET("/api/deployments/{id}/status", { params: { path }, signal }));
            if ("live" in status && status.live) found[id] = status.live;
          } catch (error) {
            if (signal.aborted) throw error;
            // The list tells when something is wrong; here it only means that a figure is reckoned.
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, ask));
      return found;
    },
  });
}

/** One deployment with its events. */
export function useDeployment(id: string) {
  const session = useSession();
  return useQuery({
    queryKey: ["deployment", session?.wallet, id],
    enabled: session !== null,
    queryFn: ({ signal }) =>
      unwrap(api().GET("/api/deployments/{id}", { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data && isActive(state.data) && state.data.status !== "active" ? SOON_MILLISECONDS : POLL_MILLISECONDS),
  });
}

/** Closes a workload. It is shown as closing at once; if that is refused, it is shown as it was. */
export function useCloseDeployment() {
  const queries = useQueryClient();
  const key = listKey(useSession()?.wallet);
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api().DELETE("/api/deployments/{id}", { params: { path: { id } } })),
    onMutate: async (id) => {
      await queries.cancelQueries({ queryKey: key });
      const before = queries.getQueryData<DeploymentList>(key);
      queries.setQueryData<DeploymentList>(key, (list) => list && closing(list, id));
      return { before };
    },
    onError: (error, _id, context) => {
      queries.setQueryData(key, context?.before);
      toast.error("It was not closed", { description: messageOf(error) });
    },
    onSuccess: () => toast.success("The workload is being closed"),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ["deployments"] });
      void queries.invalidateQueries({ queryKey: ["deployment"] });
    },
  });
}

function closing(list: DeploymentList, id: string): DeploymentList {
  const now = new Date().toISOString();
  return {
    ...list,
    deployments: list.deployments.map((deployment) =>
      deployment.deployment_id === id && isWorkload(deployment) ? { ...deployment, close_requested_at: now } : deployment,
    ),
  };
}

/** Changes a workload's name, or whether its runway is kept up; adds to its account; has it run another SDL. */
export function useWorkloadChanges(id: string) {
  const queries = useQueryClient();
  const params = { path: { id } };
  const onSettled = () => Promise.all([["deployments"], ["deployment"], ["sdl", id]].map((queryKey) => queries.invalidateQueries({ queryKey })));
  const patch = useMutation({
    mutationFn: (body: { name?: string | null; auto_top_up?: boolean }) => unwrap(api().PATCH("/api/deployments/{id}", { params, body: body as never })),
    onSettled,
  });
  const topUp = useMutation({
    mutationFn: (amount: string) => unwrap(api().POST("/api/deployments/{id}/deposit", { params, body: { amount } })),
    onSettled,
  });
  const update = useMutation({
    mutationFn: (body: { sdl: string; replace: boolean }) => unwrap(api().PUT("/api/deployments/{id}", { params, body })),
    onSettled,
  });
  return { patch, topUp, update };
}

/** A workload's SDL as of its last change; what looks secret is masked unless it is `revealed`. */
export function useSdl({ deployment_id: id, updated_at }: Workload, revealed: boolean, isWanted: boolean) {
  return useQuery({
    enabled: isWanted,
    queryKey: ["sdl", id, revealed, updated_at],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => unwrap(api().GET("/api/deployments/{id}/sdl", { params: { path: { id }, query: { reveal: revealed } }, signal })),
    retry: false,
  });
}
