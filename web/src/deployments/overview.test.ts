import { describe, expect, it } from "vitest";
import { countTabs, endpointsOf, overviewOf } from "./overview";
import type { Deployment, LiveStatus, Workload } from "./types";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-01-02T00:00:00Z");

function workload(id: string, status: Workload["status"], more: Partial<Workload> = {}): Workload {
  const at = new Date(NOW - 10 * HOUR).toISOString();
  return {
    deployment_id: id, kind: "akash", status, usd_per_hour: "0.5", active_at: at, created_at: at, updated_at: at,
    services: {}, forwarded_ports: {}, ips: {}, ...more,
  } as Workload;
}

const token = (status: string) => ({ deployment_id: status, kind: "token", status, model_id: "m" }) as Deployment;
const money = (usd: string) => ({ amount: "0", unit: "uact", usd });

function live(spent: string, runway: number): LiveStatus {
  const cost = { spent: money(spent), burn_per_day: money("6"), runway_seconds: runway, estimate: true };
  return { stale: false, leases: [], cost } as unknown as LiveStatus;
}

describe("countTabs", () => {
  it("counts what is on its way as active, and a launched token as done", () => {
    const all = [workload("a", "pending"), workload("b", "active"), workload("c", "closed"), workload("d", "error"), token("completed"), token("failed"), token("registering")];
    expect(countTabs(all)).toEqual({ active: 3, done: 1, all: 7, closed: 3 });
  });
});

describe("overviewOf", () => {
  it("takes what Akash tells, and the shortest runway", () => {
    const found = overviewOf([workload("a", "active"), workload("b", "active")], { a: live("1.5", 500), b: live("2", 300) }, NOW);
    expect(found).toEqual({ active: 2, spent: 3.5, burnPerDay: 12, runwaySeconds: 300, isEstimate: true });
  });

  it("reckons what Akash does not tell, up to when a workload was closed", () => {
    const closed = workload("a", "closed", { closed_at: new Date(NOW - 6 * HOUR).toISOString() });
    expect(overviewOf([closed, workload("b", "active")], {}, NOW)).toEqual({
      active: 1, spent: 7, burnPerDay: 12, runwaySeconds: null, isEstimate: true,
    });
  });

  it("is nothing without deployments", () => {
    expect(overviewOf([], {}, NOW)).toEqual({ active: 0, spent: 0, burnPerDay: 0, runwaySeconds: null, isEstimate: false });
  });
});

describe("endpointsOf", () => {
  it("names web addresses and forwarded ports", () => {
    const found = endpointsOf({
      services: { web: { available: 1, total: 1, uris: ["a.example.com"] } },
      forwarded_ports: { web: [{ host: "p.example.com", port: 7072, external_port: 31234, protocol: "TCP" }] },
      ips: {},
    });
    expect(found).toEqual([
      { text: "a.example.com", href: "http://a.example.com" },
      { text: "p.example.com:31234 → 7072", href: null },
    ]);
  });
});
