import { expect, test } from "vitest";
import { segmentsOf } from "./marks";

test("words are marked where they stand, whatever blanks and case they have", () => {
  const prompt = "A token that pays\n  dividends, and Flies";
  expect(segmentsOf(prompt, [{ text: "pays dividends", reason: "no" }, { text: "flies", reason: "never" }])).toEqual([
    { text: "A token that ", reason: null },
    { text: "pays\n  dividends", reason: "no" },
    { text: ", and ", reason: null },
    { text: "Flies", reason: "never" },
  ]);
});

test("a text that is not in the prompt, or is no pattern, marks nothing", () => {
  expect(segmentsOf("A (small) token", [{ text: "gone", reason: "no" }, { text: "", reason: "no" }])).toEqual([{ text: "A (small) token", reason: null }]);
  expect(segmentsOf("A (small) token", [{ text: "(small)", reason: "no" }])[1]).toEqual({ text: "(small)", reason: "no" });
  expect(segmentsOf("", [])).toEqual([]);
});
