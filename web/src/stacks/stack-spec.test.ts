import { describe, expect, it } from "vitest";
import { isEnvironment } from "./environments";
import { specOf, textsOf } from "./stack-spec";

describe("a stack's specification", () => {
  it("comes back from the form as it went in", () => {
    const spec = {
      image: "bananocoin/banano:latest", env: { A: "1=2", B: "" }, resources: { cpu: "2", memory: "4Gi", storage: "8Gi", data: "64Gi" },
      preferences: { region: "us", providers: ["akash1x"] }, keep: true,
    };
    expect(specOf("node", textsOf(spec), spec)).toEqual(spec);
  });

  it("leaves defaults to the API", () => {
    expect(specOf("api", textsOf(undefined), undefined)).toEqual({ env: {}, resources: {}, preferences: {}, keep: false, follow: false });
  });
});

describe("an environment's name", () => {
  it("is that of the API", () => {
    expect(["a", "production", "e2e-7", "a".repeat(32)].every(isEnvironment)).toBe(true);
    expect(["", "-a", "a-", "7a", "A", "a_b", "a".repeat(33)].some(isEnvironment)).toBe(false);
  });
});
