import { useQueries, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, unwrap } from "@/api/client";
import { isActive } from "./overview";
import { isWorkload, type Deployment } from "./types";

const EVERY_MILLISECONDS = 3_000;
const MOST = 4;

/** Whether the reader is waiting for it to change. */
function isOnItsWay(deployment: Deployment): boolean {
  if (!isActive(deployment)) return false;
  return deployment.status !== "active" || (isWorkload(deployment) && deployment.close_requested_at != null);
}

/**
 * Watches the newest deployments that are on their way, each by its own status, and has the list read again when one of
 * them changes. So the list itself need not be asked for more often than every 30 seconds.
 */
export function useFollow(deployments: Deployment[] | undefined): void {
  const queries = useQueryClient();
  const followed = (deployments ?? []).filter(isOnItsWay).slice(0, MOST);
  const told = useQueries({
    queries: followed.map(({ deployment_id }) => ({
      queryKey: ["follow", deployment_id],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        unwrap(api().GET("/api/deployments/{id}/status", { params: { path: { id: deployment_id } }, signal })),
      refetchInterval: EVERY_MILLISECONDS,
      gcTime: 0,
      retry: false,
    })),
    combine: (results) => results.map(({ data }) => (data ? `${data.deployment_id} ${data.status}` : null)),
  });
  const known = new Map(followed.map(({ deployment_id, status }) => [deployment_id, status as string]));
  const changed = told.filter((text) => {
    const [id = "", status] = text?.split(" ") ?? [];
    return status !== undefined && known.get(id) !== status;
  });
  const change = changed.join();
  useEffect(() => {
    if (!change) return;
    void queries.invalidateQueries({ queryKey: ["deployments"] });
    void queries.invalidateQueries({ queryKey: ["deployment"] });
  }, [change, queries]);
}
