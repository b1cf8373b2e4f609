export interface Allocation {
  address: string;
  amount: string;
}

/** Reads one allocation a line: an address and an amount, with a comma, semicolon, tab or blank between them. */
export function parseAllocations(text: string): Allocation[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [address = "", amount = ""] = line.split(/[\s,;]+/, 2);
      return { address, amount };
    });
}

const DECIMAL = /^(0|[1-9]\d*)(\.\d{1,18})?$/;

/** The sum of amounts of whole tokens, exactly; null if one of them is none. */
export function sumOf(amounts: string[]): string | null {
  if (!amounts.every((amount) => DECIMAL.test(amount))) return null;
  const units = amounts.reduce((sum, amount) => {
    const [whole = "0", fraction = ""] = amount.split(".");
    return sum + BigInt(whole + fraction.padEnd(18, "0"));
  }, 0n);
  const digits = units.toString().padStart(19, "0");
  const fraction = digits.slice(-18).replace(/0+$/, "");
  return digits.slice(0, -18) + (fraction ? `.${fraction}` : "");
}

/** Which line a problem of the API is about, as people count lines. */
export function lineOf(field: string): number | null {
  const found = /^allocations\.(\d+)/.exec(field);
  return found ? Number(found[1]) + 1 : null;
}
