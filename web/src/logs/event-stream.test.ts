import { describe, expect, it } from "vitest";
import { EventStreamParser } from "./event-stream";

const STREAM = 'retry: 200\n\nid: a\ndata: {"line":"one"}\n\n: still there\n\nid: b\nevent: gap\ndata: two\ndata: lines\n\n';

describe("EventStreamParser", () => {
  it("reads events, wherever the pieces end", () => {
    for (let size = 1; size <= STREAM.length; size++) {
      const parser = new EventStreamParser();
      const events = [];
      for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
      expect(events).toEqual([
        { event: "message", data: '{"line":"one"}', id: "a" },
        { event: "gap", data: "two\nlines", id: "b" },
      ]);
      expect(parser.retry).toBe(200);
    }
  });

  it("keeps an event that is not complete for the next piece", () => {
    const parser = new EventStreamParser();
    expect(parser.push("id: a\r\ndata: one\r\n")).toEqual([]);
    expect(parser.push("\r\n")).toEqual([{ event: "message", data: "one", id: "a" }]);
  });
});
