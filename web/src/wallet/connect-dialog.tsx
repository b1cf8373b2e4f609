import { FlaskConicalIcon, WalletIcon } from "lucide-react";
import { useState } from "react";
import { useConnect, useConnectors, type Connector } from "wagmi";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent, DialogDescription, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Select } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { useConfiguration } from "@/lib/configuration";
import { shortAddress } from "@/lib/format";
import { chooseAccount, chosenAccount } from "./development-accounts";
import { useWallet } from "./use-wallet";

const DEVELOPMENT = "development";

/** Which wallet to connect. Connecting goes on to the sign-in, so that one click is enough. */
export function ConnectDialog({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const connect = useConnect();
  const connectors = useConnectors();
  const wallet = useWallet();
  const usable = offered(connectors);

  async function choose(connector: Connector) {
    try {
      const { accounts } = await connect.mutateAsync({ connector });
      onOpenChange(false);
      wallet.signInAs(accounts[0]);
    } catch {
      // Shown below.
    }
  }

  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent className="max-w-sm">
        <DialogHeader>
          <DialogTitle>Connect a wallet</DialogTitle>
          <DialogDescription>
            Your wallet then asks you to sign a message. That costs nothing and proves that the address is yours.
          </DialogDescription>
        </DialogHeader>
        {connect.error ? <ErrorAlert error={connect.error} title="The wallet did not connect" /> : null}
        <div className="flex flex-col gap-2">
          {__LOCAL__ ? <DevelopmentAccount /> : null}
          {usable.map((connector) => (
            <Button
              key={connector.uid} variant="outline" className="h-11 justify-start" disabled={connect.isPending}
              onClick={() => void choose(connector)}
            >
              <ConnectorIcon connector={connector} />
              {connector.id === "injected" ? "Browser wallet" : connector.name}
            </Button>
          ))}
          {usable.length === 0 ? (
            <p className="text-sm text-muted-foreground">
              No wallet was found in this browser. Install one, such as{" "}
              <a className="text-primary underline" href="https://metamask.io/download" rel="noreferrer">MetaMask</a>,
              and load this page again.
            </p>
          ) : null}
        </div>
      </DialogContent>
    </Dialog>
  );
}

/** A wallet that announces itself (EIP-6963) is offered by its name, and not once more as the browser's. */
function offered(connectors: readonly Connector[]): Connector[] {
  const named = connectors.some((connector) => connector.id !== "injected" && connector.id !== DEVELOPMENT);
  const hasInjected = "ethereum" in window && !named;
  return connectors.filter((connector) => connector.id !== "injected" || hasInjected);
}

function ConnectorIcon({ connector }: { connector: Connector }) {
  if (connector.icon) return <img src={connector.icon} alt="" className="size-5" />;
  return connector.id === DEVELOPMENT ? <FlaskConicalIcon aria-hidden /> : <WalletIcon aria-hidden />;
}

function DevelopmentAccount() {
  const { accounts } = useConfiguration();
  const [account, setAccount] = useState(
    () => chosenAccount() ?? accounts.find((candidate) => candidate.role === "user")?.address ?? "",
  );
  return (
    <Field label="Account of the development wallet" hint="Its keys are public: only for this local stack.">
      {(control) => (
        <Select
          {...control}
          value={account}
          onChange={(event) => {
            setAccount(event.target.value as `0x${string}`);
            chooseAccount(event.target.value);
          }}
        >
          {accounts.map((candidate) => (
            <option key={candidate.address} value={candidate.address}>
              {`${candidate.role} ${shortAddress(candidate.address)}`}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
