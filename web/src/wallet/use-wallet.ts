import { useMutation, useMutationState, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useConnection, useDisconnect, useSignMessage, useSwitchChain } from "wagmi";
import { signIn, signOut } from "@/auth/sign-in";
import { getSession, useSession } from "@/auth/session";
import { useConfiguration } from "@/lib/configuration";

const SIGN_IN = ["sign-in"];

/** The connected wallet, whether its owner is signed in, and whether it is on the right network. */
export function useWallet() {
  const { chain } = useConfiguration();
  const connection = useConnection();
  const session = useSession();
  const disconnect = useDisconnect();
  const switchChain = useSwitchChain();
  const signMessage = useSignMessage();
  const queries = useQueryClient();
  const { address, isConnected } = connection;

  const signing = useMutation({
    mutationKey: SIGN_IN,
    mutationFn: (account: `0x${string}`) =>
      signIn(account, chain.id, (message) => signMessage.mutateAsync({ account, message })),
    onSuccess: () => queries.invalidateQueries(),
  });

  // Whoever began it, everybody who shows the wallet tells how it goes.
  const attempt = useMutationState({ filters: { mutationKey: SIGN_IN }, select: ({ state }) => state }).at(-1);

  return {
    address,
    isConnected,
    isSettling: connection.status === "reconnecting" || connection.status === "connecting",
    session: isConnected ? session : null,
    isWrongNetwork: isConnected && connection.chainId !== chain.id,
    chain,
    signIn: () => address && signing.mutate(address),
    signInAs: (account: `0x${string}`) => signing.mutate(account),
    isSigningIn: attempt?.status === "pending",
    signInError: attempt?.error ?? null,
    switchNetwork: () => switchChain.mutate({ chainId: chain.id }),
    isSwitching: switchChain.isPending,
    switchError: switchChain.error,
    signOut: () => {
      signOut();
      queries.clear();
      disconnect.mutate({});
    },
  };
}

/** Ends a session when another account is connected: what is shown must belong to the address that is shown. */
export function useSessionFollowsWallet(): void {
  const { address } = useConnection();
  const queries = useQueryClient();
  useEffect(() => {
    const session = getSession();
    if (address && session && session.wallet.toLowerCase() !== address.toLowerCase()) {
      signOut();
      queries.clear();
    }
  }, [address, queries]);
}
