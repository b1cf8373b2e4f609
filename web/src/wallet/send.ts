import { useState } from "react";
import { useConfig } from "wagmi";
import { useConfiguration } from "@/lib/configuration";

/** A transaction without nonce and fees; without gas the wallet estimates it. */
export interface Unsigned {
  to: string;
  data: string;
  value?: string;
  gas?: number;
  description: string;
}

/** Has the wallet sign and send transactions, one after the other. `step` says what the wallet is being asked for. */
export function useSend() {
  const { chain } = useConfiguration();
  const config = useConfig();
  const [step, setStep] = useState("");

  async function send(transactions: Unsigned[]) {
    const { sendTransaction, waitForTransactionReceipt } = await import("./transactions");
    for (const { to, data, value, gas, description } of transactions) {
      setStep(`${description}: confirm in your wallet`);
      const hash = await sendTransaction(config, {
        to: to as `0x${string}`, data: data as `0x${string}`, value: BigInt(value ?? "0x0"), chainId: chain.id,
        ...(gas ? { gas: BigInt(gas) } : {}),
      });
      setStep(`${description}: waiting for the chain`);
      const receipt = await waitForTransactionReceipt(config, { hash, chainId: chain.id, timeout: 180_000 });
      if (receipt.status !== "success") throw new Error("The chain reverted the transaction; nothing was moved");
    }
  }

  return { send, step, setStep };
}
