export interface SignInFields {
  address: string;
  chainId: number;
  nonce: string;
  /** Of the page that asks, such as `https://app.example.com`. */
  origin: string;
  issuedAt: Date;
}

/** The text that the wallet shows and signs, as EIP-4361 has it. */
export function signInMessage({ address, chainId, nonce, origin, issuedAt }: SignInFields): string {
  return [
    `${new URL(origin).host} wants you to sign in with your Ethereum account:`,
    address,
    "",
    "Sign in to Slipway.",
    "",
    `URI: ${origin}`,
    "Version: 1",
    `Chain ID: ${chainId}`,
    `Nonce: ${nonce}`,
    `Issued At: ${issuedAt.toISOString()}`,
  ].join("\n");
}
