import { describe, expect, it } from "vitest";
import { filterLines, LogBuffer, textOf } from "./log-buffer";

const line = (text: string, service = "web") => ({ service, pod: `${service}-1`, text, isRemark: false });

describe("LogBuffer", () => {
  it("keeps the newest lines and numbers them on", () => {
    const buffer = new LogBuffer(3);
    buffer.append([line("a"), line("b")]);
    buffer.append([line("c"), line("d")]);
    expect(buffer.lines.map(({ number, text }) => [number, text])).toEqual([[1, "b"], [2, "c"], [3, "d"]]);
  });

  it("filters by service and text, and keeps remarks", () => {
    const buffer = new LogBuffer();
    buffer.append([line("GET /"), line("ready", "redis"), { ...line("restarted"), isRemark: true }]);
    expect(filterLines(buffer.lines, "redis", "").map(({ text }) => text)).toEqual(["ready", "restarted"]);
    expect(filterLines(buffer.lines, "", "get").map(({ text }) => text)).toEqual(["GET /", "restarted"]);
    expect(textOf(buffer.lines)).toBe("[web] GET /\n[redis] ready\n# restarted\n");
  });
});
