import { CheckIcon, CopyIcon, LogInIcon, LogOutIcon, WalletIcon } from "lucide-react";
import { toast } from "sonner";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import {
  DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuLabel, DropdownMenuSeparator, DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";
import { shortAddress } from "@/lib/format";
import { ConnectButton } from "./connect-button";
import { useWallet } from "./use-wallet";

/** In the header: connect, sign in, or who it is. */
export function WalletButton() {
  const wallet = useWallet();
  if (!wallet.isConnected || !wallet.address) {
    return <ConnectButton disabled={wallet.isSettling}><WalletIcon aria-hidden /> Connect wallet</ConnectButton>;
  }
  const roles = wallet.session?.roles.filter((role) => role !== "user") ?? [];
  return (
    <div className="flex items-center gap-2">
      {wallet.session ? null : (
        <Button onClick={wallet.signIn} disabled={wallet.isSigningIn}>
          <LogInIcon aria-hidden /> {wallet.isSigningIn ? "Signing in…" : "Sign in"}
        </Button>
      )}
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <Button variant="outline" aria-label={`Wallet ${shortAddress(wallet.address)}`}>
            {wallet.session ? <CheckIcon aria-hidden className="text-success" /> : <WalletIcon aria-hidden />}
            <span className="font-mono text-xs">{shortAddress(wallet.address)}</span>
          </Button>
        </DropdownMenuTrigger>
        <DropdownMenuContent>
          <DropdownMenuLabel>
            <span className="block max-w-56 break-all font-mono">{wallet.address}</span>
            <span className="mt-1 flex gap-1">
              {wallet.session ? "Signed in" : "Not signed in"}
              {roles.map((role) => <Badge key={role} variant="secondary">{role}</Badge>)}
            </span>
          </DropdownMenuLabel>
          <DropdownMenuSeparator />
          <DropdownMenuItem
            onSelect={() => {
              void navigator.clipboard.writeText(wallet.address ?? "");
              toast.success("Address copied");
            }}
          >
            <CopyIcon aria-hidden /> Copy address
          </DropdownMenuItem>
          <DropdownMenuItem onSelect={wallet.signOut}>
            <LogOutIcon aria-hidden /> Disconnect
          </DropdownMenuItem>
        </DropdownMenuContent>
      </DropdownMenu>
    </div>
  );
}
