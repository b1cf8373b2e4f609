import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./errors";

/** How often what may change by itself is asked for again. TanStack Query pauses it while the tab is hidden. */
export const POLL_MILLISECONDS = 30_000;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        refetchOnWindowFocus: true,
        // One more try where it may help; after that the reader is told, and decides.
        retry: (failures, error) => failures < 1 && error instanceof ApiError && error.status >= 500,
        retryDelay: 800,
      },
      mutations: { retry: false },
    },
  });
}
