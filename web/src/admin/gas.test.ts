import { expect, test } from "vitest";
import { chainsOf, dailyCosts } from "./gas";

const cost = (chain_id: number, currency: string | null, wei: string) => ({ chain_id, currency, transactions: 1, gas_used: "21000", cost: wei });
const GAS = {
  days: [
    { date: "2026-11-27", costs: [cost(8453, "ETH", "1500000000000000000"), cost(137, "POL", "7")] },
    { date: "2026-11-28", costs: [] },
    { date: "2026-11-29", costs: [cost(8453, "ETH", "1"), cost(99, null, "2000000000000000000")] },
  ],
};

test("each chain is apart, in its own currency", () => {
  expect(chainsOf(GAS)).toEqual([{ chain_id: 99, currency: null }, { chain_id: 137, currency: "POL" }, { chain_id: 8453, currency: "ETH" }]);
});

test("a chain's days add nothing of another's, and lose no wei in words", () => {
  expect(dailyCosts(GAS, 8453, "ETH")).toEqual([
    { label: "2026-11-27", value: 1.5, text: "1.5 ETH" },
    { label: "2026-11-28", value: 0, text: "0 ETH" },
    { label: "2026-11-29", value: 1e-18, text: "0.000000000000000001 ETH" },
  ]);
  expect(dailyCosts(GAS, 99, null)[2]?.text).toBe("2 of the chain's currency");
});
