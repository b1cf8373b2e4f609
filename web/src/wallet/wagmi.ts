import { defineChain } from "viem";
import { createConfig, http, injected, type Config } from "wagmi";
import type { Configuration } from "@/config";

/** wagmi for the one chain that tokens and the escrow are on. Browser wallets announce themselves (EIP-6963). */
export async function createWallet({ chain, accounts }: Configuration): Promise<Config> {
  const token = defineChain({
    id: chain.id,
    name: chain.name,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [chain.rpcUrl] } },
    ...(chain.explorerUrl ? { blockExplorers: { default: { name: "Explorer", url: chain.explorerUrl } } } : {}),
  });
  const connectors = [injected()];
  if (__LOCAL__ && accounts.length > 0) {
    const { developmentWallet } = await import("./development-wallet");
    connectors.unshift(developmentWallet(chain, accounts));
  }
  return createConfig({ chains: [token], connectors, transports: { [token.id]: http(chain.rpcUrl) } });
}
