import { apiUrl, forgetRefusedToken } from "@/api/client";
import { ApiError, errorOf, networkErrorOf } from "@/api/errors";
import { getSession } from "@/auth/session";
import { EventStreamParser, type StreamEvent } from "./event-stream";
import type { LogLine } from "./log-buffer";

export type StreamState =
  | { name: "connecting" | "live" | "ended" }
  | { name: "reconnecting"; error: ApiError }
  | { name: "refused"; error: ApiError };

export interface LogStreamOptions {
  deploymentId: string;
  tail: number;
  signal: AbortSignal;
  onLines: (lines: Omit<LogLine, "number">[]) => void;
  onState: (state: StreamState) => void;
}

const FIRST_PAUSE = 1_000;
const MAX_PAUSE = 15_000;

/**
 * Follows a workload's log until it ends or the signal says so.
 *
 * The access token goes in a header, which `EventSource` can't send. Each answer of the API ends after a while; the next
 * request names the last event, so no line is lost or told twice. When nothing answers it tries again, ever less often.
 */
export async function followLogs(options: LogStreamOptions): Promise<void> {
  const { signal, onState } = options;
  const position = { last: "", pause: FIRST_PAUSE };
  let failures = 0;
  onState({ name: "connecting" });
  while (!signal.aborted) {
    try {
      if ((await readOnce(options, position)) === "ended") return onState({ name: "ended" });
      failures = 0;
    } catch (thrown) {
      if (signal.aborted) return;
      const error = networkErrorOf(thrown);
      if (!error.passes) return onState({ name: "refused", error });
      failures += 1;
      onState({ name: "reconnecting", error });
    }
    await pause(failures ? Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)) : position.pause, signal);
  }
}

async function readOnce(
  { deploymentId, tail, signal, onLines, onState }: LogStreamOptions, position: { last: string; pause: number },
): Promise<"ended" | "more"> {
  const authorization = `Bearer ${getSession()?.token ?? ""}`;
  const response = await fetch(apiUrl(`/api/deployments/${deploymentId}/logs?tail=${tail}`), {
    signal,
    headers: { authorization, accept: "text/event-stream", ...(position.last ? { "last-event-id": position.last } : {}) },
  });
  if (response.status === 204) return "ended";
  if (!response.ok || !response.body) {
    forgetRefusedToken(authorization, response.status);
    throw errorOf(response, await response.json().catch(() => null));
  }
  onState({ name: "live" });
  const parser = new EventStreamParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const events = parser.push(chunk.value);
    position.pause = parser.retry ?? position.pause;
    for (const { id } of events) position.last = id ?? position.last;
    onLines(events.map(lineOf));
    if (events.some(({ event }) => event === "end")) return "ended";
  }
  return "more";
}

function lineOf({ event, data }: StreamEvent): Omit<LogLine, "number"> {
  const { service = "", pod = "", line, message } = JSON.parse(data) as Record<string, string | undefined>;
  if (event === "message") return { service, pod, text: line ?? "", isRemark: false };
  return { service, pod, text: message ?? event, isRemark: true };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
