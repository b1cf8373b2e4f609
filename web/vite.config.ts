import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { loadEnv, type Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { connectSources } from "./src/connect-sources.ts";
import { DEFAULT_RPC_URL } from "./src/defaults.ts";

/** Name in the page what it may connect to: headers are written before anyone knows the API's host. */
function contentSecurity(mode: string): Plugin {
  const { VITE_API_URL: api, VITE_CHAIN_RPC_URL, VITE_STREAM_URL } = loadEnv(mode, fileURLToPath(new URL(".", import.meta.url)), "VITE_");
  return {
    name: "slipway-content-security",
    apply: "build",
    transformIndexHtml() {
      if (mode === "stack" || !api) return [];
      const sources = connectSources({ api, rpc: VITE_CHAIN_RPC_URL || DEFAULT_RPC_URL, streams: VITE_STREAM_URL });
      const attrs = { "http-equiv": "content-security-policy", content: `connect-src ${sources.join(" ")}` };
      return [{ tag: "meta", attrs, injectTo: "head-prepend" }];
    },
  };
}

// `--mode stack` makes the build that `make run` serves: it reads /local-config.json when it starts and brings a
// development wallet. No other build holds a line of either.
export default defineConfig(({ mode }) => ({
  plugins: [react(), tailwindcss(), contentSecurity(mode)],
  define: { __LOCAL__: JSON.stringify(mode === "stack") },
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: { target: "es2022", manifest: true, reportCompressedSize: false, emptyOutDir: true },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
}));
