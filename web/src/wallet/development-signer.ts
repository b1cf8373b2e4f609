import { createPublicClient, createWalletClient, defineChain, hexToBigInt, http, type Address, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { ChainConfiguration } from "@/config";

export interface TransactionRequest {
  to?: Address;
  data?: Hex;
  value?: Hex;
  gas?: Hex;
}

export function signMessage(key: Hex, message: Hex): Promise<Hex> {
  return privateKeyToAccount(key).signMessage({ message: { raw: message } });
}

export function signTypedData(key: Hex, typedData: string): Promise<Hex> {
  return privateKeyToAccount(key).signTypedData(JSON.parse(typedData));
}

/** Adds nonce and fees, signs, and sends; answers the transaction's hash. */
export function sendTransaction(key: Hex, chain: ChainConfiguration, wanted: TransactionRequest): Promise<Hex> {
  const { to, data, value, gas } = wanted;
  const writer = createWalletClient({ account: privateKeyToAccount(key), ...transportOf(chain) });
  return writer.sendTransaction({
    to: to ?? null,
    data: data ?? "0x",
    value: value ? hexToBigInt(value) : 0n,
    ...(gas ? { gas: hexToBigInt(gas) } : {}),
  });
}

/** Whatever is no business of a wallet's is the node's. */
export function ask(chain: ChainConfiguration, method: string, params: unknown[]): Promise<unknown> {
  return createPublicClient(transportOf(chain)).request({ method, params } as never);
}

function transportOf({ id, name, rpcUrl }: ChainConfiguration) {
  const chain = defineChain({
    id,
    name,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  return { chain, transport: http(rpcUrl) };
}
