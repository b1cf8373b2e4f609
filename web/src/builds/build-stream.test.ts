import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BuildStream, type Socket, type StreamState } from "./build-stream";
import type { BuildUpdate } from "./types";

interface Opened {
  url: string;
  protocols: string[];
  socket: Socket & { isClosed: boolean };
}

const update = (sequence: number, status: BuildUpdate["status"] = "generating"): BuildUpdate => ({
  sequence, status, progress: sequence, step: "code_generation", message: null,
});

function follow(after = 0, isOver = false, url = "wss://api.example.com/stream") {
  const opened: Opened[] = [];
  const told: number[] = [];
  const states: StreamState[] = [];
  const stream = new BuildStream({
    url, token: () => "token", after, isOver: () => isOver,
    onUpdate: ({ sequence }) => told.push(sequence),
    onState: (state) => states.push(state),
    open: (url, protocols) => {
      const socket = { onopen: null, onmessage: null, onclose: null, isClosed: false, close() { this.isClosed = true; } };
      opened.push({ url, protocols, socket: socket as never });
      return socket as never;
    },
  });
  const last = () => opened.at(-1)!.socket;
  return {
    opened, told, states, stream,
    opens: () => last().onopen!.call(last() as never, {} as never),
    tells: (...updates: BuildUpdate[]) => {
      for (const one of updates) last().onmessage!.call(last() as never, { data: JSON.stringify(one) } as never);
    },
    ends: (code: number) => last().onclose!.call(last() as never, { code } as never),
  };
}

describe("a build's stream", () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  it("offers the token as a subprotocol and asks for everything at first", () => {
    const { opened } = follow();
    expect(opened.map(({ url, protocols }) => [url, protocols])).toEqual([["wss://api.example.com/stream", ["bearer", "token"]]]);
  });

  it("keeps the query of API Gateway's own address", () => {
    const { opened } = follow(3, false, "wss://api.example.com/v1?build_id=b");
    expect(opened[0]!.url).toBe("wss://api.example.com/v1?build_id=b&after=3");
  });

  it("passes over what is no event", () => {
    const one = follow();
    one.tells({ status: "error", message: "What was that?" } as never, update(1));
    expect(one.told).toEqual([1]);
  });

  it("ends with the build", () => {
    const one = follow();
    one.opens();
    one.tells(update(1), update(2, "complete"));
    one.ends(1000);
    vi.advanceTimersByTime(120_000);
    expect([one.told, one.states, one.opened.length]).toEqual([[1, 2], ["connecting", "live", "ended"], 1]);
  });

  it("goes on after the last event when the connection breaks, and tells nothing twice", () => {
    const one = follow();
    one.opens();
    one.tells(update(1), update(2));
    one.ends(1006);
    vi.advanceTimersByTime(1_000);
    expect(one.opened.at(-1)!.url).toBe("wss://api.example.com/stream?after=2");
    one.opens();
    one.tells(update(2), update(3));
    expect(one.told).toEqual([1, 2, 3]);
    expect(one.states).toEqual(["connecting", "live", "reconnecting", "reconnecting", "live"]);
  });

  it("connects again when the server ends it before the build is over", () => {
    const one = follow();
    one.tells(update(1));
    one.ends(1000);
    vi.advanceTimersByTime(1_000);
    expect(one.opened.length).toBe(2);
  });

  it("gives up on a build that is over when nothing is left, or nothing answers", () => {
    const one = follow(9, true);
    one.ends(1000);
    expect(one.states.at(-1)).toBe("ended");
    const other = follow(0, true);
    for (let failure = 0; failure < 9; failure++) {
      other.ends(1006);
      vi.advanceTimersByTime(20_000);
    }
    expect([other.states.at(-1), other.opened.length]).toEqual(["ended", 3]);
  });

  it("tries ever less often while nothing answers", () => {
    const one = follow(7);
    for (let failure = 0; failure < 12; failure++) {
      one.ends(1006);
      vi.advanceTimersByTime(20_000);
    }
    expect(one.opened.length).toBe(13);
    one.ends(1006);
    vi.advanceTimersByTime(9_999);
    expect(one.opened.length).toBe(13);
    expect(new Set(one.opened.map(({ url }) => url))).toEqual(new Set(["wss://api.example.com/stream?after=7"]));
  });

  it("opens nothing once it is closed", () => {
    const one = follow();
    one.ends(1006);
    one.stream.close();
    vi.advanceTimersByTime(120_000);
    expect(one.opened.length).toBe(1);
    expect(one.opened[0]!.socket.isClosed).toBe(true);
  });
});
