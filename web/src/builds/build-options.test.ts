import { describe, expect, it } from "vitest";
import { fieldsOf, optionsOf } from "./build-options";

describe("options of a build", () => {
  it("have the API's shapes, and leave out what is empty or of another template", () => {
    const texts = {
      name: " HyperKit ", supply: "1 billion", decimals: "6", mintable: "yes", burnable: "no", pausable: "",
      signers: "0x1\n0x2", delay: "60",
    };
    expect(optionsOf("erc20", texts)).toEqual({ name: "HyperKit", supply: "1 billion", decimals: 6, mintable: true, burnable: false });
    expect(optionsOf("timelock", texts)).toEqual({ signers: ["0x1", "0x2"], delay: 60 });
  });

  it("let the API refuse what is no number", () => {
    expect(optionsOf("erc20", { decimals: "six" })).toEqual({ decimals: "six" });
  });

  it("are those of every token when no template is chosen", () => {
    expect(fieldsOf("").map(({ name }) => name)).toContain("symbol");
    expect(fieldsOf("").map(({ name }) => name)).not.toContain("royalty");
  });
});
