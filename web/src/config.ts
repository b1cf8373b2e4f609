import type { Address, Hex } from "viem";

export interface ChainConfiguration {
  id: number;
  name: string;
  rpcUrl: string;
  explorerUrl: string | null;
}

export interface LocalAccount {
  address: Address;
  private_key: Hex;
  role: "user" | "admin" | "operator";
}

export interface Configuration {
  /** Where the API answers, without a slash at the end. */
  api: string;
  /** The chain that tokens and the escrow are on. */
  chain: ChainConfiguration;
  /** Keys of the development wallet; empty but in the local build. */
  accounts: LocalAccount[];
}

/**
 * Where the API and the chain are: from the environment of the build, or, in the local build, from the stack that serves
 * the page, because its ports may move after the build.
 *
 * @throws Error that says what is missing.
 */
export async function loadConfiguration(): Promise<Configuration> {
  if (__LOCAL__) {
    const response = await fetch("/local-config.json", { cache: "no-store" });
    if (!response.ok) throw new Error("The local stack does not tell where its API is: start it with `make run`.");
    return (await response.json()) as Configuration;
  }
  const { VITE_API_URL: api, VITE_CHAIN_ID, VITE_CHAIN_NAME, VITE_CHAIN_RPC_URL, VITE_CHAIN_EXPLORER_URL } =
    import.meta.env;
  if (!api) throw new Error("This build does not know its API: build it again with VITE_API_URL.");
  return {
    api: api.replace(/\/+$/, ""),
    chain: {
      id: Number(VITE_CHAIN_ID ?? 11155111),
      name: VITE_CHAIN_NAME ?? "Sepolia",
      rpcUrl: VITE_CHAIN_RPC_URL ?? "https://rpc.sepolia.org",
      explorerUrl: VITE_CHAIN_EXPLORER_URL ?? (VITE_CHAIN_ID ? null : "https://sepolia.etherscan.io"),
    },
    accounts: [],
  };
}
