import { api, unwrap } from "@/api/client";
import type { components } from "@/api/schema";
import type { Allocation } from "@/tokens/allocations";
import type { TokenEstimate, WorkloadEstimate } from "./types";

type Schemas = components["schemas"];

/** What is left out of it has a default. */
export interface WorkloadRequest {
  sdl: string;
  preferences: Partial<Schemas["Preferences"]>;
  deposit?: string;
  choose_bid?: boolean;
  unchosen?: "best" | "close";
}

export interface TokenRequest {
  model_id: string;
  user_address: string;
  token_name?: string;
  token_symbol?: string;
  initial_supply?: string;
  max_supply?: string;
  allocations?: Allocation[];
}

// The generated types want what has a default to be given.
type Body = Schemas["DeployWorkloadRequest"] | Schemas["DeployTokenRequest"];

export async function estimateWorkload(body: WorkloadRequest, signal: AbortSignal): Promise<WorkloadEstimate> {
  return (await unwrap(api().POST("/api/deployments/estimate", { body: body as Body, signal }))) as WorkloadEstimate;
}

export async function estimateToken(body: TokenRequest, signal: AbortSignal): Promise<TokenEstimate> {
  return (await unwrap(api().POST("/api/deployments/estimate", { body: body as Body, signal }))) as TokenEstimate;
}

/** Asks for a deployment; the same key and body never start two. */
export function requestDeployment(body: WorkloadRequest | TokenRequest, idempotencyKey: string) {
  return unwrap(
    api().POST("/api/deployments", { body: body as Body, params: { header: { "idempotency-key": idempotencyKey } } }),
  );
}
