import { describe, expect, it } from "vitest";
import { entryOf, NO_MODEL } from "./model-entry";

const NOW = new Date("2026-11-21T00:00:00Z");

describe("a model's entry", () => {
  it("has the API's shapes", () => {
    const texts = { ...NO_MODEL, owner: " 0x1 ", contributors: "0x2\n0x3, 0x4", runId: "run-1", metrics: "accuracy = 0.93\n\nf1=1", improvement: "0.04" };
    expect(entryOf(texts, NOW)).toEqual({
      owner: "0x1", contributors: ["0x2", "0x3", "0x4"], state: "validated", validated_at: "2026-11-21T00:00:00.000Z",
      run_id: "run-1", metrics: { accuracy: 0.93, f1: 1 }, improvement: 0.04,
    });
  });

  it("lets the API refuse what is no number, and has no moment of validation without one", () => {
    const entry = entryOf({ ...NO_MODEL, state: "rejected", metrics: "accuracy", improvement: "much" }, NOW);
    expect(entry).toMatchObject({ metrics: { accuracy: "" }, improvement: "much", validated_at: null, run_id: null });
  });
});
