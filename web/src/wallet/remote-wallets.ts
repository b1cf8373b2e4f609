import type { CreateConnectorFn } from "wagmi";
import type { Configuration } from "@/config";

/** Wallets that are not in the browser, by the names that wagmi's connectors have. */
export const WALLET_CONNECT = "walletConnect";
export const COINBASE_WALLET = "coinbaseWalletSDK";

// Where wagmi keeps which connector was connected last.
const RECENT = "wagmi.recentConnectorId";

type RealConnector = ReturnType<CreateConnectorFn>;
type RealConnectorFn = (config: Parameters<CreateConnectorFn>[0]) => RealConnector;

/** A connector each for the wallets that this installation offers. */
export function remoteWallets({ walletConnectProjectId, coinbaseWallet }: Configuration): CreateConnectorFn[] {
  const wallets: CreateConnectorFn[] = [];
  if (walletConnectProjectId) {
    wallets.push(whenPicked({ id: WALLET_CONNECT, name: "WalletConnect" }, async () => (await import("./wallet-connect")).connector(walletConnectProjectId)));
  }
  if (coinbaseWallet) {
    const named = { id: COINBASE_WALLET, name: "Coinbase Wallet", rdns: "com.coinbase.wallet" };
    wallets.push(whenPicked(named, async () => (await import("./coinbase-wallet")).connector()));
  }
  return wallets;
}

/** A connector whose code and libraries are loaded when its wallet is picked, or was the last one that was connected. */
function whenPicked(named: { id: string; name: string; rdns?: string }, load: () => Promise<RealConnectorFn>): CreateConnectorFn {
  return (config) => {
    let loaded: Promise<RealConnector> | undefined;
    const real = () =>
      (loaded ??= load().then(async (create) => {
        const connector = create(config);
        await connector.setup?.();
        return connector;
      }).catch((error: unknown) => {
        loaded = undefined; // The network may be back at the next try.
        throw error;
      }));
    const wasPicked = () => loaded !== undefined || localStorage.getItem(RECENT) === JSON.stringify(named.id);
    return {
      ...named,
      type: named.id,
      connect: async (parameters) => (await real()).connect(parameters),
      disconnect: async () => (await real()).disconnect(),
      getAccounts: async () => (await real()).getAccounts(),
      getChainId: async () => (await real()).getChainId(),
      // wagmi asks each connector when the page opens.
      getProvider: async () => (wasPicked() ? (await real()).getProvider() : undefined),
      isAuthorized: async () => wasPicked() && (await real()).isAuthorized(),
      switchChain: async (parameters) => {
        const connector = await real();
        if (!connector.switchChain) throw new Error("This wallet can't switch networks");
        return connector.switchChain(parameters);
      },
      // The real connector listens to its provider itself.
      onAccountsChanged: () => undefined,
      onChainChanged: () => undefined,
      onDisconnect: () => undefined,
    };
  };
}
