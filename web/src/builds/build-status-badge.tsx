import { CircleCheckIcon, CircleDashedIcon, CircleSlashIcon, CircleXIcon, LoaderCircleIcon, TriangleAlertIcon, UserCogIcon } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { isOver, type Build, type BuildStatus, type ChainDeployment } from "./types";

/** A status in words, a colour and a sign, so that none of them has to be seen. */
export function BuildStatusBadge({ status }: { status: BuildStatus }) {
  if (status === "complete") return <Badge variant="success"><CircleCheckIcon aria-hidden /> complete</Badge>;
  if (status === "failed") return <Badge variant="destructive"><CircleXIcon aria-hidden /> failed</Badge>;
  if (status === "cancelled") return <Badge variant="secondary"><CircleSlashIcon aria-hidden /> cancelled</Badge>;
  return <Badge variant="info"><Turning isTurning={!isOver(status)} /> {status}</Badge>;
}

/** `isOver` says that the build has ended: what it left undone waits for somebody, and does not turn. */
export function ChainStatusBadge({ status, isOver: hasEnded }: { status: ChainDeployment["status"]; isOver: boolean }) {
  if (status === "deployed") return <Badge variant="success"><CircleCheckIcon aria-hidden /> deployed</Badge>;
  if (status === "failed") return <Badge variant="destructive"><CircleXIcon aria-hidden /> failed</Badge>;
  if (status === "cancelled") return <Badge variant="secondary"><CircleSlashIcon aria-hidden /> cancelled</Badge>;
  if (hasEnded && status === "pending") return <Badge variant="secondary"><CircleDashedIcon aria-hidden /> not deployed</Badge>;
  return <Badge variant="info"><Turning isTurning={!hasEnded} /> {status}</Badge>;
}

function Turning({ isTurning }: { isTurning: boolean }) {
  return <LoaderCircleIcon aria-hidden className={isTurning ? "animate-spin" : undefined} />;
}

/** Beside a status, in short: what the contract lacks, and how much of it is in somebody's power. */
export function PromiseBadges({ build }: { build: Build }) {
  const { not_honoured: lacking, powers } = build;
  return (
    <>
      {lacking.length > 0 ? <Badge variant="warning" title={lacking.map(({ text }) => `“${text}”`).join(", ")}><TriangleAlertIcon aria-hidden /> {lacking.length} not honoured</Badge> : null}
      {powers.length > 0 ? <Badge variant="outline" title={powers.join("\n")}><UserCogIcon aria-hidden /> {powers.length} {powers.length === 1 ? "power" : "powers"}</Badge> : null}
    </>
  );
}
