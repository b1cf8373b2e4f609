import type { SlipwayError } from "./errors.js";

/** How often and how long a request is tried. */
export interface Retries {
  /** How many times in all; 5. */
  attempts: number;
  /** The backoff's first bound in seconds, which doubles from there; 0.5. */
  first: number;
  /** The longest wait in seconds; an answer that wants a longer one is thrown at once. 20. */
  longest: number;
}

export const RETRIES: Retries = { attempts: 5, first: 0.5, longest: 20 };

const IDEMPOTENT = new Set(["GET", "PUT", "PATCH", "DELETE"]);
// They read, return a transaction that nobody has signed, or do the same thing again.
const CHANGES_NOTHING = new Set([
  "POST /api/deployments/estimate",
  "POST /api/deployments/{id}/bids",
  "POST /api/v1/builds/preview",
  "POST /api/v1/builds/{build_id}/ticket",
  "POST /api/escrow",
  "POST /api/tokens/{address}/mint",
  // A refresh token whose use got no answer is either still good or lost either way.
  "POST /api/auth/refresh",
]);

/** How many seconds to wait after an attempt (from 1), with full jitter, or null to give up. */
export function pauseAfter({ attempts, first, longest }: Retries, attempt: number, error: SlipwayError): number | null {
  if (attempt >= attempts) return null;
  if (error.retryAfter === null) return Math.random() * Math.min(longest, first * 2 ** (attempt - 1));
  if (error.retryAfter > longest) return null;
  // Never earlier than it says, and not all callers at once.
  return error.retryAfter + Math.random() * first;
}

/** Whether the same request may be sent again without doing a thing twice. */
export function mayRepeat(route: string, keyed: boolean, error: SlipwayError): boolean {
  if (!error.passes) return false;
  return keyed || !error.unsure || IDEMPOTENT.has(route.split(" ")[0]!) || CHANGES_NOTHING.has(route);
}

/** Pauses in seconds that grow to the longest, each 25 % shorter or longer, without end. */
export function* pauses(first: number, longest: number, factor = 1.5): Generator<number, never> {
  for (let pause = first; ; pause = Math.min(pause * factor, longest)) yield pause * (0.75 + Math.random() / 2);
}
