/// <reference types="vite/client" />

/** Whether this is the build that `make run` serves. A constant, so that other builds hold nothing of the local one. */
declare const __LOCAL__: boolean;

interface ImportMetaEnv {
  readonly VITE_API_URL?: string;
  readonly VITE_CHAIN_ID?: string;
  readonly VITE_CHAIN_NAME?: string;
  readonly VITE_CHAIN_RPC_URL?: string;
  readonly VITE_CHAIN_EXPLORER_URL?: string;
  readonly VITE_BUILD_CHAINS?: string;
  readonly VITE_WALLETCONNECT_PROJECT_ID?: string;
  readonly VITE_COINBASE_WALLET?: string;
}
