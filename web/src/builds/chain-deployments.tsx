import { ExternalLinkIcon, RocketIcon, RotateCwIcon } from "lucide-react";
import { toast } from "sonner";
import { CopyButton } from "@/components/copy-button";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { useConfiguration } from "@/lib/configuration";
import { ether, shortAddress } from "@/lib/format";
import { ChainStatusBadge } from "./build-status-badge";
import { useDeployBuild } from "./queries";
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
  const again = deployments.filter(({ status }) => CAN_GO_AGAIN.has(status)).map(({ chain_id }) => chain_id);
  const others = buildChains.filter(({ id }) => !deployments.some(({ chain_id }) => chain_id === id));
  const deployTo = (chains: number[]) =>
    deploy.mutate(chains, { onSuccess: () => toast.success("The deployment was accepted") });

  return (
    <Card>
      <CardHeader><CardTitle>Deployments</CardTitle></CardHeader>
      <CardContent className="flex flex-col gap-3">
        {deploy.error ? <ErrorAlert error={deploy.error} title="It was not deployed" /> : null}
        <ul aria-label="Deployments by chain" className="flex flex-col divide-y">
          {deployments.map((deployment) => (
            <li key={deployment.chain_id} className="flex flex-col gap-1.5 py-2.5 first:pt-0">
              <div className="flex flex-wrap items-center gap-2 text-sm">
                <span className="font-medium">{deployment.chain_name}</span>
                <span className="text-muted-foreground">({deployment.chain_id})</span>
                <ChainStatusBadge status={deployment.status} />
                {canDeploy && CAN_GO_AGAIN.has(deployment.status) ? (
                  <Button size="sm" variant="outline" className="ml-auto" onClick={() => deployTo([deployment.chain_id])}>
                    <RotateCwIcon aria-hidden /> {deployment.status === "failed" ? "Try again" : "Deploy"}
                    <span className="sr-only"> on {deployment.chain_name}</span>
                  </Button>
                ) : null}
              </div>
              <Result deployment={deployment} />
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

function Result({ deployment }: { deployment: ChainDeployment }) {
  const { address, tx_hash, gas_used, cost, error, error_code, explorer_url } = deployment;
  return (
    <>
      {address ? (
        <p className="flex flex-wrap items-center gap-2 text-sm">
          <code className="text-xs break-all">{address}</code>
          <CopyButton text={address} label={`Copy the contract's address on ${deployment.chain_name}`} variant="ghost" size="icon" className="size-7" />
        </p>
      ) : null}
      {tx_hash ? (
        <p className="text-xs text-muted-foreground">
          Transaction {explorer_url ? (
            <a href={explorer_url} rel="noreferrer" className="text-primary underline">
              <code>{shortAddress(tx_hash)}</code> <ExternalLinkIcon aria-hidden className="inline size-3" />
            </a>
          ) : <code title={tx_hash}>{shortAddress(tx_hash)}</code>}
          {gas_used ? ` · ${Number(gas_used).toLocaleString("en-US")} gas` : ""}{cost ? ` · ${ether(cost)}` : ""}
        </p>
      ) : null}
      {error ? <p className="text-sm text-destructive">{error}{error_code ? ` (${error_code})` : ""}</p> : null}
    </>
  );
}
