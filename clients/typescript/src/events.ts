/** One event of a stream of Server-Sent Events. */
export interface StreamEvent {
  name: string;
  data: string;
  id: string | null;
}

/** A line of a workload's log, or a remark about it. */
export interface LogEvent {
  /** `gap`: lines may be missing here; `end`: the workload is closed. */
  event: "line" | "gap" | "end";
  service: string;
  pod: string;
  line: string;
  /** What a remark says. */
  message: string;
  /** Of a gap. */
  reason: "restarted" | "overwritten" | "ambiguous" | null;
  truncated: boolean;
  /** Where to resume, as `after`. */
  id: string | null;
}

/** Reads Server-Sent Events, as the HTML standard has them, from pieces of text that may end anywhere. */
export class EventParser {
  /** Seconds after which the server wants to be asked again. */
  retry: number | null = null;
  private rest = "";
  private name = "";
  private data: string[] = [];
  private id: string | null = null;

  /** The events that are complete with this piece. */
  push(piece: string): StreamEvent[] {
    const lines = (this.rest + piece).replaceAll("\r\n", "\n").split("\n");
    this.rest = lines.pop()!;
    const events: StreamEvent[] = [];
    for (const line of lines) {
      if (line) this.field(line);
      else {
        if (this.data.length) events.push({ name: this.name || "message", data: this.data.join("\n"), id: this.id });
        this.name = "";
        this.data = [];
      }
    }
    return events;
  }

  private field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.name = value;
    else if (name === "data") this.data.push(value);
    else if (name === "id") this.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retry = Number(value) / 1000;
  }
}

/** An event of a log stream as what it says. */
export function logEvent({ name, data, id }: StreamEvent): LogEvent {
  const said = JSON.parse(data) as Partial<LogEvent>;
  return {
    event: name === "message" ? "line" : (name as LogEvent["event"]),
    service: said.service ?? "",
    pod: said.pod ?? "",
    line: said.line ?? "",
    message: said.message ?? "",
    reason: said.reason ?? null,
    truncated: said.truncated ?? false,
    id,
  };
}
