import type { components } from "@/api/schema";

type Schemas = components["schemas"];

export type Workload = Schemas["WorkloadSummary"];
export type Token = Schemas["DeploymentSummary"];
export type Deployment = Workload | Token;
export type WorkloadDetail = Schemas["WorkloadDetail"];
export type TokenDetail = Schemas["DeploymentDetail"];
export type LiveStatus = Schemas["LiveStatus"];
export type WorkloadEstimate = Schemas["WorkloadEstimate"];
export type TokenEstimate = Schemas["EstimateAnswer"];
export type DeploymentEvent = Schemas["EventDetail"];
export type Refusal = Schemas["Refusal"];

export function isWorkload<T extends { kind?: string }>(deployment: T): deployment is Extract<T, { kind?: "akash" }> {
  return deployment.kind === "akash";
}
