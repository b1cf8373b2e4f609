import { BadgeCheckIcon, ExternalLinkIcon, FileJsonIcon, WalletIcon } from "lucide-react";
import { lazy, Suspense, type ReactNode } from "react";
import { toast } from "sonner";
import { useConfig } from "wagmi";
import { api, unwrap } from "@/api/client";
import { messageOf } from "@/api/errors";
import { CopyButton } from "@/components/copy-button";
import { Term } from "@/components/term";
import { ErrorAlert } from "@/components/error-alert";
import { Badge, type BadgeVariant } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Fact } from "@/deployments/deployment-card";
import { useWallet } from "@/wallet/use-wallet";
import { useToken, type TokenView } from "./queries";

const Stewardship = lazy(() => import("./steward-parts"));

/** A token on chain: what there is of it, who is its steward, and what may be done with it. */
export function TokenCard({ address }: { address: string }) {
  const { data, error, refetch } = useToken(address);
  if (error && !data) return <ErrorAlert error={error} title="The token could not be loaded" onRetry={() => void refetch()} />;
  if (!data) return <Loading of="token" className="flex flex-col gap-3"><Skeleton className="h-48" /></Loading>;
  return <Shown token={data} />;
}

function Shown({ token }: { token: TokenView }) {
  const wallet = useWallet();
  return (
    <>
      <Card>
        <CardHeader className="flex flex-row flex-wrap items-center justify-between gap-2">
          <CardTitle>{token.name} ({token.symbol})</CardTitle>
          <VerifiedBadge token={token} />
        </CardHeader>
        <CardContent className="flex flex-col gap-3 text-sm">
          <dl className="grid grid-cols-2 gap-3">
            <Fact label="Address" className="col-span-2"><Address address={token.address} what="the token's address" href={token.explorer_url} /></Fact>
            <Fact label="Supply">{token.total_supply ?? "the chain does not answer"}</Fact>
            <Fact label="Maximum">{token.max_supply ?? "–"}</Fact>
            <Fact label={<Term text="Steward" of="steward" />} className="col-span-2">{token.steward ? <Address address={token.steward} what="the steward's address" /> : token.owner ? "nobody: nothing more is minted" : "–"}</Fact>
            <Fact label="Owner" className="col-span-2">{token.owner ? <Address address={token.owner} what="the owner's address" /> : "–"}</Fact>
          </dl>
          <div className="flex flex-wrap gap-2">
            {token.explorer_url ? <Button variant="outline" size="sm" asChild><a href={token.explorer_url} rel="noreferrer" target="_blank"><ExternalLinkIcon aria-hidden /> Explorer</a></Button> : null}
            {wallet.isConnected ? <WatchButton token={token} /> : null}
            <AbiButton address={token.address} />
            <CopyButton text={snippetOf(token)} label="Copy a program for viem that reads this token">Copy viem code</CopyButton>
          </div>
        </CardContent>
      </Card>
      {wallet.session ? <Suspense fallback={null}><Stewardship token={token} wallet={wallet.session.wallet} /></Suspense> : null}
    </>
  );
}

function snippetOf({ address, chain_id }: TokenView): string {
  return `import { createPublicClient, erc20Abi, http } from "viem";

const client = createPublicClient({ transport: http(process.env.RPC_URL) }); // a node of chain ${chain_id}
const token = { address: "${address}", abi: erc20Abi } as const;
console.log(await client.readContract({ ...token, functionName: "totalSupply" }));
`;
}

function Address({ address, what, href }: { address: string; what: string; href?: string | null }) {
  const code: ReactNode = <code className="text-xs break-all">{address}</code>;
  return (
    <span className="flex items-center gap-2">
      {href ? <a className="text-primary underline" href={href} rel="noreferrer" target="_blank">{code}</a> : code}
      <CopyButton text={address} label={`Copy ${what}`} variant="ghost" />
    </span>
  );
}

const VERDICTS: Record<TokenView["verification"]["status"], [string, BadgeVariant]> = {
  verified: ["Source verified", "success"],
  partial: ["Source verified in part", "info"],
  pending: ["Source is being verified", "warning"],
  failed: ["Source not verified", "destructive"],
  off: ["Source not submitted", "outline"],
};

function VerifiedBadge({ token: { verification } }: { token: TokenView }) {
  const [text, variant] = VERDICTS[verification.status];
  const [url] = verification.urls ?? [];
  const badge = <Badge variant={variant}>{variant === "success" ? <BadgeCheckIcon aria-hidden /> : null}{text}</Badge>;
  return url ? <a href={url} rel="noreferrer" target="_blank">{badge}</a> : badge;
}

function WatchButton({ token }: { token: TokenView }) {
  const config = useConfig();
  async function watch() {
    try {
      const { watchAsset } = await import("@/wallet/transactions");
      const { type, options } = token.wallet_asset;
      if (await watchAsset(config, { type: type ?? "ERC20", options })) toast.success(`${token.symbol} is in your wallet's list`);
    } catch (error) {
      toast.error("It was not added", { description: messageOf(error) });
    }
  }
  return <Button variant="outline" size="sm" onClick={() => void watch()}><WalletIcon aria-hidden /> Add to wallet</Button>;
}

function AbiButton({ address }: { address: string }) {
  async function copy() {
    try {
      const abi = await unwrap(api().GET("/api/tokens/{address}/abi", { params: { path: { address } } }));
      await navigator.clipboard.writeText(JSON.stringify(abi, null, 2));
      toast.success("The ABI is on the clipboard");
    } catch (error) {
      toast.error("The ABI was not copied", { description: messageOf(error) });
    }
  }
  return <Button variant="outline" size="sm" onClick={() => void copy()}><FileJsonIcon aria-hidden /> Copy ABI</Button>;
}
