import type { Deployment, Workload } from "./types";
import { isWorkload } from "./types";

const DAY_MILLISECONDS = 86_400_000;
const HOUR_MILLISECONDS = 3_600_000;

export interface SpendingDay {
  /** In UTC, as `YYYY-MM-DD`. */
  date: string;
  usd: number;
}

/**
 * What workloads cost on each of the last `days` days, today included: their price times the time that they ran.
 *
 * Where Akash has said what a closed workload cost in the end, its days are scaled to that.
 */
export function spendingByDay(deployments: Deployment[], days: number, now: number): SpendingDay[] {
  const first = Math.floor(now / DAY_MILLISECONDS) - days + 1;
  const sums = Array.from({ length: days }, () => 0);
  for (const workload of deployments.filter(isWorkload)) {
    const [start, end] = timesOf(workload, now);
    const perHour = pricePerHour(workload, end - start);
    if (!(perHour > 0)) continue;
    for (let day = Math.max(first, Math.floor(start / DAY_MILLISECONDS)); day < first + days && day * DAY_MILLISECONDS < end; day++) {
      const time = Math.min(end, (day + 1) * DAY_MILLISECONDS) - Math.max(start, day * DAY_MILLISECONDS);
      sums[day - first] = (sums[day - first] ?? 0) + (perHour * Math.max(0, time)) / HOUR_MILLISECONDS;
    }
  }
  return sums.map((usd, index) => ({ date: new Date((first + index) * DAY_MILLISECONDS).toISOString().slice(0, 10), usd }));
}

function timesOf(workload: Workload, now: number): [number, number] {
  const end = workload.closed_at ? Date.parse(workload.closed_at) : now;
  return [workload.active_at ? Date.parse(workload.active_at) : end, end];
}

function pricePerHour(workload: Workload, time: number): number {
  const final = workload.payment?.spent ?? workload.final_cost;
  if (final != null && time > 0) return (Number(final) * HOUR_MILLISECONDS) / time;
  return Number(workload.usd_per_hour ?? 0);
}
