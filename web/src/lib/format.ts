/** `0x1234…abcd`. */
export function shortAddress(address: string): string {
  return address.length <= 13 ? address : `${address.slice(0, 6)}…${address.slice(-4)}`;
}

/** The first part of a UUID tells it apart well enough for people. */
export function shortId(id: string): string {
  return id.split("-")[0] ?? id;
}

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1],
];

export function moment(iso: string): string {
  return MOMENT.format(new Date(iso));
}

/** How long ago something was, such as “3 minutes ago”. */
export function ago(iso: string, now: number = Date.now()): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  const [unit, size] = STEPS.find(([, step]) => Math.abs(seconds) >= step) ?? ["second", 1];
  return RELATIVE.format(Math.trunc(seconds / size), unit);
}

/** A length of time with its two largest units, such as `3 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"], [Math.floor((whole % 86_400) / 3_600), "h"],
    [Math.floor((whole % 3_600) / 60), "min"], [whole % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

/** US dollars. Small amounts keep two significant digits, because a workload may cost a fraction of a cent. */
export function usd(amount: string | number): string {
  const value = Number(amount);
  const small = value !== 0 && Math.abs(value) < 0.1;
  return new Intl.NumberFormat("en-US", {
    style: "currency", currency: "USD",
    ...(small ? { minimumSignificantDigits: 2, maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  }).format(value);
}

/** Wei in whole units of a chain's currency, without losing a digit that matters. Without its name they are just units. */
export function ether(wei: string, currency: string | null | undefined): string {
  const digits = wei.padStart(19, "0");
  const fraction = digits.slice(-18).replace(/0+$/, "");
  const shown = fraction.slice(0, Math.max(6, (fraction.match(/^0*/)?.[0].length ?? 0) + 3)).replace(/0+$/, "");
  return `${digits.slice(0, -18)}${shown ? `.${shown}` : ""} ${currency ?? "of the chain's currency"}`;
}

/** Bytes by powers of 1024. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  const power = Math.min(units.length - 1, count < 1 ? 0 : Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
