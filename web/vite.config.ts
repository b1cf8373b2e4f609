import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `--mode stack` makes the build that `make run` serves: it reads /local-config.json when it starts and brings a
// development wallet. No other build holds a line of either.
export default defineConfig(({ mode }) => ({
  plugins: [react(), tailwindcss()],
  define: { __LOCAL__: JSON.stringify(mode === "stack") },
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: { target: "es2022", manifest: true, reportCompressedSize: false, emptyOutDir: true },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
}));
