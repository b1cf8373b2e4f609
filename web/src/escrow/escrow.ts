import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useConfig } from "wagmi";
import { api, unwrap } from "@/api/client";
import { useSession } from "@/auth/session";
import { POLL_MILLISECONDS } from "@/api/query-client";
import { useSend } from "@/wallet/send";

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
  const config = useConfig();
  const queries = useQueryClient();
  const { send, step, setStep } = useSend();

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
