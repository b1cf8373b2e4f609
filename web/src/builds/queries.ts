import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useConfig } from "wagmi";
import { api, unwrap } from "@/api/client";
import { messageOf } from "@/api/errors";
import { POLL_MILLISECONDS } from "@/api/query-client";
import { useSession } from "@/auth/session";
import { useIdempotencyKey } from "@/lib/idempotency";
import { isOver, type Build, type BuildStatus, type ChainDeployment, type Preview } from "./types";

export const PAGE_SIZE = 10;
// While no stream tells, the reader waits for what a question tells.
const SOON_MILLISECONDS = 3_000;
const LIST_SOON_MILLISECONDS = 8_000;

export interface BuildRequest {
  prompt: string;
  chains: number[];
  template?: string;
  options?: Record<string, unknown>;
}

/** What a request would become; nothing is built. The last answer stays until the next one is there. */
export function usePreview(body: BuildRequest, isWanted: boolean) {
  const session = useSession();
  return useQuery({
    queryKey: ["builds", "preview", session?.wallet, body],
    enabled: session !== null && isWanted,
    placeholderData: keepPreviousData,
    gcTime: 0,
    queryFn: ({ signal }): Promise<Preview> => unwrap(api().POST("/api/v1/builds/preview", { body: body as never, signal })),
  });
}

/** A page of the caller's builds, newest first; pages count from 1. */
export function useBuilds(status: BuildStatus | null, page: number) {
  const session = useSession();
  return useQuery({
    queryKey: ["builds", "list", session?.wallet, status, page],
    enabled: session !== null,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => {
      const query = { page, page_size: PAGE_SIZE, ...(status ? { status } : {}) };
      return unwrap(api().GET("/api/v1/builds", { params: { query }, signal }));
    },
    refetchInterval: ({ state }) =>
      state.data?.builds.some((build) => !isOver(build.status)) ? LIST_SOON_MILLISECONDS : POLL_MILLISECONDS,
  });
}

const detailKey = (wallet: string | undefined, id: string) => ["builds", "one", wallet, id];

/** A build with its code, its audit report and its deployments. `isTold` says that a stream tells of changes. */
export function useBuild(id: string, isTold: boolean) {
  const session = useSession();
  return useQuery({
    queryKey: detailKey(session?.wallet, id),
    enabled: session !== null,
    queryFn: ({ signal }): Promise<Build> =>
      unwrap(api().GET("/api/v1/builds/{build_id}", { params: { path: { build_id: id } }, signal })),
    refetchInterval: ({ state }) =>
      state.data && !isOver(state.data.status) && !isTold ? SOON_MILLISECONDS : POLL_MILLISECONDS,
  });
}

/** Has a contract written, audited and deployed. */
export function useRequestBuild() {
  const queries = useQueryClient();
  const keyFor = useIdempotencyKey();
  return useMutation({
    mutationFn: (body: BuildRequest) =>
      unwrap(
        api().POST("/api/v1/builds", {
          body: body as never, params: { header: { "idempotency-key": keyFor(body) } },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["builds", "list"] }),
  });
}

/** Cancels a build: nothing of it is sent to a chain after the answer. */
export function useCancelBuild() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api().DELETE("/api/v1/builds/{build_id}", { params: { path: { build_id: id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["builds"] }),
  });
}

/** Deploys a build's contract to chains where that failed, or which are new. */
export function useDeployBuild(build: Build) {
  const queries = useQueryClient();
  const keyFor = useIdempotencyKey();
  return useMutation({
    mutationFn: (chains: number[]) =>
      unwrap(
        api().POST("/api/v1/builds/{build_id}/deploy", {
          // The same chains of a build that went on meanwhile are another request.
          body: chains,
          params: {
            path: { build_id: build.build_id },
            header: { "idempotency-key": keyFor([chains, build.sequence]) },
          },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ["builds"] }),
  });
}

/** Has the connected wallet create the contract on a chain, and the API follow the transaction. */
export function useCreateByWallet(build: Build) {
  const queries = useQueryClient();
  const config = useConfig();
  const follow = (chainId: number, hash: string) =>
    unwrap(api().POST("/api/v1/builds/{build_id}/deployments/{chain_id}", { params: { path: { build_id: build.build_id, chain_id: chainId } }, body: { tx_hash: hash } }));
  const onSettled = () => queries.invalidateQueries({ queryKey: ["builds"] });
  const create = useMutation({
    mutationFn: async ({ chain_id, transaction }: ChainDeployment) => {
      if (!transaction) throw new Error("There is nothing to sign");
      const { createContract } = await import("@/wallet/create");
      const hash = await createContract(config, transaction);
      try {
        await follow(chain_id, hash);
      } catch (error) {
        // It is sent all the same; with its hash it can be followed below.
        throw new Error(`Your wallet sent ${hash}, but it is not followed: ${messageOf(error)}`, { cause: error });
      }
    },
    onSettled,
  });
  const take = useMutation({ mutationFn: ({ chainId, hash }: { chainId: number; hash: string }) => follow(chainId, hash), onSettled });
  return { create, take };
}

/** The audit's report in one of the formats that other tools read. */
export async function fetchReport(id: string, format: "sarif" | "markdown"): Promise<string> {
  const options = { params: { path: { build_id: id }, query: { format } }, parseAs: "text" as const };
  return String(await unwrap<unknown>(api().GET("/api/v1/builds/{build_id}/audit", options)));
}

/** The compiler's standard-JSON input, with which explorers verify the contract. */
export async function fetchMetadata(id: string): Promise<string> {
  const answer = await unwrap(
    api().GET("/api/v1/builds/{build_id}/metadata", { params: { path: { build_id: id } }, parseAs: "text" }),
  );
  return String(answer);
}
