import { useSyncExternalStore } from "react";

export type Role = "user" | "admin" | "operator";

export interface Session {
  token: string;
  wallet: string;
  roles: Role[];
  /** Milliseconds since 1970. */
  expiresAt: number;
}

// It outlives a reload and ends with the tab. A token lives for fifteen minutes and can't be renewed, only signed for again.
const KEY = "slipway.session";
// A token that ends on the way is of no use.
const MARGIN = 5_000;

let current: Session | null = restore();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;
watchExpiry();

/** What an access token says. The API verifies it; here it only decides what is shown. */
export function sessionOf(token: string): Session {
  const claims = JSON.parse(decode(token.split(".")[1] ?? "")) as { wallet: string; roles?: Role[]; exp: number };
  return { token, wallet: claims.wallet, roles: claims.roles ?? ["user"], expiresAt: claims.exp * 1000 };
}

function decode(part: string): string {
  const bytes = atob(part.replace(/-/g, "+").replace(/_/g, "/"));
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

function restore(): Session | null {
  try {
    const kept = sessionStorage.getItem(KEY);
    const session = kept ? sessionOf(kept) : null;
    return session && session.expiresAt - MARGIN > Date.now() ? session : null;
  } catch {
    return null;
  }
}

export function getSession(): Session | null {
  return current;
}

export function setSession(session: Session | null): void {
  current = session;
  try {
    if (session) sessionStorage.setItem(KEY, session.token);
    else sessionStorage.removeItem(KEY);
  } catch {
    // It is held in memory all the same.
  }
  watchExpiry();
  for (const listener of listeners) listener();
}

function watchExpiry(): void {
  clearTimeout(timer);
  if (current) timer = setTimeout(() => setSession(null), Math.max(0, current.expiresAt - MARGIN - Date.now()));
}

export function subscribeSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Who is signed in, or null. */
export function useSession(): Session | null {
  return useSyncExternalStore(subscribeSession, getSession);
}
