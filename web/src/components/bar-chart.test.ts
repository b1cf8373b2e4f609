import { describe, expect, it } from "vitest";
import { niceMost } from "./bar-chart";

describe("the top of a chart", () => {
  it("is a round number that no bar is above", () => {
    expect([0, 1, 3, 7, 10, 11, 499, 4_800_000].map(niceMost)).toEqual([1, 1, 5, 10, 10, 20, 500, 5_000_000]);
  });
});
