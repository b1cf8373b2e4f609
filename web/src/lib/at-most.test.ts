import { describe, expect, it } from "vitest";
import { atMost } from "./at-most";

describe("at most so many at once", () => {
  it("never runs more, runs all in order, and goes on after a failure", async () => {
    const run = atMost(2);
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    const results = await Promise.allSettled(
      Array.from({ length: 7 }, (_, index) =>
        run(async () => {
          begun.push(index);
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running -= 1;
          if (index === 1) throw new Error("no");
          return index;
        }),
      ),
    );
    expect([most, begun]).toEqual([2, [0, 1, 2, 3, 4, 5, 6]]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", ...Array<string>(5).fill("fulfilled")]);
  });
});
