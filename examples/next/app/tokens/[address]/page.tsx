import { Slipway, SlipwayError } from "@slipway/client";
import { unstable_cache } from "next/cache";
import Link from "next/link";
import { notFound } from "next/navigation";
import { API } from "@/lib/slipway";

/** A token, which anybody may see. It is read once, and again when the webhook says that something happened to it. */
async function read(address: string) {
  const cached = unstable_cache(() => new Slipway({ api: API }).tokens.get(address), [address], { tags: [`token-${address}`] });
  try {
    return await cached();
  } catch (error) {
    if (error instanceof SlipwayError && (error.status === 404 || error.status === 400)) notFound();
    throw error;
  }
}

export default async function Page({ params }: { params: Promise<{ address: string }> }) {
  const token = await read((await params).address);
  return (
    <>
      <h1>{token.name}</h1>
      <dl>
        <dt>Symbol</dt><dd>{token.symbol}</dd>
        <dt>Supply</dt><dd>{token.total_supply} of {token.max_supply}</dd>
        <dt>Address</dt><dd>{token.address}</dd>
        <dt>Chain</dt><dd>{token.chain_id}</dd>
        <dt>Steward</dt><dd>{token.steward}</dd>
      </dl>
      <p><Link href="/">Back</Link></p>
    </>
  );
}
