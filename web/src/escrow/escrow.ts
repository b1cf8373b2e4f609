import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useConfig } from "wagmi";
import { api, unwrap } from "@/api/client";
import { useSession } from "@/auth/session";
import type { components } from "@/api/schema";
import { useConfiguration } from "@/lib/configuration";
import { POLL_MILLISECONDS } from "@/api/query-client";

type Unsigned = components["schemas"]["UnsignedTransaction"];

/** For a wallet without deployments: no job has this id, and what the wallet itself has is told all the same. */
export const NO_JOB = "00000000-0000-0000-0000-000000000000";

/** What the chain holds for a job, and what the wallet has. */
export function useEscrow(jobId: string) {
  const session = useSession();
  return useQuery({
    queryKey: ["escrow", session?.wallet, jobId],
    queryFn: ({ signal }) => unwrap(api().GET("/api/escrow", { params: { query: { job_id: jobId } }, signal })),
    enabled: session !== null,
    refetchInterval: POLL_MILLISECONDS,
  });
}

/** Has the wallet sign and send what the API prepares. `step` says what the wallet is being asked for. */
export function useEscrowTransactions(jobId: string) {
  const { chain } = useConfiguration();
  const config = useConfig();
  const queries = useQueryClient();
  const [step, setStep] = useState("");

  async function send(transactions: Unsigned[]) {
    const { sendTransaction, waitForTransactionReceipt } = await import("@/wallet/transactions");
    for (const { to, data, value, gas, description } of transactions) {
      setStep(`${description}: confirm in your wallet`);
      const hash = await sendTransaction(config, {
        to: to as `0x${string}`, data: data as `0x${string}`, value: BigInt(value ?? "0x0"), gas: BigInt(gas), chainId: chain.id,
      });
      setStep(`${description}: waiting for the chain`);
      const receipt = await waitForTransactionReceipt(config, { hash, chainId: chain.id, timeout: 180_000 });
      if (receipt.status !== "success") throw new Error("The chain reverted the transaction; nothing was moved");
    }
  }

  const settled = () => {
    setStep("");
    void queries.invalidateQueries({ queryKey: ["escrow"] });
  };

  const deposit = useMutation({
    mutationFn: async (amount: string) => {
      setStep("Preparing");
      const ask = (permit?: { deadline: number; signature: string }) =>
        unwrap(api().POST("/api/escrow", { body: { job_id: jobId, amount, ...(permit ? { permit } : {}) } }));
      let answer = await ask();
      if (answer.permit && answer.transactions.length > 1) {
        // One signature instead of a transaction for the approval.
        setStep("Allow the deposit: sign in your wallet");
        const { signTypedData } = await import("@/wallet/transactions");
        const signature = await signTypedData(config, answer.permit.typed_data as never);
        answer = await ask({ deadline: answer.permit.deadline, signature });
      }
      await send(answer.transactions);
    },
    onSettled: settled,
  });
  const refund = useMutation({
    mutationFn: async () => {
      setStep("Preparing");
      const answer = await unwrap(api().DELETE("/api/escrow", { params: { query: { job_id: jobId } } }));
      await send(answer.transactions);
    },
    onSettled: settled,
  });
  return { deposit, refund, step };
}
