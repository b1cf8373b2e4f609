import { describe, expect, it } from "vitest";
import { linesOf } from "./solidity";

const CODE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/**
 * @notice "<script>alert(1)</script>" & more
 */
contract Token is ERC20 {
    uint256 public constant CAP = 1_000 ether; // €
    function mint(address to) external { revert("<b>"); }
}
`;

describe("Solidity", () => {
  it("loses and adds nothing", () => {
    expect(linesOf(CODE).map((line) => line.map(({ text }) => text).join("")).join("\n")).toBe(CODE);
  });

  it("tells what is what, line by line", () => {
    const lines = linesOf(CODE);
    expect(lines[0]).toEqual([{ type: "comment", text: "// SPDX-License-Identifier: MIT" }]);
    expect(lines.slice(3, 6).map((line) => line.map(({ type }) => type))).toEqual([["comment"], ["comment"], ["comment"]]);
    const tokens = lines.flat();
    expect(tokens).toContainEqual({ type: "keyword", text: "contract" });
    expect(tokens).toContainEqual({ type: "builtin", text: "uint256" });
    expect(tokens).toContainEqual({ type: "string", text: '"<b>"' });
  });
});
