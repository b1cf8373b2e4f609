// Keccak-f[1600] with BigInt: slow, and used for a few addresses only.
const MASK = (1n << 64n) - 1n;
const ROUNDS = roundConstants();

/** An address in EIP-55 form, which a sign-in message has to have and wallets do not all give. */
export function checksummed(address: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) throw new TypeError(`${address} is no address`);
  const digits = address.slice(2).toLowerCase();
  const hash = hex(keccak256(new TextEncoder().encode(digits)));
  return "0x" + digits.replace(/[a-f]/g, (digit, at: number) => (parseInt(hash[at]!, 16) >= 8 ? digit.toUpperCase() : digit));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function keccak256(input: Uint8Array): Uint8Array {
  const rate = 136;
  const padded = new Uint8Array(Math.ceil((input.length + 1) / rate) * rate);
  padded.set(input);
  padded[input.length]! |= 1;
  padded[padded.length - 1]! |= 0x80;
  const state = new Array<bigint>(25).fill(0n);
  const view = new DataView(padded.buffer);
  for (let block = 0; block < padded.length; block += rate) {
    for (let lane = 0; lane < rate / 8; lane++) state[lane]! ^= view.getBigUint64(block + lane * 8, true);
    permute(state);
  }
  const output = new Uint8Array(32);
  for (let lane = 0; lane < 4; lane++) new DataView(output.buffer).setBigUint64(lane * 8, state[lane]!, true);
  return output;
}

function permute(a: bigint[]): void {
  for (const constant of ROUNDS) {
    const c = [0, 1, 2, 3, 4].map((x) => a[x]! ^ a[x + 5]! ^ a[x + 10]! ^ a[x + 15]! ^ a[x + 20]!);
    for (let at = 0; at < 25; at++) a[at]! ^= c[(at + 4) % 5]! ^ rotated(c[(at + 1) % 5]!, 1);
    // ρ and π: the lanes move along one cycle, each turned further.
    let [x, y, moved] = [1, 0, a[1]!];
    for (let step = 0; step < 24; step++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      [moved, a[x + 5 * y]] = [a[x + 5 * y]!, rotated(moved, (((step + 1) * (step + 2)) / 2) % 64)];
    }
    for (let row = 0; row < 25; row += 5) {
      const lanes = a.slice(row, row + 5);
      for (let at = 0; at < 5; at++) a[row + at] = lanes[at]! ^ (~lanes[(at + 1) % 5]! & MASK & lanes[(at + 2) % 5]!);
    }
    a[0]! ^= constant;
  }
}

function rotated(lane: bigint, by: number): bigint {
  return ((lane << BigInt(by)) | (lane >> BigInt(64 - by))) & MASK;
}

/** By the linear feedback shift register of FIPS 202, section 3.2.5. */
function roundConstants(): bigint[] {
  let register = 1;
  return Array.from({ length: 24 }, () => {
    let constant = 0n;
    for (let bit = 0; bit < 7; bit++) {
      if (register & 1) constant |= 1n << BigInt(2 ** bit - 1);
      register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
    }
    return constant;
  });
}
