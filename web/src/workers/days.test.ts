import { describe, expect, it } from "vitest";
import { daysOf, incidentsOf } from "./days";

const record = (timeFrom: string, timeTo: string, reported = false) => ({ timeFrom, timeTo, reported });

describe("days", () => {
  it("have what was observed, and on top of it what was reported", () => {
    const days = [{ date: "2026-01-01", percent: null }, { date: "2026-01-02", percent: 50 }, { date: "2026-01-03", percent: 0 }];
    const records = [record("2026-01-02T00:00:00Z", "2026-01-02T12:00:00Z"), record("2026-01-02T18:00:00Z", "2026-01-03T06:00:00Z", true)];
    expect(daysOf(days, records).map(({ percent, reported }) => [percent, reported])).toEqual([[null, 0], [50, 25], [0, 25]]);
  });
});

describe("incidents", () => {
  it("are silences between sessions, the newest first and perhaps not over", () => {
    const records = [record("2026-01-01T00:05:00Z", "2026-01-01T06:00:00Z"), record("2026-01-01T06:08:00Z", "2026-01-01T08:00:00Z"), record("2026-01-01T09:00:00Z", "2026-01-01T10:00:00Z", true)];
    expect(incidentsOf(records, "2026-01-01T00:00:00Z", Date.parse("2026-01-01T12:00:00Z"))).toEqual([
      { from: "2026-01-01T10:00:00.000Z", to: null },
      { from: "2026-01-01T08:00:00.000Z", to: "2026-01-01T09:00:00Z" },
    ]);
    expect(incidentsOf([], "2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:05:00Z"))).toEqual([]);
  });
});
