/** What a production build connects to, as `connect-src` of a content security policy names it. */

const EXECUTE_API = /^[a-z0-9]+(\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?)$/;

export interface Hosts {
  api: string;
  rpc: string;
  /** Where streams of builds are; without it, at the API's host, or at API Gateway's of the same region. */
  streams?: string | undefined;
}

/**
 * Wallets are extensions of the browser: the page itself connects to none of theirs.
 *
 * @throws TypeError for an address that is none.
 */
export function connectSources({ api, rpc, streams }: Hosts): string[] {
  const { origin, host, protocol } = new URL(api);
  const region = EXECUTE_API.exec(host)?.[1];
  const scheme = protocol === "http:" ? "ws:" : "wss:";
  const streaming = streams ? originOf(streams) : `${scheme}//${region ? `*${region}` : host}`;
  return [...new Set(["'self'", origin, streaming, originOf(rpc)])];
}

function originOf(address: string): string {
  const { protocol, host } = new URL(address);
  return `${protocol}//${host}`;
}
