import type { NotHonoured } from "./types";

export interface Segment {
  text: string;
  /** Why these words are not in the contract; null for all others. */
  reason: string | null;
}

/** A prompt in pieces, so that the words that are not honoured can be marked where they stand. */
export function segmentsOf(prompt: string, notHonoured: NotHonoured[]): Segment[] {
  const reasons: (string | null)[] = Array.from({ length: prompt.length }, () => null);
  for (const { text, reason } of notHonoured) {
    // The API names words with single blanks between them, whatever the prompt has there.
    const words = text.trim().split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    if (words.length === 0) continue;
    for (const found of prompt.matchAll(new RegExp(words.join("\\s+"), "gi"))) {
      reasons.fill(reason, found.index, found.index + found[0].length);
    }
  }
  const segments: Segment[] = [];
  for (let start = 0, end = 1; start < prompt.length; end++) {
    if (end < prompt.length && reasons[end] === reasons[start]) continue;
    segments.push({ text: prompt.slice(start, end), reason: reasons[start] ?? null });
    start = end;
  }
  return segments;
}
