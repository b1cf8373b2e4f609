import { describe, expect, it } from "vitest";
import { lineOf, parseAllocations, sumOf } from "./allocations";

describe("parseAllocations", () => {
  it("takes what people paste from a table", () => {
    expect(parseAllocations("0xA 1\n\n 0xB,2.5 \r\n0xC;3\n0xD\t4")).toEqual([
      { address: "0xA", amount: "1" }, { address: "0xB", amount: "2.5" },
      { address: "0xC", amount: "3" }, { address: "0xD", amount: "4" },
    ]);
  });

  it("leaves what is missing to the API, which names the line", () => {
    expect(parseAllocations("0xA")).toEqual([{ address: "0xA", amount: "" }]);
    expect(parseAllocations("  \n")).toEqual([]);
  });
});

describe("sumOf", () => {
  it("is exact", () => {
    expect(sumOf(["0.1", "0.2"])).toBe("0.3");
    expect(sumOf(["1000000.5", "0.000000000000000001"])).toBe("1000000.500000000000000001");
    expect(sumOf([])).toBe("0");
  });

  it("is none of what is no amount", () => {
    for (const amount of ["", "1e3", "-1", "01", "1.0000000000000000001", "１"]) expect(sumOf(["1", amount])).toBeNull();
  });
});

it("names the line of a problem", () => {
  expect(lineOf("allocations.3.address")).toBe(4);
  expect(lineOf("allocations")).toBeNull();
});
