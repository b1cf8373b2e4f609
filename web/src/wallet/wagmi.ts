import { defineChain } from "viem";
import { createConfig, http, injected, type Config } from "wagmi";
import type { Configuration } from "@/config";
import { remoteWallets } from "./remote-wallets";

// How often a receipt is asked for, while somebody waits for one.
const RECEIPT_MILLISECONDS = 1_000;

/** wagmi for the one chain that tokens and the escrow are on. Browser wallets announce themselves (EIP-6963). */
export async function createWallet(configuration: Configuration): Promise<Config> {
  const { chain, accounts } = configuration;
  const token = defineChain({
    id: chain.id,
    name: chain.name,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [chain.rpcUrl] } },
    ...(chain.explorerUrl ? { blockExplorers: { default: { name: "Explorer", url: chain.explorerUrl } } } : {}),
  });
  const connectors = [injected(), ...remoteWallets(configuration)];
  if (__LOCAL__ && accounts.length > 0) {
    const { developmentWallet } = await import("./development-wallet");
    connectors.unshift(developmentWallet(chain, accounts));
  }
  return createConfig({
    chains: [token], connectors, transports: { [token.id]: http(chain.rpcUrl) }, pollingInterval: RECEIPT_MILLISECONDS,
  });
}
