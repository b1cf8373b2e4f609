import createClient, { type Client, type Middleware } from "openapi-fetch";
import { freshSession, keepRenewing } from "@/auth/renewal";
import { getSession, lapse } from "@/auth/session";
import { errorOf, networkErrorOf } from "./errors";
import type { paths } from "./schema";

const TIMEOUT = 30_000;

let base = "";
let client: Client<paths> | undefined;

/** Say where the API is; once, before anything is asked. */
export function setApiAddress(url: string): void {
  base = url;
  client = createClient<paths>({ baseUrl: url, fetch: fetchInTime });
  client.use(authorization);
  keepRenewing(refresh);
}

/** Where the API is, for what is no JSON call: streams, documents. */
export function apiUrl(path: string): string {
  return base + path;
}

/** The client of our OpenAPI document: `unwrap(api().GET("/api/deployments", {…}))`. */
export function api(): Client<paths> {
  if (!client) throw new Error("the API's address is not known yet");
  return client;
}

const authorization: Middleware = {
  async onRequest({ request }) {
    // The sign-in's own routes take no token, and must not wait for one.
    const session = new URL(request.url).pathname.startsWith("/api/auth/") ? null : await freshSession(refresh);
    if (session && !request.headers.has("authorization")) {
      request.headers.set("authorization", `Bearer ${session.token}`);
    }
    return request;
  },
  onResponse({ request, response }) {
    forgetRefusedToken(request.headers.get("authorization"), response.status);
    return response;
  },
};

function refresh(refreshToken: string): Promise<Response> {
  return fetchInTime(
    new Request(apiUrl("/api/auth/refresh"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ refresh_token: refreshToken }),
    }),
  );
}

/** A token that is refused is over, unless another one has taken its place meanwhile. */
export function forgetRefusedToken(authorizationHeader: string | null, status: number): void {
  const session = getSession();
  if (status === 401 && session && authorizationHeader === `Bearer ${session.token}`) lapse();
}

function fetchInTime(request: Request): Promise<Response> {
  return fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT)]) });
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * The body of an answer.
 *
 * @throws ApiError for every refusal, and when nothing answers.
 */
export async function unwrap<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw networkErrorOf(error);
  }
  if (!answer.response.ok) throw errorOf(answer.response, answer.error);
  return answer.data as T;
}
