import { checksummed, hex } from "./addresses.js";
import { type Clock, clock as realClock } from "./clock.js";
import { TransactionError } from "./errors.js";
import { pauses } from "./retries.js";
import type { UnsignedCreation, UnsignedTransaction } from "./schema.js";

const CONFIRM_SECONDS = 180;

export type Unsigned = UnsignedTransaction | UnsignedCreation;

export interface TypedData {
  domain: Record<string, unknown>;
  types: Record<string, { name: string; type: string }[]>;
  primaryType: string;
  message: Record<string, unknown>;
}

/** What signs: a wallet of the browser, of viem or of ethers, or an object of your own with these methods. */
export interface Wallet {
  address(): Promise<string>;
  /** As personal_sign does (EIP-191). */
  signMessage(text: string): Promise<string>;
  /** EIP-712; needed for permits only. */
  signTypedData?(data: TypedData): Promise<string>;
  /** Sign and send a transaction, and return its hash. */
  sendTransaction?(transaction: Unsigned): Promise<string>;
  /** Wait until a transaction is in a block. */
  confirmed?(hash: string): Promise<void>;
}

/** A wallet as browsers have it (EIP-1193), such as `window.ethereum`. */
export interface Provider {
  request(asked: { method: string; params?: any }): Promise<any>;
}

/** What is used of ethers' Signer. */
export interface EthersSigner {
  getAddress(): Promise<string>;
  signMessage(message: string): Promise<string>;
  signTypedData(domain: any, types: any, value: any): Promise<string>;
  sendTransaction(transaction: any): Promise<{ hash: string; wait(confirms?: number, timeout?: number): Promise<{ status?: number | null } | null> }>;
}

/** What is used of viem's WalletClient with an account. */
export interface ViemWallet {
  account?: { address: string } | undefined;
  signMessage(asked: any): Promise<string>;
  signTypedData(asked: any): Promise<string>;
  sendTransaction(asked: any): Promise<string>;
  request(asked: any): Promise<any>;
}

/** What is used of viem's account by a key, which signs and sends nothing. */
export interface ViemAccount {
  address: string;
  signMessage(asked: { message: string }): Promise<string>;
  signTypedData(asked: any): Promise<string>;
}

export type Signer = Wallet | Provider | EthersSigner | ViemWallet | ViemAccount;

/** A signer of any kind as a wallet. */
export function walletOf(signer: Signer, clock: Clock = realClock): Wallet {
  if ("getAddress" in signer) return ofEthers(signer);
  if ("signMessage" in signer && "sendTransaction" in signer && "request" in signer) return ofViem(signer as ViemWallet, clock);
  if ("address" in signer && typeof signer.address === "string") return ofViemAccount(signer as ViemAccount);
  return "request" in signer ? ofProvider(signer as Provider, clock) : (signer as Wallet);
}

function ofEthers(signer: EthersSigner): Wallet {
  const waits = new Map<string, () => Promise<{ status?: number | null } | null>>();
  return {
    address: () => signer.getAddress(),
    signMessage: (text) => signer.signMessage(text),
    signTypedData: ({ domain, types: { EIP712Domain: _, ...types }, message }) => signer.signTypedData(domain, types, message),
    async sendTransaction(transaction) {
      const sent = await signer.sendTransaction({ ...called(transaction), gasLimit: transaction.gas, chainId: transaction.chainId });
      waits.set(sent.hash, () => sent.wait(1, CONFIRM_SECONDS * 1000));
      return sent.hash;
    },
    async confirmed(hash) {
      const receipt = await waits.get(hash)?.();
      if (receipt?.status === 0) throw new TransactionError("The transaction was reverted", hash);
    },
  };
}

