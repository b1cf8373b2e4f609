import { fileURLToPath } from "node:url";
import type { NextConfig } from "next";

const config: NextConfig = {
  // The client is beside this folder in the checkout. With `@slipway/client` from npm, leave this out.
  turbopack: { root: fileURLToPath(new URL("../..", import.meta.url)) },
};

export default config;
