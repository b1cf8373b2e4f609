import { useQuery } from "@tanstack/react-query";
import { useConfig } from "wagmi";
import { api, unwrap } from "@/api/client";
import { POLL_MILLISECONDS } from "@/api/query-client";
import type { components } from "@/api/schema";
import { useSession } from "@/auth/session";
import { tokenManagerAbi } from "./stewardship";

export type Model = components["schemas"]["ModelView"];
export type TokenView = components["schemas"]["TokenView"];

/** How long the API keeps what it read of a token: a change on chain is seen as late as that. */
export const KEPT_MILLISECONDS = 10_000;
const MAX_PAGES = 5;
const NOBODY = `0x${"0".repeat(40)}`;

/** The models that the caller owns or contributes to, by their ids; five hundred at most. */
export function useModels() {
  const session = useSession();
  return useQuery({
    queryKey: ["models", session?.wallet],
    enabled: session !== null,
    queryFn: async ({ signal }) => {
      const found: Model[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < MAX_PAGES; page++) {
        const query = { limit: 100, ...(cursor ? { cursor } : {}) };
        const answer = await unwrap(api().GET("/api/models", { params: { query }, signal }));
        found.push(...answer.models);
        if (!answer.next_cursor) break;
        cursor = answer.next_cursor;
      }
      return found;
    },
  });
}

/** A launched token, as anyone may read it. */
export function useToken(address: string) {
  return useQuery({
    queryKey: ["token", address],
    queryFn: ({ signal }) => unwrap(api().GET("/api/tokens/{address}", { params: { path: { address } }, signal, cache: "no-store" })),
    refetchInterval: POLL_MILLISECONDS,
  });
}

/** To whom a token's stewardship is offered, which only the chain says; null for nobody. */
export function usePendingSteward(token: TokenView | undefined, isWanted: boolean) {
  const config = useConfig();
  return useQuery({
    queryKey: ["token", token?.address, "pending steward"],
    enabled: isWanted && token?.owner != null,
    queryFn: async () => {
      const [{ readContract }, abi] = await Promise.all([import("@/wallet/transactions"), tokenManagerAbi()]);
      const pending = await readContract(config, {
        abi, address: token?.owner as `0x${string}`, functionName: "pendingSteward", args: [token?.address as `0x${string}`],
      });
      return pending === NOBODY ? null : pending;
    },
  });
}
