// Loaded when something is sent: the first page only shows, and these weigh thirty kilobytes.
export { sendTransaction, signTypedData, waitForTransactionReceipt } from "wagmi/actions";
