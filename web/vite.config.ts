import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { loadEnv, type Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { connectSources, frameSources } from "./src/connect-sources.ts";
import { DEFAULT_RPC_URL } from "./src/defaults.ts";

/** Name in the page what it may connect to: headers are written before anyone knows the API's host. */
function contentSecurity(mode: string): Plugin {
  const { VITE_API_URL: api, VITE_CHAIN_RPC_URL, VITE_STREAM_URL, VITE_WALLETCONNECT_PROJECT_ID, VITE_COINBASE_WALLET } =
    loadEnv(mode, fileURLToPath(new URL(".", import.meta.url)), "VITE_");
  return {
    name: "slipway-content-security",
    apply: "build",
    transformIndexHtml() {
      if (mode === "stack" || !api) return [];
      const wallets = { walletConnect: !!VITE_WALLETCONNECT_PROJECT_ID, coinbaseWallet: VITE_COINBASE_WALLET !== "no" };
      const sources = connectSources({ api, rpc: VITE_CHAIN_RPC_URL || DEFAULT_RPC_URL, streams: VITE_STREAM_URL, ...wallets });
      const content = `connect-src ${sources.join(" ")}; frame-src ${frameSources(wallets).join(" ")}`;
      const attrs = { "http-equiv": "content-security-policy", content };
      return [{ tag: "meta", attrs, injectTo: "head-prepend" }];
    },
  };
}

// `--mode stack` makes the build that `make run` serves: it reads /local-config.json when it starts and brings a
// development wallet. No other build holds a line of either.
export default defineConfig(({ mode }) => ({
  plugins: [react(), tailwindcss(), contentSecurity(mode)],
  define: { __LOCAL__: JSON.stringify(mode === "stack") },
  resolve: {
    alias: {
      // WalletConnect's own dialog, which the page does without: see docs/decisions/documents-and-dashboard.md.
      "@reown/appkit/core": "@reown/appkit",
      "@": fileURLToPath(new URL("./src", import.meta.url)),
    },
  },
  build: { target: "es2022", manifest: true, reportCompressedSize: false, emptyOutDir: true,
    // Most visits begin at the dashboard. With all that it needs in one file, it is a seventh smaller than in seventy.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: "first-page", test: /src\/(main|pages\/dashboard\/dashboard-page)\.tsx$/ }] } },
    },
    chunkSizeWarningLimit: 700,
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
}));
