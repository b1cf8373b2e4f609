import { describe, expect, it } from "vitest";
import { lastDays, totalOf } from "./days";
import type { Metrics } from "./types";

const day = (completed: number, failed: number, gas_used: string): Metrics => ({
  service: "tokens", since: "", until: "", completed, failed, success_rate: null, p50_seconds: null, p95_seconds: null,
  gas_used, total_cost: gas_used, errors: {}, in_flight: 0, paused: false, breaker: {}, truncated: false,
});

describe("days of metrics", () => {
  it("are whole days in UTC, today last", () => {
    expect(lastDays(2, new Date("2026-03-01T00:00:01Z"))).toEqual([
      { date: "2026-02-28", from: "2026-02-28T00:00:00.000Z", to: "2026-02-28T23:59:59.999Z" },
      { date: "2026-03-01", from: "2026-03-01T00:00:00.000Z", to: "2026-03-01T23:59:59.999Z" },
    ]);
  });

  it("add up exactly", () => {
    expect(totalOf([day(1, 0, "9007199254740993"), day(2, 1, "1")])).toEqual({
      completed: 3, failed: 1, rate: 0.75, gas: "9007199254740994", cost: "9007199254740994",
    });
    expect(totalOf([]).rate).toBeNull();
  });
});
