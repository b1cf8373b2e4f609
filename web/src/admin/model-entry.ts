import type { ModelEntry } from "./types";

export interface ModelTexts {
  id: string;
  owner: string;
  contributors: string;
  state: ModelEntry["state"];
  runId: string;
  metrics: string;
  improvement: string;
}

export const NO_MODEL: ModelTexts = { id: "", owner: "", contributors: "", state: "validated", runId: "", metrics: "", improvement: "" };

/**
 * The body of the request. A model that is validated was so at `now`. What is no number goes as it is: the API says what
 * is wrong with it.
 */
export function entryOf(texts: ModelTexts, now: Date): ModelEntry {
  const metrics: Record<string, number> = {};
  for (const line of texts.metrics.split("\n")) {
    const [name = "", value = ""] = line.split("=").map((part) => part.trim());
    if (name) metrics[name] = numberOf(value);
  }
  return {
    owner: texts.owner.trim(),
    contributors: texts.contributors.split(/[\s,]+/).filter(Boolean),
    state: texts.state,
    validated_at: texts.state === "validated" ? now.toISOString() : null,
    run_id: texts.runId.trim() || null,
    metrics,
    improvement: texts.improvement.trim() ? numberOf(texts.improvement.trim()) : null,
  };
}

function numberOf(text: string): number {
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : (text as unknown as number);
}
