import { adopt, getSession, lapse, restore, type Session, sessionOf, setSession, subscribeSession, type Tokens } from "./session";

// A token that ends on the way is of no use.
const MARGIN = 60_000;
const TRY_AGAIN = 15_000;

let renewing: Promise<void> | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Renew the session before its access token ends, for as long as the page is open. */
export function keepRenewing(refresh: (refreshToken: string) => Promise<Response>): void {
  const watch = () => {
    clearTimeout(timer);
    const session = getSession();
    if (session) timer = setTimeout(() => void freshSession(refresh), Math.max(0, session.expiresAt - MARGIN - Date.now()));
  };
  subscribeSession(watch);
  watch();
}

/** Renew the session if its access token ends within a minute; one tab at a time asks. */
export async function freshSession(refresh: (refreshToken: string) => Promise<Response>): Promise<Session | null> {
  if (isFresh(getSession())) return getSession();
  renewing ??= exclusively(() => renew(refresh)).finally(() => (renewing = null));
  await renewing;
  return getSession();
}

function isFresh(session: Session | null): boolean {
  return session === null || session.expiresAt - MARGIN > Date.now();
}

async function exclusively(task: () => Promise<void>): Promise<void> {
  // Locks are there in secure contexts only, of which localhost is one.
  if ("locks" in navigator) await navigator.locks.request("slipway.session", task);
  else await task();
}

async function renew(refresh: (refreshToken: string) => Promise<Response>): Promise<void> {
  const kept = restore();
  if (kept === null || isFresh(kept)) {
    adopt(kept);
    return;
  }
  try {
    const response = await refresh(kept.refreshToken);
    if (response.ok) setSession(sessionOf((await response.json()) as Tokens));
    else if (response.status === 401 || response.status === 403) lapse();
    else again(refresh);
  } catch {
    // Nothing answered: the session is as good as before, and the next request or the timer asks again.
    again(refresh);
  }
}

function again(refresh: (refreshToken: string) => Promise<Response>): void {
  clearTimeout(timer);
  timer = setTimeout(() => void freshSession(refresh), TRY_AGAIN);
}
