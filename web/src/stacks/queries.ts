import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import { POLL_MILLISECONDS } from "@/api/query-client";
import { useIdempotencyKey } from "@/lib/idempotency";
import { isBusy, type Stack, type StackKind } from "./types";

// While a job works on it, its end is what the reader waits for.
const SOON_MILLISECONDS = 3_000;

const key = (environment: string, kind: StackKind) => ["stacks", environment, kind];

/** A stack with its events, or null when there is none. */
export function useStack(environment: string, kind: StackKind) {
  return useQuery({
    queryKey: key(environment, kind),
    queryFn: async ({ signal }): Promise<Stack | null> => {
      const options = { params: { path: { environment } }, signal };
      try {
        return await unwrap(
          kind === "node"
            ? api().GET("/api/stacks/{environment}/node", options)
            : api().GET("/api/stacks/{environment}/api", options),
        );
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    refetchInterval: ({ state }) => (state.data && isBusy(state.data.status) ? SOON_MILLISECONDS : POLL_MILLISECONDS),
  });
}

/** All environments' stacks, the one made last first. */
export function useStacks() {
  return useInfiniteQuery({
    queryKey: ["stacks"],
    refetchInterval: POLL_MILLISECONDS,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => unwrap(api().GET("/api/stacks", { params: { query: { limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    getNextPageParam: (page) => page.next_cursor,
  });
}

/** Deploys a stack or changes it, restarts it, or deletes it. */
export function useStackJobs(environment: string, kind: StackKind) {
  const queries = useQueryClient();
  const keyFor = useIdempotencyKey();
  const path = { environment };
  // A node's endpoint is shown with the API that uses it, so both may have changed.
  const onSettled = () => queries.invalidateQueries({ queryKey: ["stacks", environment] });
  const put = useMutation({
    mutationFn: ({ spec, generation }: { spec: Record<string, unknown>; generation: number }) => {
      const options = { params: { path, header: { "idempotency-key": keyFor([kind, spec, generation]) } }, body: spec as never };
      return unwrap(
        kind === "node" ? api().PUT("/api/stacks/{environment}/node", options) : api().PUT("/api/stacks/{environment}/api", options),
      );
    },
    onSettled,
  });
  const restart = useMutation({
    mutationFn: (generation: number) => {
      const options = { params: { path, header: { "idempotency-key": keyFor([kind, "restart", generation]) } } };
      return unwrap(
        kind === "node"
          ? api().POST("/api/stacks/{environment}/node/restart", options)
          : api().POST("/api/stacks/{environment}/api/restart", options),
      );
    },
    onSettled,
  });
  const remove = useMutation({
    mutationFn: () => {
      const options = { params: { path } };
      return unwrap(
        kind === "node"
          ? api().DELETE("/api/stacks/{environment}/node", options)
          : api().DELETE("/api/stacks/{environment}/api", options),
      );
    },
    onSettled,
  });
  return { put, restart, remove };
}

/** The published endpoint, or its signature, byte for byte. */
export async function fetchArtifact(environment: string, what: "endpoint.json" | "endpoint.json.sig"): Promise<string> {
  const options = { params: { path: { environment } }, parseAs: "text" as const };
  return String(
    await unwrap<unknown>(
      what === "endpoint.json"
        ? api().GET("/api/stacks/{environment}/endpoint.json", options)
        : api().GET("/api/stacks/{environment}/endpoint.json.sig", options),
    ),
  );
}
