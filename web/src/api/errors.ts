/** A refusal of the API, or an answer that never came. */
export class ApiError extends Error {
  constructor(
    /** A code of docs/errors.md, or `NETWORK` or `TIMEOUT` when nothing answered. */
    readonly code: string,
    message: string,
    readonly status: number = 0,
    readonly details: unknown = null,
    readonly requestId: string | null = null,
    /** Seconds after which another try makes sense. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** What is wrong with which field, by its path. */
  get fields(): FieldProblem[] {
    const details = this.details as { fields?: FieldProblem[] } | null;
    return Array.isArray(details?.fields) ? details.fields : [];
  }
}

export interface FieldProblem {
  field: string;
  message: string;
}

const ADVICE: Record<string, string> = {
  NETWORK: "Check your connection, and that the API is up; then try again.",
  TIMEOUT: "The API took too long. Try again in a moment.",
  VALIDATION_ERROR: "Mend what is named here and send it again.",
  AUTH_FAILED: "Your session has ended: sign in again.",
  PAYMENT_REQUIRED: "Add what is missing, then try again.",
  FORBIDDEN: "Sign in with a wallet that has this role.",
  NOT_FOUND: "It may belong to another wallet: check which one is connected.",
  MODEL_NOT_FOUND: "Check the model's id, or have it registered first.",
  MODEL_NOT_VALIDATED: "Wait until the model is validated, then try again.",
  TOKEN_EXISTS: "Look for the token in your deployments.",
  MAX_SUPPLY_EXCEEDED: "Mint less.",
  WRONG_CHAIN: "Switch your wallet to the chain of this token.",
  CONFLICT: "Refresh to see how it stands now.",
  RATE_LIMIT_EXCEEDED: "You have used up your share for now: wait, then try again.",
  INSUFFICIENT_GAS: "The network is expensive at the moment. Try again later.",
  SERVICE_PAUSED: "An administrator has paused this service. Try again later.",
  UPSTREAM_UNAVAILABLE: "Something that Slipway depends on does not answer. Try again in a moment.",
  NOT_HONOURED: "Change the marked words, or let it be built without them.",
  GENERATION_UNSUPPORTED: "Name a contract that it should be, such as a token, an NFT collection or a vesting contract.",
  BUDGET_EXCEEDED: "Ask for less, or wait until the budget allows it.",
  REPLACEMENT_NEEDED: "Allow that its lease is closed and another one taken.",
  PAYLOAD_TOO_LARGE: "Make it smaller and send it again.",
};

/** What the reader can do about an error. */
export function adviceFor(error: unknown): string {
  const code = error instanceof ApiError ? error.code : "";
  const wait = error instanceof ApiError && error.retryAfter ? ` (in ${error.retryAfter} s)` : "";
  return (ADVICE[code] ?? "Try again; if it goes on, tell us the request id.") + wait;
}

/** One line about any error. */
export function messageOf(error: unknown): string {
  if (error && typeof error === "object" && "shortMessage" in error) return String(error.shortMessage); // viem's
  return error instanceof Error ? error.message : String(error);
}

interface Envelope {
  error?: { code?: string; message?: string; details?: unknown };
  message?: string;
  request_id?: string;
}

/** The error that an answer tells; API Gateway's own refusals have no envelope. */
export function errorOf(response: Response, body: unknown): ApiError {
  const envelope = (body && typeof body === "object" ? body : {}) as Envelope;
  const retryAfter = Number(response.headers.get("retry-after")) || null;
  return new ApiError(
    envelope.error?.code ?? (response.status >= 500 ? "UPSTREAM_UNAVAILABLE" : `HTTP_${response.status}`),
    envelope.error?.message ?? envelope.message ?? `The API answered with status ${response.status}`,
    response.status,
    envelope.error?.details ?? null,
    envelope.request_id ?? response.headers.get("x-request-id"),
    retryAfter,
  );
}

/** The error behind a fetch that threw. */
export function networkErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const name = error instanceof DOMException ? error.name : "";
  if (name === "TimeoutError") return new ApiError("TIMEOUT", "The API did not answer in time");
  return new ApiError("NETWORK", "The API can't be reached");
}
