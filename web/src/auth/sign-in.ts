import { api, unwrap } from "@/api/client";
import { sessionOf, setSession, type Session } from "./session";
import { signInMessage } from "./message";

/**
 * Sign-In with Ethereum: the wallet signs a message with a nonce of the API's, and the API answers an access token.
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
  const { access_token } = await unwrap(api().POST("/api/auth/verify", { body: { message, signature } }));
  const session = sessionOf(access_token);
  setSession(session);
  return session;
}
