// What an answer without Slipway's envelope means, as API Gateway and proxies send them.
const CODES: Record<number, string> = {
  401: "AUTH_FAILED", 403: "FORBIDDEN", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "PAYLOAD_TOO_LARGE",
  429: "RATE_LIMIT_EXCEEDED", 500: "INTERNAL_ERROR",
};
// Refusals that come before anything was begun, so that asking again can't do a thing twice.
const REFUSED_UNDONE = new Set(["RATE_LIMIT_EXCEEDED", "SERVICE_PAUSED", "INSUFFICIENT_GAS", "BUDGET_EXCEEDED"]);
const MAX_TEXT = 300;

export interface ErrorFacts {
  status?: number;
  details?: Record<string, unknown>;
  requestId?: string | null;
  retryAfter?: number | null;
  unsure?: boolean;
  cause?: unknown;
}

/** A refusal of the API, or an answer that never came. */
export class SlipwayError extends Error {
  override readonly name: string = "SlipwayError";
  /** The HTTP status; 0 when nothing answered. */
  readonly status: number;
  /** What the API adds, by code. */
  readonly details: Record<string, unknown>;
  /** Finds the request in the operator's logs. */
  readonly requestId: string | null;
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | null;
  /** Whether the request may have been carried out all the same. */
  readonly unsure: boolean;

  constructor(
    /** One of docs/errors.md; `NETWORK` or `TIMEOUT` when nothing answered. */
    readonly code: string,
    message: string,
    facts: ErrorFacts = {},
  ) {
    super(message, { cause: facts.cause });
    this.status = facts.status ?? 0;
    this.details = facts.details ?? {};
    this.requestId = facts.requestId ?? null;
    this.retryAfter = facts.retryAfter ?? null;
    this.unsure = facts.unsure ?? false;
  }

  /** Whether the same request may succeed later, without anybody changing anything. */
  get passes(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** A message that Slipway did not send, or did not send now. */
export class WebhookError extends SlipwayError {
  override readonly name = "WebhookError";

  constructor(message: string) {
    super("WEBHOOK_INVALID", message);
  }

  override get passes(): boolean {
    return false;
  }
}

/** A transaction of the caller's wallet that was reverted, or is in no block in time (`unsure`). */
export class TransactionError extends SlipwayError {
  override readonly name = "TransactionError";

  constructor(message: string, hash: string, unsure = false) {
    super("TRANSACTION_FAILED", message, { details: { transaction_hash: hash }, unsure });
  }

  override get passes(): boolean {
    return false;
  }
}

/** A job that has not ended in the time that was given; it goes on. */
export class StillUnderWayError extends SlipwayError {
  override readonly name = "StillUnderWayError";

  constructor(seconds: number) {
    super("UNDER_WAY", `It has not ended after ${seconds} s`);
  }
}

/** The error that an answer holds; API Gateway's own are `{"message"}`, and a proxy's may be anything. */
export function errorOf(status: number, headers: Headers, body: string): SlipwayError {
  const answer = objectOf(parsed(body));
  const refusal = objectOf(answer.error);
  const code = text(refusal.code) ?? CODES[status] ?? (status >= 500 ? "UPSTREAM_UNAVAILABLE" : `HTTP_${status}`);
  const plain = body.trim().startsWith("<") ? "" : body.trim().slice(0, MAX_TEXT);
  return new SlipwayError(code, text(refusal.message) ?? text(answer.message) ?? (plain || `the answer has status ${status}`), {
    status,
    details: objectOf(refusal.details),
    requestId: text(answer.request_id) ?? headers.get("x-request-id") ?? headers.get("apigw-requestid"),
    retryAfter: retryAfter(headers.get("retry-after")),
    unsure: status >= 500 && !(text(refusal.code) && REFUSED_UNDONE.has(code)),
  });
}

/** A Retry-After header in seconds, whether it has seconds or a date (RFC 9110, section 10.2.3). */
export function retryAfter(value: string | null, now = Date.now()): number | null {
  if (value === null) return null;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, (date - now) / 1000);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value ? value : undefined;
}
