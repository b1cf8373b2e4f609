import { describe, expect, it } from "vitest";
import { chainList } from "./config";

describe("chains of builds", () => {
  it("are numbers with names", () => {
    expect(chainList("80002:Polygon Amoy, 84532 : Base: Sepolia,1")).toEqual([
      { id: 80002, name: "Polygon Amoy" }, { id: 84532, name: "Base: Sepolia" }, { id: 1, name: "Chain 1" },
    ]);
  });

  it("says what is wrong with the setting", () => {
    expect(() => chainList("Base:84532")).toThrow('VITE_BUILD_CHAINS has "Base:84532"');
  });
});
