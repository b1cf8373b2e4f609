import type { components } from "@/api/schema";

export type Build = components["schemas"]["BuildDetail"];
export type BuildStatus = Build["status"];
export type ChainDeployment = components["schemas"]["ChainDeployment"];
export type Preview = components["schemas"]["Preview"];
export type NotHonoured = components["schemas"]["NotHonoured"];

/** One event of a build's stream, which is no part of the OpenAPI document. */
export interface BuildUpdate {
  status: BuildStatus;
  progress: number;
  step: string;
  message: string | null;
  sequence: number;
}

export type Impact = "High" | "Medium" | "Low" | "Informational" | "Optimization";

/** One finding of the audit; lines count from 1. */
export interface Finding {
  detector: string;
  impact: Impact;
  confidence: string;
  description: string;
  contract?: string | null;
  function?: string | null;
  lines?: number[];
}

/** One round of fixing: what was found before it, and the change. */
export interface Round {
  number: number;
  by?: "fixers" | "model";
  findings: Finding[];
  diff: string;
  kept: boolean;
  error?: string | null;
}

/** The audit's report, as slipway.builds.audit.models.AuditReport has it. */
export interface AuditReport {
  passed: boolean;
  findings: Finding[];
  detectors: string[];
  rounds: Round[];
  dependency_findings?: number;
  compiler_version?: string | null;
  slither_version?: string | null;
  duration: number;
  error?: { message?: string; code?: string } | null;
}

const FINAL = new Set<BuildStatus>(["complete", "failed", "cancelled"]);

/** Whether nothing more happens to a build by itself. */
export function isOver(status: BuildStatus): boolean {
  return FINAL.has(status);
}

/** What a build is called. */
export function nameOf(build: Build): string {
  return build.title || build.contract_name || build.prompt;
}

/** What one of its chains is called. */
export function nameOfChain(build: Build, id: number): string {
  return build.chains.find(({ chain_id }) => chain_id === id)?.chain_name ?? `chain ${id}`;
}
