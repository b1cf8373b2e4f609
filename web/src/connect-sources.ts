/** What a production build connects to and frames, as a content security policy names it. */
import WALLET_HOSTS from "./wallet/hosts.json" with { type: "json" };

const EXECUTE_API = /^[a-z0-9]+(\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?)$/;

export interface Hosts {
  api: string;
  rpc: string;
  /** Where streams of builds are; without it, at the API's host, or at API Gateway's of the same region. */
  streams?: string | undefined;
  walletConnect?: boolean;
  coinbaseWallet?: boolean;
}

/**
 * Extensions of the browser need no host; the other wallets' are named where they are offered.
 *
 * @throws TypeError for an address that is none.
 */
export function connectSources({ api, rpc, streams, ...wallets }: Hosts): string[] {
  const { origin, host, protocol } = new URL(api);
  const region = EXECUTE_API.exec(host)?.[1];
  const scheme = protocol === "http:" ? "ws:" : "wss:";
  const streaming = streams ? originOf(streams) : `${scheme}//${region ? `*${region}` : host}`;
  return [...new Set(["'self'", origin, streaming, originOf(rpc), ...walletHosts(wallets).flatMap(({ connect }) => connect)])];
}

/** What may stand in a frame of the page: WalletConnect's check of its address, which wallets show their owners. */
export function frameSources(wallets: Pick<Hosts, "walletConnect" | "coinbaseWallet">): string[] {
  const hosts = walletHosts(wallets).flatMap(({ frame }) => frame);
  return hosts.length > 0 ? hosts : ["'none'"];
}

function walletHosts({ walletConnect = false, coinbaseWallet = false }: Pick<Hosts, "walletConnect" | "coinbaseWallet">): { connect: string[]; frame: string[] }[] {
  return [...(walletConnect ? [WALLET_HOSTS.walletConnect] : []), ...(coinbaseWallet ? [WALLET_HOSTS.coinbaseWallet] : [])];
}

function originOf(address: string): string {
  const { protocol, host } = new URL(address);
  return `${protocol}//${host}`;
}
