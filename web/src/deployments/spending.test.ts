import { expect, it } from "vitest";
import { spendingByDay } from "./spending";
import type { Deployment } from "./types";

const NOW = Date.parse("2026-01-03T12:00:00Z");
const workload = (active_at: string | null, more: object = {}) => ({ kind: "akash", usd_per_hour: "1", active_at, closed_at: null, ...more }) as Deployment;

it("spreads each workload's price over the days that it ran", () => {
  const found = spendingByDay(
    [
      workload("2026-01-02T18:00:00Z"),
      workload("2025-12-31T00:00:00Z", { closed_at: "2026-01-01T06:00:00Z" }),
      workload("2026-01-03T00:00:00Z", { closed_at: "2026-01-03T10:00:00Z", final_cost: "5" }),
      workload(null),
      { kind: "token" } as Deployment,
    ],
    3, NOW,
  );
  expect(found).toEqual([{ date: "2026-01-01", usd: 6 }, { date: "2026-01-02", usd: 6 }, { date: "2026-01-03", usd: 17 }]);
});
