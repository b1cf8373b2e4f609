import type { VerifyAnswer } from "./schema.js";

// A token that ends on the way is of no use.
const MARGIN_SECONDS = 60;

/** An access token and the refresh token that renews it; the times are seconds since 1970, by this machine. */
export interface Session {
  accessToken: string;
  expiresAt: number;
  refreshToken: string;
  refreshExpiresAt: number;
}

/** Keeps one session. Pages and processes that share it renew one at a time: a refresh token is good once. */
export interface SessionStore {
  load(): Session | null | Promise<Session | null>;
  /** Keep a session, or nothing, before anybody uses it. */
  save(session: Session | null): void | Promise<void>;
  /** Do a task that nobody else does meanwhile. */
  exclusively?<T>(task: () => Promise<T>): Promise<T>;
}

/** A session of this page or process. */
export function memoryStore(session: Session | null = null): SessionStore {
  return { load: () => session, save: (kept) => void (session = kept) };
}

/** A session that the tabs of a browser share. Scripts of the page can read it: keep strangers' out (script-src). */
export function browserStore(name = "slipway.session"): SessionStore {
  return {
    load: () => JSON.parse(localStorage.getItem(name) ?? "null") as Session | null,
    save: (session) => (session ? localStorage.setItem(name, JSON.stringify(session)) : localStorage.removeItem(name)),
    // Locks are there in secure contexts only, of which localhost is one.
    exclusively: (task) => ("locks" in navigator ? (navigator.locks.request(name, task) as ReturnType<typeof task>) : task()),
  };
}

/** What the API answered; its times count from the request on, never by the server's clock. */
export function sessionOf(answer: VerifyAnswer, askedAt: number): Session {
  return {
    accessToken: answer.access_token,
    expiresAt: askedAt + answer.expires_in,
    refreshToken: answer.refresh_token,
    refreshExpiresAt: askedAt + answer.refresh_expires_in,
  };
}

/** Whether the access token outlives a request. */
export function isFresh(session: Session, now: number): boolean {
  return session.expiresAt - MARGIN_SECONDS > now;
}
