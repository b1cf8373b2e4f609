import type { components } from "@/api/schema";

export type Stack = components["schemas"]["StackDetail"];
export type StackKind = Stack["kind"];
export type StackStatus = Stack["status"];

/** Whether a job works on a stack. */
export function isBusy(status: StackStatus): boolean {
  return status === "deploying" || status === "deleting";
}

/** What the page calls a stack. */
export const TITLES: Record<StackKind, string> = { node: "Node", api: "API" };
