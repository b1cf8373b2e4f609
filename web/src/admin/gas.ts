import type { Bar } from "@/components/bar-chart";
import { ether } from "@/lib/format";
import type { Gas } from "./types";

const WEI = 1e18;

export interface SpentChain {
  chain_id: number;
  currency: string | null;
}

/** The chains on which something was spent, by their ids. */
export function chainsOf(gas: Pick<Gas, "days">): SpentChain[] {
  const found = new Map<number, SpentChain>();
  for (const { costs } of gas.days) for (const { chain_id, currency } of costs) found.set(chain_id, { chain_id, currency });
  return [...found.values()].toSorted((one, other) => one.chain_id - other.chain_id);
}

/** What was spent on one chain day by day, in whole units of its currency; the text has every digit that matters. */
export function dailyCosts(gas: Pick<Gas, "days">, chain: number, currency: string | null): Bar[] {
  return gas.days.map(({ date, costs }) => {
    const wei = costs.find(({ chain_id }) => chain_id === chain)?.cost ?? "0";
    return { label: date, value: Number(wei) / WEI, text: ether(wei, currency) };
  });
}
