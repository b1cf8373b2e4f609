import { describe, expect, it } from "vitest";
import { firstDay, levelOf, percent } from "./uptime";

describe("uptime", () => {
  it("counts days in UTC, today included", () => {
    const today = new Date("2026-03-01T23:59:59Z");
    expect([firstDay(1, today), firstDay(2, today), firstDay(30, today)]).toEqual(["2026-03-01", "2026-02-28", "2026-01-31"]);
  });

  it("says 100 and 0 only when it is all or nothing", () => {
    expect([percent(100), percent(99.999), percent(91.666), percent(50), percent(0.001), percent(0)]).toEqual([
      "100%", "99.9%", "91.7%", "50%", "0.1%", "0%",
    ]);
  });

  it("sorts days by how good they were", () => {
    expect([100, 99, 98.9, 90, 89.9, 0.1, 0].map(levelOf)).toEqual(["good", "good", "fair", "fair", "poor", "poor", "none"]);
  });
});
