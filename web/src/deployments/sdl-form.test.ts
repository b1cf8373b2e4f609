import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readForm, servicesOf, writeForm } from "./sdl-form";
import { TEMPLATES } from "./templates";

const sdlOf = (name: string) => TEMPLATES.find((template) => template.name === name)?.sdl ?? "";

describe("the form of an SDL", () => {
  it("shows what each template says of each of its services", () => {
    expect(TEMPLATES).toHaveLength(12);
    for (const { sdl } of TEMPLATES) {
      for (const service of servicesOf(sdl) ?? []) {
        const form = readForm(sdl, service);
        expect([form?.image, form?.port, form?.cpu, form?.memory, form?.storage, form?.count].every(Boolean)).toBe(true);
      }
    }
    expect(readForm(sdlOf("GPU inference"), "ollama")).toMatchObject({ gpus: "1", gpuModel: "a100", env: "" });
  });

  it("changes one thing and leaves the rest, comments too", () => {
    const sdl = `# mine\n${sdlOf("Web server")}`;
    const changed = writeForm(writeForm(sdl, "web", "image", "caddy:2.8"), "web", "cpu", "2");
    expect(changed).toContain("# mine");
    const expected = parse(sdl) as { services: { web: { image: string } }; profiles: { compute: { web: { resources: { cpu: { units: unknown } } } } } };
    expected.services.web.image = "caddy:2.8";
    expected.profiles.compute.web.resources.cpu.units = 2;
    expect(parse(changed)).toEqual(expected);
  });

  it("adds and takes away variables and GPUs", () => {
    const sdl = sdlOf("Web server");
    const withBoth = writeForm(writeForm(writeForm(sdl, "web", "env", "A=1\n\nB=x y"), "web", "gpus", "2"), "web", "gpuModel", "h100");
    expect(readForm(withBoth, "web")).toMatchObject({ env: "A=1\nB=x y", gpus: "2", gpuModel: "h100" });
    expect(parse(writeForm(writeForm(withBoth, "web", "gpus", "0"), "web", "env", ""))).toEqual(parse(sdl));
  });

  it("is none for what is no SDL", () => {
    expect(servicesOf("services: [")).toBeNull();
    expect(servicesOf("hello")).toBeNull();
    expect(readForm("services: {}", "web")).toBeNull();
    expect(writeForm("services: [", "web", "image", "x")).toBe("services: [");
  });
});
