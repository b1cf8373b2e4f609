import { api, unwrap } from "@/api/client";
import { getSession, sessionOf, setSession, type Session } from "./session";
import { signInMessage } from "./message";

/**
 * Sign-In with Ethereum: the wallet signs a message with a nonce of the API's, and the API answers an access token and a refresh token.
 *
 * @param sign Asks the wallet for a personal signature.
 * @throws ApiError, or whatever the wallet throws when its owner refuses.
 */
export async function signIn(
  address: string, chainId: number, sign: (message: string) => Promise<string>,
): Promise<Session> {
  const { nonce } = await unwrap(api().GET("/api/auth/nonce"));
  const message = signInMessage({ address, chainId, nonce, origin: location.origin, issuedAt: new Date() });
  const signature = await sign(message);
  const session = sessionOf(await unwrap(api().POST("/api/auth/verify", { body: { message, signature } })));
  setSession(session);
  return session;
}

/** End the session here and at the API, which is asked once: a session that it never hears about ends by itself. */
export function signOut(): void {
  end(false);
}

/** End all sessions of the wallet, in every browser. */
export function signOutEverywhere(): void {
  end(true);
}

function end(everywhere: boolean): void {
  const session = getSession();
  setSession(null);
  if (session) void api().POST("/api/auth/logout", { body: { refresh_token: session.refreshToken, everywhere } }).catch(() => undefined);
}
