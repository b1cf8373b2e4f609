import { KeyRoundIcon, LogInIcon, ShieldAlertIcon, WalletIcon } from "lucide-react";
import type { ReactNode } from "react";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import {
  AlertDialog, AlertDialogContent, AlertDialogDescription, AlertDialogFooter, AlertDialogTitle,
} from "@/components/ui/alert-dialog";
import { Button } from "@/components/ui/button";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { ConnectButton } from "@/wallet/connect-button";
import { useWallet } from "@/wallet/use-wallet";
import { type Role, useLapsed } from "./session";

/** Its content for who is signed in (and has the role), or else the way to get there. */
export function RequireSession({ role, children }: { role?: Role; children: ReactNode }) {
  const wallet = useWallet();
  const lapsed = useLapsed();
  if (wallet.isSettling && !wallet.isConnected) {
    return <Loading of="session" className="flex flex-col gap-3"><Skeleton className="h-24" /><Skeleton className="h-48" /></Loading>;
  }
  if (!wallet.isConnected) {
    return (
      <EmptyState icon={<WalletIcon aria-hidden />} title="Connect your wallet to see what is yours">
        <p className="max-w-md text-sm text-muted-foreground">
          Slipway knows you by your wallet's address. It never holds your keys: what you pay for, you sign yourself.
        </p>
        <ConnectButton>Choose a wallet</ConnectButton>
      </EmptyState>
    );
  }
  const hasLapsed = !wallet.session && lapsed?.toLowerCase() === wallet.address?.toLowerCase();
  if (!wallet.session && !hasLapsed) {
    return (
      <div className="flex flex-col gap-3">
        {wallet.signInError ? <ErrorAlert error={wallet.signInError} title="Signing in failed" /> : null}
        <EmptyState icon={<KeyRoundIcon aria-hidden />} title="Sign in to go on">
          <p className="max-w-md text-sm text-muted-foreground">
            Your wallet signs a message that proves the address is yours. It costs nothing, and holds for thirty days in this browser.
          </p>
          <Button onClick={wallet.signIn} disabled={wallet.isSigningIn}>
            <LogInIcon aria-hidden /> {wallet.isSigningIn ? "Waiting for your wallet…" : "Sign in with Ethereum"}
          </Button>
        </EmptyState>
      </div>
    );
  }
  if (role && wallet.session && !wallet.session.roles.includes(role)) {
    return (
      <EmptyState icon={<ShieldAlertIcon aria-hidden />} title={`This page is for the role ${role}`}>
        <p className="text-sm text-muted-foreground">Connect a wallet that has it.</p>
      </EmptyState>
    );
  }
  // In one place either way, so that React keeps what it holds.
  return <>{children}{hasLapsed ? <SignInAgain /> : null}</>;
}

/** Over what is shown and was typed, which stays, for who was signed in until the API refused the session. */
function SignInAgain() {
  const wallet = useWallet();
  return (
    <AlertDialog open>
      <AlertDialogContent>
        <div className="flex flex-col gap-1">
          <AlertDialogTitle>Your session has ended</AlertDialogTitle>
          <AlertDialogDescription>Sign in again to go on where you are. What you have typed is still there.</AlertDialogDescription>
        </div>
        {wallet.signInError ? <ErrorAlert error={wallet.signInError} title="Signing in failed" /> : null}
        <AlertDialogFooter>
          <Button variant="outline" onClick={wallet.signOut}>Sign out</Button>
          <Button onClick={wallet.signIn} disabled={wallet.isSigningIn}>
            <LogInIcon aria-hidden /> {wallet.isSigningIn ? "Waiting for your wallet…" : "Sign in with Ethereum"}
          </Button>
        </AlertDialogFooter>
      </AlertDialogContent>
    </AlertDialog>
  );
}
