import { ArrowLeftIcon, FlaskConicalIcon, KeyRoundIcon, ScanQrCodeIcon, WalletIcon } from "lucide-react";
import { lazy, Suspense, useRef, useState } from "react";
import { useConnect, useConnectors, useDisconnect, type Connector } from "wagmi";
import { ErrorAlert } from "@/components/error-alert";
import { Term } from "@/components/term";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent, DialogDescription, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Select } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import type { LocalAccount } from "@/config";
import { useConfiguration } from "@/lib/configuration";
import { shortAddress } from "@/lib/format";
import { chooseAccount, chosenAccount } from "./development-accounts";
import { COINBASE_WALLET, WALLET_CONNECT } from "./remote-wallets";
import { useWallet } from "./use-wallet";

const PairingCode = lazy(() => import("./pairing-code"));
const DEVELOPMENT = "development";
const ICONS: Record<string, typeof WalletIcon> = { [DEVELOPMENT]: FlaskConicalIcon, [WALLET_CONNECT]: ScanQrCodeIcon, [COINBASE_WALLET]: KeyRoundIcon };
const ABOUT: Record<string, string> = {
  [WALLET_CONNECT]: "A wallet on your telephone",
  [COINBASE_WALLET]: "No wallet yet? Make one with a passkey",
};

/** Which wallet to connect. Connecting goes on to the sign-in, so that one click is enough. */
export default function ConnectDialog({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const connect = useConnect();
  const disconnect = useDisconnect();
  const connectors = useConnectors();
  const wallet = useWallet();
  const usable = offered(connectors);

  const attempt = useRef(0);
  const [pairing, setPairing] = useState<{ uri: string } | null>(null);

  async function choose(connector: Connector) {
    const mine = ++attempt.current;
    const isStillWanted = () => mine === attempt.current;
    const show = ({ type, data }: { type: string; data?: unknown }) => {
      if (type === "display_uri" && isStillWanted()) setPairing({ uri: String(data) });
    };
    connector.emitter.on("message", show);
    try {
      if (connector.id === WALLET_CONNECT) setPairing({ uri: "" });
      const { accounts } = await connect.mutateAsync({ connector });
      if (!isStillWanted()) return disconnect.mutate({ connector });
      onOpenChange(false);
      // It signs in a window of its own, which browsers block unless it follows a click.
      if (connector.id !== COINBASE_WALLET) wallet.signInAs(accounts[0]);
    } catch {
      // Shown below.
    } finally {
      connector.emitter.off("message", show);
      if (isStillWanted()) setPairing(null);
    }
  }

  function giveUp() {
    attempt.current += 1;
    setPairing(null);
    connect.reset();
  }

  return (
    <Dialog
      open={open}
      onOpenChange={(next) => {
        giveUp();
        onOpenChange(next);
      }}
    >
      <DialogContent className="max-w-sm">
        <DialogHeader>
          <DialogTitle>Connect a wallet</DialogTitle>
          <DialogDescription>
            Your wallet then asks you to sign a message with a <Term text="nonce" of="nonce" />. That costs nothing and proves that the address is yours.
          </DialogDescription>
        </DialogHeader>
        {connect.error ? <ErrorAlert error={connect.error} title="The wallet did not connect" /> : null}
        {pairing ? (
          <>
            <Suspense fallback={<Waiting />}>{pairing.uri ? <PairingCode uri={pairing.uri} /> : <Waiting />}</Suspense>
            <Button variant="ghost" onClick={giveUp}><ArrowLeftIcon aria-hidden /> Choose another wallet</Button>
          </>
        ) : (
          <Choice connectors={usable} isPending={connect.isPending} onChoose={(connector) => void choose(connector)} />
        )}
      </DialogContent>
    </Dialog>
  );
}

function Waiting() {
  return <Loading of="code"><Skeleton className="mx-auto aspect-square w-full max-w-64" /></Loading>;
}

function Choice({
  connectors, isPending, onChoose,
}: { connectors: Connector[]; isPending: boolean; onChoose: (connector: Connector) => void }) {
  return (
    <div className="flex flex-col gap-2">
      {__LOCAL__ ? <DevelopmentAccount /> : null}
      {connectors.map((connector) => (
        <Button
          key={connector.uid} variant="outline" className="h-auto min-h-11 justify-start py-2 text-left" disabled={isPending}
          onClick={() => onChoose(connector)}
        >
          <ConnectorIcon connector={connector} />
          <span className="flex flex-col">
            {connector.id === "injected" ? "Browser wallet" : connector.name}
            {ABOUT[connector.id] ? <span className="text-xs font-normal text-muted-foreground">{ABOUT[connector.id]}</span> : null}
          </span>
        </Button>
      ))}
      {connectors.some(isInBrowser) ? null : (
        <p className="text-sm text-muted-foreground">
          No wallet was found in this browser. {connectors.length > 0 ? "Choose one above, or install" : "Install"} one, such as{" "}
          <a className="text-primary underline" href="https://metamask.io/download" rel="noreferrer">MetaMask</a>,
          and load this page again.
        </p>
      )}
    </div>
  );
}

/** Whether a wallet is in this browser, as an extension or as the development wallet. */
function isInBrowser({ id }: Connector): boolean {
  return id !== WALLET_CONNECT && id !== COINBASE_WALLET;
}

/** A wallet that announces itself (EIP-6963) is offered by its name, and not once more as the browser's. */
function offered(connectors: readonly Connector[]): Connector[] {
  const named = connectors.some((connector) => isInBrowser(connector) && connector.id !== "injected" && connector.id !== DEVELOPMENT);
  const hasInjected = "ethereum" in window && !named;
  return connectors.filter((connector) => connector.id !== "injected" || hasInjected);
}

function ConnectorIcon({ connector }: { connector: Connector }) {
  if (connector.icon) return <img src={connector.icon} alt="" className="size-5" />;
  const Icon = ICONS[connector.id] ?? WalletIcon;
  return <Icon aria-hidden />;
}

function DevelopmentAccount() {
  const { accounts } = useConfiguration();
  if (accounts.length === 0) return null;
  return <AccountChoice accounts={accounts} />;
}

function AccountChoice({ accounts }: { accounts: LocalAccount[] }) {
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
