// Loaded when something is sent: the first page only shows, and these weigh thirty kilobytes.
export { readContract, sendTransaction, signTypedData, waitForTransactionReceipt, watchAsset } from "wagmi/actions";
export { encodeFunctionData, parseAbi } from "viem";
