import type { components } from "@/api/schema";

export type Metrics = components["schemas"]["MetricsAnswer"];
export type Series = components["schemas"]["SeriesAnswer"];
export type SeriesPoint = components["schemas"]["SeriesPoint"];
export type Gas = components["schemas"]["GasAnswer"];
export type AuditEntry = components["schemas"]["AuditEntry"];
export type ModelEntry = components["schemas"]["ModelEntry"];

/** What an administrator can pause, as slipway.control.store.Service has it. */
export const SERVICES = ["tokens", "akash", "stacks", "builds", "projects", "payments", "workers", "escrow"] as const;
export type Service = (typeof SERVICES)[number];

/** Those that have jobs, which complete or fail. */
export const SERVICES_WITH_JOBS: Service[] = ["tokens", "akash", "stacks", "builds"];
