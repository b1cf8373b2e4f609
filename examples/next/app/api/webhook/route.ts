import { verifyWebhook, WebhookError } from "@slipway/client";
import { revalidateTag } from "next/cache";

/** Takes Slipway's messages: POST /api/webhooks with this address and `deployment.*` makes them come. */
export async function POST(request: Request): Promise<Response> {
  const secret = process.env.SLIPWAY_WEBHOOK_SECRET;
  if (!secret) return new Response("SLIPWAY_WEBHOOK_SECRET is not set", { status: 503 });
  try {
    const { type, data } = await verifyWebhook(await request.text(), request.headers, secret);
    // A message may come more than once; what is done here may be done again.
    if (typeof data.token_address === "string") revalidateTag(`token-${data.token_address}`, { expire: 0 });
    console.log(`webhook ${request.headers.get("webhook-id")}: ${type}`);
    return new Response(null, { status: 204 });
  } catch (error) {
    if (!(error instanceof WebhookError)) throw error;
    return new Response(error.message, { status: 400 });
  }
}
