import { CircleCheckIcon, CircleSlashIcon, CircleXIcon, LoaderCircleIcon } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { isOver, type BuildStatus, type ChainDeployment } from "./types";

/** A status in words, a colour and a sign, so that none of them has to be seen. */
export function BuildStatusBadge({ status }: { status: BuildStatus }) {
  if (status === "complete") return <Badge variant="success"><CircleCheckIcon aria-hidden /> complete</Badge>;
  if (status === "failed") return <Badge variant="destructive"><CircleXIcon aria-hidden /> failed</Badge>;
  if (status === "cancelled") return <Badge variant="secondary"><CircleSlashIcon aria-hidden /> cancelled</Badge>;
  return <Badge variant="info"><Turning isTurning={!isOver(status)} /> {status}</Badge>;
}

export function ChainStatusBadge({ status }: { status: ChainDeployment["status"] }) {
  if (status === "deployed") return <Badge variant="success"><CircleCheckIcon aria-hidden /> deployed</Badge>;
  if (status === "failed") return <Badge variant="destructive"><CircleXIcon aria-hidden /> failed</Badge>;
  if (status === "cancelled") return <Badge variant="secondary"><CircleSlashIcon aria-hidden /> cancelled</Badge>;
  return <Badge variant="info"><Turning isTurning /> {status}</Badge>;
}

function Turning({ isTurning }: { isTurning: boolean }) {
  return <LoaderCircleIcon aria-hidden className={isTurning ? "animate-spin" : undefined} />;
}
