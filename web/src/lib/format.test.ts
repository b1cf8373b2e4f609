import { describe, expect, it } from "vitest";
import { ago, bytes, duration, ether, shortAddress, usd } from "./format";

describe("format", () => {
  it("shortens addresses", () => {
    expect(shortAddress("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")).toBe("0x3C44…93BC");
  });

  it("keeps what a small price is worth", () => {
    expect([usd("12.5"), usd("0"), usd("0.0001234"), usd("1234.567")]).toEqual(["$12.50", "$0.00", "$0.00012", "$1,234.57"]);
  });

  it("shows wei as ether", () => {
    expect([ether("0", "ETH"), ether("1000000000000000000", "ETH"), ether("1500000000000000000", "ETH"), ether("21000000000000", "ETH")]).toEqual([
      "0 ETH", "1 ETH", "1.5 ETH", "0.000021 ETH",
    ]);
  });

  it("tells lengths of time by their two largest units", () => {
    expect([duration(0), duration(59), duration(3_600), duration(273_840)]).toEqual(["0 s", "59 s", "1 h", "3 d 4 h"]);
  });

  it("tells how long ago something was", () => {
    const now = Date.parse("2026-01-01T12:00:00Z");
    expect(ago("2026-01-01T11:57:00Z", now)).toBe("3 minutes ago");
    expect(ago("2025-12-30T12:00:00Z", now)).toBe("2 days ago");
  });

  it("counts bytes by powers of 1024", () => {
    expect([bytes(0), bytes(512 * 1024 ** 2), bytes(1.5 * 1024 ** 3)]).toEqual(["0 B", "512 MiB", "1.5 GiB"]);
  });
});
