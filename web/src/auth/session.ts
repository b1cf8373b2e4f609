import { useSyncExternalStore } from "react";

export type Role = "user" | "admin" | "operator";

export interface Session {
  token: string;
  wallet: string;
  roles: Role[];
  /** By this browser's clock, milliseconds since 1970: `expires_in` from the receipt. */
  expiresAt: number;
  refreshToken: string;
  /** Until when the session can be renewed, by this browser's clock. */
  refreshableUntil: number;
}

/** What a sign-in and a renewal answer; times in seconds from now. */
export interface Tokens {
  access_token: string;
  expires_in: number;
  refresh_token: string;
  refresh_expires_in: number;
}

// Shared by all tabs, which renew it in turn: each refresh token is good once. It outlives a reload and the browser.
const KEY = "slipway.session";

let current: Session | null = restore();
// Whose session ended without their doing: what they typed is kept until they sign in again.
let lapsed: string | null = null;
const listeners = new Set<() => void>();
window.addEventListener("storage", ({ key }) => {
  if (key === KEY || key === null) adopt(restore());
});

/** What tokens say. The API verifies them; here it only decides what is shown. */
export function sessionOf(tokens: Tokens): Session {
  const claims = JSON.parse(decode(tokens.access_token.split(".")[1] ?? "")) as { wallet: string; roles?: Role[] };
  const now = Date.now();
  return {
    token: tokens.access_token,
    wallet: claims.wallet,
    roles: claims.roles ?? ["user"],
    expiresAt: now + tokens.expires_in * 1000,
    refreshToken: tokens.refresh_token,
    refreshableUntil: now + tokens.refresh_expires_in * 1000,
  };
}

function decode(part: string): string {
  const bytes = atob(part.replace(/-/g, "+").replace(/_/g, "/"));
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

/** The session that the tabs share, or null. */
export function restore(): Session | null {
  try {
    const session = JSON.parse(localStorage.getItem(KEY) ?? "null") as Session | null;
    return session && session.refreshableUntil > Date.now() ? session : null;
  } catch {
    return null;
  }
}

export function getSession(): Session | null {
  return current;
}

/** End a session that its owner did not end: it was refused. */
export function lapse(): void {
  keep(null);
  lapsed = current?.wallet ?? null;
  current = null;
  tell();
}

export function setSession(session: Session | null): void {
  keep(session);
  adopt(session);
}

function keep(session: Session | null): void {
  try {
    if (session) localStorage.setItem(KEY, JSON.stringify(session));
    else localStorage.removeItem(KEY);
  } catch {
    // It is held in memory all the same.
  }
}

/** Use a session that another tab has begun, renewed or ended. */
export function adopt(session: Session | null): void {
  current = session;
  lapsed = null;
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

export function subscribeSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The wallet whose session ended without its owner's doing, until anyone signs in or out. */
export function getLapsed(): string | null {
  return lapsed;
}

/** See `getLapsed`. */
export function useLapsed(): string | null {
  return useSyncExternalStore(subscribeSession, getLapsed);
}

/** Who is signed in, or null. */
export function useSession(): Session | null {
  return useSyncExternalStore(subscribeSession, getSession);
}
