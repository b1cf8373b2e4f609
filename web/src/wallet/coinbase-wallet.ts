import { coinbaseWallet } from "wagmi/connectors";

/** Coinbase Wallet: its passkey wallet in a window of its own, its extension, or its app by a code. */
export function connector() {
  return coinbaseWallet({ appName: "Slipway", appLogoUrl: `${location.origin}/icon.svg` });
}
