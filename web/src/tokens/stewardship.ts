import type { Unsigned } from "@/wallet/send";

/** What a steward calls. */
export async function tokenManagerAbi() {
  const { parseAbi } = await import("@/wallet/transactions");
  return parseAbi([
    "function offerStewardship(address token, address to)",
    "function acceptStewardship(address token)",
    "function renounceStewardship(address token)",
    "function pendingSteward(address token) view returns (address)",
  ]);
}

export type Handover =
  | { functionName: "offerStewardship"; args: readonly [`0x${string}`, `0x${string}`] }
  | { functionName: "acceptStewardship" | "renounceStewardship"; args: readonly [`0x${string}`] };

/** The transaction of a call of the TokenManager at `manager`. */
export async function callOf(manager: string, call: Handover, description: string): Promise<Unsigned> {
  const [{ encodeFunctionData }, abi] = await Promise.all([import("@/wallet/transactions"), tokenManagerAbi()]);
  return { to: manager, data: encodeFunctionData({ abi, ...call } as never), description };
}
