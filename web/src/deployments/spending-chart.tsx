import { useMemo } from "react";
import { BarChart } from "@/components/bar-chart";
import { usd } from "@/lib/format";
import { spendingByDay } from "./spending";
import type { Deployment } from "./types";

/** Spending by day, of one deployment or of all. */
export default function SpendingChart({ deployments, days = 30, now }: { deployments: Deployment[]; days?: number; now: number }) {
  const bars = useMemo(
    () => spendingByDay(deployments, days, now).map(({ date, usd: value }) => ({ label: date, value, text: usd(value) })),
    [deployments, days, now],
  );
  return <BarChart title={`Spending of the last ${days} days, by price and time`} head="US dollars" bars={bars} format={usd} />;
}
