import { WebhookError } from "./errors.js";

const TOLERANCE_SECONDS = 300;

/** A message of a webhook; `data` is what GET of the thing answers, with `previous_status`. */
export interface WebhookMessage {
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

/**
 * The message, if Slipway sent it just now (Standard Webhooks). One may come more than once: keep each `webhook-id` that
 * you have handled.
 *
 * @param payload The request's body as it came, before anything parsed it.
 * @param secret The webhook's, `whsec_…`.
 * @throws WebhookError It is not signed with this secret, too old or early, or not whole.
 */
export async function verifyWebhook(
  payload: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string,
  { tolerance = TOLERANCE_SECONDS, now = Date.now() / 1000 } = {},
): Promise<WebhookMessage> {
  const [id, sentAt, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => headerOf(headers, name)) as
    [string, string, string];
  const body = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const key = await crypto.subtle.importKey("raw", keyOf(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const head = new TextEncoder().encode(`${id}.${sentAt}.`);
  const signed = new Uint8Array(head.length + body.length);
  signed.set(head);
  signed.set(body, head.length);
  let isOurs = false;
  for (const entry of signatures.split(" ")) {
    const [version, signature] = entry.split(",");
    const bytes = version === "v1" && signature ? bytesOf(signature) : null;
    // WebCrypto compares in constant time.
    if (bytes && (await crypto.subtle.verify("HMAC", key, bytes, signed))) isOurs = true;
  }
  if (!isOurs) throw new WebhookError("No signature of the message fits the secret");
  if (!/^\d+$/.test(sentAt) || Math.abs(now - Number(sentAt)) > tolerance) {
    throw new WebhookError("The message's timestamp is not of now");
  }
  try {
    return JSON.parse(new TextDecoder().decode(body)) as WebhookMessage;
  } catch {
    throw new WebhookError("The message is no JSON");
  }
}

function headerOf(headers: WebhookHeaders, name: string): string {
  const found = headers instanceof Headers
    ? headers.get(name)
    : Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1];
  const value = Array.isArray(found) ? found[0] : found;
  if (!value) throw new WebhookError(`There is no header ${name}`);
  return value;
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(secret.replace(/^whsec_/, ""));
  if (!bytes?.length) throw new WebhookError("The secret is not one of a webhook, whsec_ and base64");
  return bytes;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
