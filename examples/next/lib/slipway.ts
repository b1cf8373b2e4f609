import { browserStore, type Provider, Slipway } from "@slipway/client";

declare global {
  interface Window {
    ethereum?: Provider;
  }
}

export const API = process.env.NEXT_PUBLIC_SLIPWAY_API ?? "http://localhost:8000";

const store = browserStore();
let client: Slipway | undefined;

/** Whether this browser has a session that can be renewed. */
export function isSignedIn(): boolean {
  return store.load() !== null;
}

/** Slipway as the wallet of this browser. The session is shared by all tabs, and renews itself. */
export function slipway(): Slipway {
  if (!window.ethereum) throw new Error("There is no wallet in this browser: install one, then reload the page.");
  client ??= new Slipway({ api: API, signer: window.ethereum, sessionStore: store });
  return client;
}
