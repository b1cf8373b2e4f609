import { expect, test } from "vitest";
import { lineDiff } from "./line-diff";

test("what stays stays, and the rest is taken away and added", () => {
  expect(lineDiff("a\nb\nc\n", "a\nx\nc\nd\n")).toBe(" a\n-b\n+x\n c\n+d");
  expect(lineDiff("a\n", "a")).toBe(" a");
  expect(lineDiff("a\nb", "b")).toBe("-a\n b");
});