function ofViem(client: ViemWallet, clock: Clock): Wallet {
  const account = client.account;
  if (!account) throw new TypeError("This wallet client has no account: createWalletClient({ account, … })");
  return {
    address: async () => checksummed(account.address),
    signMessage: (message) => client.signMessage({ account, message }),
    signTypedData: (data) => client.signTypedData({ account, ...data }),
    sendTransaction: (transaction) =>
      client.sendTransaction({
        account, chain: null, ...called(transaction), value: BigInt(transaction.value ?? 0), gas: BigInt(transaction.gas),
      }),
    confirmed: (hash) => inBlock(client, hash, clock),
  };
}

function ofViemAccount(account: ViemAccount): Wallet {
  return {
    address: async () => checksummed(account.address),
    signMessage: (message) => account.signMessage({ message }),
    signTypedData: (data) => account.signTypedData(data),
  };
}

function ofProvider(provider: Provider, clock: Clock): Wallet {
  async function raw(): Promise<string> {
    const [address] = (await provider.request({ method: "eth_requestAccounts" })) as string[];
    if (!address) throw new TypeError("The wallet has no account for this page");
    return address;
  }
  return {
    address: async () => checksummed(await raw()),
    signMessage: async (text) =>
      provider.request({ method: "personal_sign", params: [`0x${hex(new TextEncoder().encode(text))}`, await raw()] }),
    signTypedData: async (data) => provider.request({ method: "eth_signTypedData_v4", params: [await raw(), JSON.stringify(data)] }),
    async sendTransaction(transaction) {
      const chainId = `0x${transaction.chainId.toString(16)}`;
      if (Number(await provider.request({ method: "eth_chainId" })) !== transaction.chainId) {
        await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
      }
      const given = { from: await raw(), ...called(transaction), gas: `0x${transaction.gas.toString(16)}`, chainId };
      return provider.request({ method: "eth_sendTransaction", params: [given] });
    },
    confirmed: (hash) => inBlock(provider, hash, clock),
  };
}

/** What a transaction calls with what; one that creates a contract has no `to`. */
function called(transaction: Unsigned): { to?: string; data: string; value: string } {
  const to = "to" in transaction ? { to: transaction.to } : {};
  return { ...to, data: transaction.data, value: transaction.value ?? "0x0" };
}

async function inBlock(node: Provider | ViemWallet, hash: string, clock: Clock): Promise<void> {
  const endsAt = clock.now() + CONFIRM_SECONDS;
  for (const pause of pauses(0.25, 4)) {
    const receipt = (await node.request({ method: "eth_getTransactionReceipt", params: [hash] })) as { status: string } | null;
    if (receipt && Number(receipt.status) === 1) return;
    if (receipt) throw new TransactionError("The transaction was reverted", hash);
    if (clock.now() + pause > endsAt) throw new TransactionError(`The transaction is in no block after ${CONFIRM_SECONDS} s`, hash, true);
    await clock.sleep(pause);
  }
}

/** Sign and send transactions one after the other; return their hashes. */
export async function sendAll(wallet: Wallet, transactions: readonly Unsigned[]): Promise<string[]> {
  const { sendTransaction } = wallet;
  if (!sendTransaction) throw new TypeError("This signer sends no transactions: use a wallet client or a provider");
  const hashes: string[] = [];
  for (const transaction of transactions) {
    const hash = await sendTransaction.call(wallet, transaction);
    await wallet.confirmed?.(hash);
    hashes.push(hash);
  }
  return hashes;
}

export interface SignInFields {
  address: string;
  nonce: string;
  chainId: number;
  /** Where the sign-in happens: the page's origin, or the API's address. */
  uri: string;
  issuedAt?: Date;
}

/** The text that a wallet signs to sign in (EIP-4361). */
export function signInMessage({ address, nonce, chainId, uri, issuedAt = new Date() }: SignInFields): string {
  return [
    `${new URL(uri).host} wants you to sign in with your Ethereum account:`, address, "", "Sign in to Slipway.", "",
    `URI: ${uri}`, "Version: 1", `Chain ID: ${chainId}`, `Nonce: ${nonce}`, `Issued At: ${issuedAt.toISOString()}`,
  ].join("\n");
}
