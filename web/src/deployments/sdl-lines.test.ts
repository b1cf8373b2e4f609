import { describe, expect, it } from "vitest";
import { linesOf } from "./sdl-lines";

const SDL = `version: "2.0"
services:
  web.front:
    image: nginx
    expose:
      - port: 80
        to: [{ global: true }]
      - port: 99999
`;

const at = (field: string, message = "is wrong") => linesOf(SDL, [{ field, message }])[0]?.line;

describe("linesOf", () => {
  it("finds the line of a path, through lists and names with dots", () => {
    expect(at("services.web.front.expose[1].port")).toBe(8);
    expect(at("services.web.front.image")).toBe(4);
  });

  it("tells what is missing at the part that lacks it", () => {
    expect(at("services.web.front.expose[0].as", "is missing")).toBe(6);
    expect(at("profiles", "is missing")).toBe(1);
  });

  it("takes the line that the API names for what is not YAML", () => {
    const message = "did not find expected node content (line 2, column 1)";
    expect(linesOf("a: 1\n]", [{ field: "sdl", message }])).toEqual([{ line: 2, message }]);
    expect(linesOf("a: [\n", [{ field: "sdl", message }])).toEqual([{ line: 1, message }]);
  });

  it("bears a text that is no YAML at all", () => {
    expect(linesOf("\t{", [{ field: "services.web", message: "is wrong" }])[0]?.line).toBe(1);
  });
});
