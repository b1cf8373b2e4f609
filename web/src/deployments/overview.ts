import type { BadgeVariant } from "@/components/ui/badge";
import { isWorkload, type Deployment, type LiveStatus, type Workload } from "./types";

export const TABS = ["active", "done", "all", "closed"] as const;
export type Tab = (typeof TABS)[number];

const ENDED = new Set(["closed", "error", "failed"]);
// A launched token lives on without costing anything: it is neither active nor closed.
const DONE = new Set(["completed"]);
// Ends that somebody chose, or that the market did: nothing broke.
const ORDINARY = new Set(["CANCELLED", "BID_TIMEOUT", "FUNDS_EXHAUSTED", "PAYMENT_REQUIRED"]);

/** Whether it is running or on its way. */
export function isActive({ status }: { status: string }): boolean {
  return !ENDED.has(status) && !DONE.has(status);
}

export function isEnded({ status }: { status: string }): boolean {
  return ENDED.has(status);
}

/** Whether it ended as things may end, without a fault. */
export function isOrdinaryEnd({ error }: { error?: { code: string } | null }): boolean {
  return error != null && ORDINARY.has(error.code);
}

const IN_TAB: Record<Tab, (deployment: { status: string }) => boolean> = {
  active: isActive, done: ({ status }) => DONE.has(status), all: () => true, closed: isEnded,
};

export function inTab(deployment: { status: string }, tab: Tab): boolean {
  return IN_TAB[tab](deployment);
}

export function countTabs(deployments: Deployment[]): Record<Tab, number> {
  return Object.fromEntries(TABS.map((tab) => [tab, deployments.filter(IN_TAB[tab]).length])) as Record<Tab, number>;
}

/** How a status looks: what goes well, what is on its way, what is over, what went wrong. */
export function statusVariant(status: string): BadgeVariant {
  if (status === "active" || status === "completed") return "success";
  if (status === "error" || status === "failed") return "destructive";
  return status === "closed" ? "secondary" : "warning";
}

export interface Overview {
  active: number;
  /** US dollars that all workloads have cost so far. */
  spent: number;
  /** US dollars that the active ones cost a day. */
  burnPerDay: number;
  /** Seconds until the first active workload runs out of money; null when nothing is paid or nobody has told. */
  runwaySeconds: number | null;
  /** Whether a part is reckoned from prices and times, because Akash has not told it. */
  isEstimate: boolean;
}

/**
 * The figures over all deployments.
 *
 * @param live What Akash tells of workloads, by their id. A workload that it does not tell of counts by its price and
 *   the time since its services were there.
 */
export function overviewOf(deployments: Deployment[], live: Record<string, LiveStatus>, now: number): Overview {
  const overview: Overview = { active: 0, spent: 0, burnPerDay: 0, runwaySeconds: null, isEstimate: false };
  for (const deployment of deployments) {
    if (isActive(deployment)) overview.active += 1;
    if (!isWorkload(deployment)) continue;
    const cost = live[deployment.deployment_id]?.cost;
    if (cost?.spent.usd != null) {
      overview.spent += Number(cost.spent.usd);
      overview.isEstimate ||= cost.estimate;
    } else {
      const reckoned = reckonedSpending(deployment, now);
      overview.spent += reckoned;
      overview.isEstimate ||= reckoned > 0;
    }
    if (!isActive(deployment)) continue;
    overview.burnPerDay += Number(cost?.burn_per_day.usd ?? 24 * Number(deployment.usd_per_hour ?? 0));
    const runway = cost?.runway_seconds;
    if (runway != null) overview.runwaySeconds = Math.min(runway, overview.runwaySeconds ?? runway);
  }
  return overview;
}

/** US dollars by a workload's price and the time that it has been running. */
export function reckonedSpending(workload: Workload, now: number): number {
  if (!workload.usd_per_hour || !workload.active_at) return 0;
  const end = workload.closed_at ? Date.parse(workload.closed_at) : now;
  return (Number(workload.usd_per_hour) * Math.max(0, end - Date.parse(workload.active_at))) / 3_600_000;
}

/** Where a workload is reached, as what can be shown and, for web addresses, opened. */
export function endpointsOf(workload: Pick<Workload, "services" | "forwarded_ports" | "ips">): Endpoint[] {
  const uris = Object.values(workload.services ?? {}).flatMap((service) => service.uris ?? []);
  const ports = [workload.forwarded_ports, workload.ips].flatMap((byService) => Object.values(byService ?? {}).flat());
  return [
    ...uris.map((uri) => ({ text: uri, href: `http://${uri}` })),
    ...ports.map((port) => ({ text: `${port.host}:${port.external_port} → ${port.port}`, href: null })),
  ];
}

export interface Endpoint {
  text: string;
  href: string | null;
}
