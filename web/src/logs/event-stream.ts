/** One event of a stream of Server-Sent Events. */
export interface StreamEvent {
  event: string;
  data: string;
  id: string | null;
}

/**
 * Reads Server-Sent Events as the HTML standard has them, from pieces of text that may end anywhere. `retry` holds the
 * pause in milliseconds that the server asked for.
 */
export class EventStreamParser {
  retry: number | null = null;
  private rest = "";
  private name = "";
  private data: string[] = [];
  private id: string | null = null;

  /** The events that are complete with this piece. */
  push(piece: string): StreamEvent[] {
    const lines = (this.rest + piece).split("\n");
    this.rest = lines.pop() ?? "";
    const events: StreamEvent[] = [];
    for (const line of lines) {
      const event = this.line(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (event) events.push(event);
    }
    return events;
  }

  private line(line: string): StreamEvent | null {
    if (line === "") return this.dispatch();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.name = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id") this.id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
    return null;
  }

  private dispatch(): StreamEvent | null {
    const event = { event: this.name || "message", data: this.data.join("\n"), id: this.id };
    const isEmpty = this.data.length === 0;
    this.name = "";
    this.data = [];
    return isEmpty ? null : event;
  }
}
