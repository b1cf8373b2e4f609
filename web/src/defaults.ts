/** The node of the default chain, where the build names none. */
export const DEFAULT_RPC_URL = "https://rpc.sepolia.org";
