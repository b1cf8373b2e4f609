import { isOver, type BuildUpdate } from "./types";

export type StreamState = "connecting" | "live" | "reconnecting" | "ended";

/** What of a WebSocket is used here. */
export type Socket = Pick<WebSocket, "onopen" | "onmessage" | "onclose" | "close">;

export interface BuildStreamOptions {
  /** Of the build's stream, as the API tells it; API Gateway's own address has a query. */
  url: string;
  token: () => string | undefined;
  /** Sequence of the last event that is known, 0 for none. */
  after: number;
  /** Whether the build is known to be over, from elsewhere. */
  isOver: () => boolean;
  onUpdate: (update: BuildUpdate) => void;
  onState: (state: StreamState) => void;
  open?: (url: string, protocols: string[]) => Socket;
}

const FIRST_PAUSE = 500;
const MAX_PAUSE = 20_000;
// Nothing new comes of a build that is over; it is only its history that is missing.
const TRIES_WHEN_OVER = 3;

/**
 * Follows a build's progress: from its first event, or the one after `after`, to its end. When the connection ends before
 * the build does, it connects again, ever less often, and goes on after the last event: none is missed or told twice.
 */
export class BuildStream {
  private after: number;
  private failures = 0;
  private isFinal = false;
  private socket: Socket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: BuildStreamOptions) {
    this.after = options.after;
    this.connect();
  }

  /** Stop following. */
  close(): void {
    clearTimeout(this.timer);
    const { socket } = this;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private connect(): void {
    const { url, token, onState, open = (address, protocols) => new WebSocket(address, protocols) } = this.options;
    onState(this.failures ? "reconnecting" : "connecting");
    // The subprotocols carry the token, because browsers let nothing else be sent with the handshake.
    const address = this.after ? `${url}${url.includes("?") ? "&" : "?"}after=${this.after}` : url;
    this.socket = open(address, ["bearer", token() ?? ""]);
    this.socket.onopen = () => onState("live");
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(String(data)) as BuildUpdate);
    this.socket.onclose = ({ code }) => this.closed(code);
  }

  private take(update: BuildUpdate): void {
    this.failures = 0;
    // What is no event has no sequence.
    if (!(update.sequence > this.after)) return;
    this.after = update.sequence;
    this.isFinal = isOver(update.status);
    this.options.onUpdate(update);
  }

  private closed(code: number): void {
    this.failures += 1;
    const isRegular = code === 1000 || this.failures >= TRIES_WHEN_OVER;
    if (this.isFinal || (isRegular && this.options.isOver())) return this.options.onState("ended");
    this.options.onState("reconnecting");
    const pause = Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** (this.failures - 1));
    this.timer = setTimeout(() => this.connect(), pause * (0.5 + Math.random() / 2));
  }
}
