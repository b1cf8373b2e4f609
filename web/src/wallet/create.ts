import type { Config } from "wagmi";
import { getConnection } from "wagmi/actions";
import type { components } from "@/api/schema";

interface Provider {
  request(call: { method: string; params?: unknown[] }): Promise<unknown>;
}

/**
 * Has the wallet sign and send the creation of a contract, on whatever chain it is for; returns the transaction's hash.
 *
 * The wallet's own provider is asked, because the chains of builds are more than those that the dashboard has nodes of.
 */
export async function createContract(config: Config, transaction: components["schemas"]["UnsignedCreation"]): Promise<string> {
  const { connector, address } = getConnection(config);
  if (!connector || !address) throw new Error("Connect your wallet first");
  const provider = (await connector.getProvider()) as Provider;
  const chainId = `0x${transaction.chainId.toString(16)}`;
  if ((await provider.request({ method: "eth_chainId" })) !== chainId) {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
    // A wallet that stays elsewhere would create it there.
    if ((await provider.request({ method: "eth_chainId" })) !== chainId) throw new Error(`Your wallet is not on chain ${transaction.chainId}: switch it, and try again`);
  }
  const { data, value, gas } = transaction;
  return String(
    await provider.request({
      method: "eth_sendTransaction", params: [{ from: address, data, value: value ?? "0x0", gas: `0x${gas.toString(16)}` }],
    }),
  );
}
