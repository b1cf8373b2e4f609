import { ExternalLinkIcon, RocketIcon, RotateCwIcon, WalletIcon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { Copied } from "@/components/copied";
import { CopyButton } from "@/components/copy-button";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { useConfiguration } from "@/lib/configuration";
import { ether, shortAddress } from "@/lib/format";
import { ChainStatusBadge } from "./build-status-badge";
import { useCreateByWallet, useDeployBuild } from "./queries";
import { isOver, type Build, type ChainDeployment } from "./types";

const CAN_GO_AGAIN = new Set<ChainDeployment["status"]>(["failed", "cancelled", "pending"]);

/** A build's contract on each of its chains, with another try where it failed. */
export function ChainDeployments({ build }: { build: Build }) {
  const { buildChains } = useConfiguration();
  const deploy = useDeployBuild(build);
  const report = build.audit_report as { passed?: boolean } | null | undefined;
  const deployments: ChainDeployment[] =
    build.deployments ?? build.chains.map(({ chain_id, chain_name }) => ({ chain_id, chain_name, status: "pending" }));
  const canDeploy = isOver(build.status) && report?.passed === true && !deploy.isPending;
  const again = deployments.filter(({ status, transaction }) => !transaction && CAN_GO_AGAIN.has(status)).map(({ chain_id }) => chain_id);
  const others = buildChains.filter(({ id }) => !deployments.some(({ chain_id }) => chain_id === id));
  const deployTo = (chains: number[]) =>
    deploy.mutate(chains, { onSuccess: () => toast.success("The deployment was accepted") });

  return (
    <Card>
      <CardHeader><CardTitle>Deployments</CardTitle></CardHeader>
      <CardContent className="flex flex-col gap-3">
        {deploy.error ? <ErrorAlert error={deploy.error} title="It was not deployed" /> : null}
        {canDeploy && build.deployments == null ? <p className="text-sm">It waits for you: look at the code and the audit, then deploy it. What is on a chain stays there.</p> : null}
        <ul aria-label="Deployments by chain" className="flex flex-col divide-y">
          {deployments.map((deployment) => (
            <li key={deployment.chain_id} className="flex flex-col gap-1.5 py-2.5 first:pt-0">
              <div className="flex flex-wrap items-center gap-2 text-sm">
                <span className="font-medium">{deployment.chain_name}</span>
                <span className="text-muted-foreground">({deployment.chain_id})</span>
                <ChainStatusBadge status={deployment.status} isOver={isOver(build.status)} />
                {canDeploy && !deployment.transaction && CAN_GO_AGAIN.has(deployment.status) ? (
                  <Button size="sm" variant="outline" className="ml-auto" onClick={() => deployTo([deployment.chain_id])}>
                    <RotateCwIcon aria-hidden /> {deployment.status === "failed" ? "Try again" : "Deploy"}
                    <span className="sr-only"> on {deployment.chain_name}</span>
                  </Button>
                ) : null}
              </div>
              <Result build={build} deployment={deployment} />
            </li>
          ))}
        </ul>
        {canDeploy && (again.length > 1 || others.length > 0) ? (
          <div className="flex flex-wrap gap-2">
            {again.length > 1 ? <Button size="sm" variant="outline" onClick={() => deployTo(again)}><RotateCwIcon aria-hidden /> All {again.length} again</Button> : null}
            {others.map(({ id, name }) => (
              <Button key={id} size="sm" variant="outline" onClick={() => deployTo([id])}><RocketIcon aria-hidden /> Deploy to {name}</Button>
            ))}
          </div>
        ) : null}
      </CardContent>
    </Card>
  );
}

function Result({ build, deployment }: { build: Build; deployment: ChainDeployment }) {
  const { address, tx_hash, gas_used, cost, currency, error, error_code, explorer_url, explorer_contract_url, snippets, chain_name } = deployment;
  return (
    <>
      {address ? (
        <p className="flex flex-wrap items-center gap-2 text-sm">
          <Copied text={address} what={`contract's address on ${chain_name}`} />
          {explorer_contract_url ? <Outside href={explorer_contract_url}>Explorer</Outside> : null}
        </p>
      ) : null}
      {tx_hash ? (
        <p className="flex flex-wrap items-center gap-x-1 text-xs text-muted-foreground">
          Transaction <Copied text={tx_hash} short={shortAddress(tx_hash)} what={`transaction's hash on ${chain_name}`} />
          {explorer_url ? <Outside href={explorer_url}>Explorer</Outside> : null}
          {gas_used ? ` · ${Number(gas_used).toLocaleString("en-US")} gas` : ""}{cost ? ` · ${ether(cost, currency)}` : ""}
        </p>
      ) : null}
      {error ? <p className="text-sm text-destructive">{error}{error_code ? ` (${error_code})` : ""}</p> : null}
      {deployment.status !== "deployed" && deployment.transaction && isOver(build.status) ? <ByWallet build={build} deployment={deployment} /> : null}
      {address && snippets ? (
        <div className="flex flex-wrap gap-2">
          <CopyButton text={snippets.viem} label="Copy a program for viem that reads it">Copy viem code</CopyButton>
          <CopyButton text={snippets.web3_py} label="Copy a program for web3.py that reads it">For web3.py</CopyButton>
          {deployment.constructor_arguments_encoded ? <CopyButton text={deployment.constructor_arguments_encoded} label="Copy the encoded arguments of its constructor">Arguments</CopyButton> : null}
        </div>
      ) : null}
    </>
  );
}

function Outside({ href, children }: { href: string; children: string }) {
  return <a href={href} rel="noreferrer" target="_blank" className="inline-flex items-center gap-1 text-xs text-primary underline">{children} <ExternalLinkIcon aria-label="(opens in a new tab)" className="size-3" /></a>;
}

/** The caller's wallet creates the contract here; or somewhere else, and the hash is given. */
function ByWallet({ build, deployment }: { build: Build; deployment: ChainDeployment }) {
  const [hash, setHash] = useState("");
  const { create, take } = useCreateByWallet(build);
  const error = create.error ?? take.error;

  function submit(event: FormEvent) {
    event.preventDefault();
    take.mutate({ chainId: deployment.chain_id, hash: hash.trim() });
  }

  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap gap-2">
        <Button size="sm" disabled={create.isPending} onClick={() => create.mutate(deployment)}>
          <WalletIcon aria-hidden /> {create.isPending ? "Waiting for your wallet…" : "Deploy with my wallet"}
          <span className="sr-only"> on {deployment.chain_name}</span>
        </Button>
        <CopyButton text={JSON.stringify(deployment.transaction, null, 2)} label={`Copy the unsigned transaction for ${deployment.chain_name}`}>Unsigned transaction</CopyButton>
      </div>
      <details>
        <summary className="cursor-pointer text-xs text-muted-foreground">It was sent elsewhere</summary>
        <form onSubmit={submit} className="mt-2 flex flex-wrap items-end gap-2">
          <Field label="Hash of the transaction" className="min-w-0 flex-1">
            {(control) => <Input {...control} required pattern="0x[0-9a-fA-F]{64}" spellCheck={false} value={hash} onChange={(event) => setHash(event.target.value)} />}
          </Field>
          <Button type="submit" size="sm" variant="outline" disabled={take.isPending}>Follow it</Button>
        </form>
      </details>
      {error ? <ErrorAlert error={error} title="It is not deployed by your wallet" /> : null}
    </div>
  );
}
