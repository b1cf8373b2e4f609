import type { Address, Hex } from "viem";
import { DEFAULT_RPC_URL } from "./defaults";

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
  /** The chains that contracts can be deployed to. */
  buildChains: { id: number; name: string }[];
  /** Keys of the development wallet; empty but in the local build. */
  accounts: LocalAccount[];
  /** The project at WalletConnect; without one it is not offered. */
  walletConnectProjectId: string;
  /** Whether Coinbase Wallet is offered. */
  coinbaseWallet: boolean;
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
  const {
    VITE_API_URL: api, VITE_CHAIN_ID, VITE_CHAIN_NAME, VITE_CHAIN_RPC_URL, VITE_CHAIN_EXPLORER_URL, VITE_BUILD_CHAINS,
    VITE_WALLETCONNECT_PROJECT_ID, VITE_COINBASE_WALLET,
  } = import.meta.env;
  if (!api) throw new Error("This build does not know its API: build it again with VITE_API_URL.");
  const chain = {
    id: Number(VITE_CHAIN_ID ?? 11155111),
    name: VITE_CHAIN_NAME ?? "Sepolia",
    rpcUrl: VITE_CHAIN_RPC_URL || DEFAULT_RPC_URL,
    explorerUrl: VITE_CHAIN_EXPLORER_URL ?? (VITE_CHAIN_ID ? null : "https://sepolia.etherscan.io"),
  };
  const buildChains = VITE_BUILD_CHAINS ? chainList(VITE_BUILD_CHAINS) : [{ id: chain.id, name: chain.name }];
  return {
    api: api.replace(/\/+$/, ""), chain, buildChains, accounts: [],
    walletConnectProjectId: VITE_WALLETCONNECT_PROJECT_ID ?? "", coinbaseWallet: VITE_COINBASE_WALLET !== "no",
  };
}

/** Chains written as `80002:Polygon Amoy,84532:Base Sepolia`. */
export function chainList(text: string): { id: number; name: string }[] {
  return text.split(",").map((entry) => {
    const [id = "", name = ""] = entry.split(/:(.*)/s).map((part) => part.trim());
    if (!/^[1-9]\d*$/.test(id)) throw new Error(`VITE_BUILD_CHAINS has ${JSON.stringify(entry)} where a chain's number belongs.`);
    return { id: Number(id), name: name || `Chain ${id}` };
  });
}
