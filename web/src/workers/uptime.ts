/** The first of the last `days` days in UTC, today included, as `YYYY-MM-DD`. */
export function firstDay(days: number, today: Date): string {
  return new Date(today.getTime() - (days - 1) * 86_400_000).toISOString().slice(0, 10);
}

/** A share as people read it: 100 only when it is all, 0 only when it is nothing. */
export function percent(value: number): string {
  if (value > 99.9 && value < 100) return "99.9%";
  if (value > 0 && value < 0.1) return "0.1%";
  return `${Number(value.toFixed(1))}%`;
}

/** A day's share; null for a day before the worker's enrolment. */
export function share(value: number | null): string {
  return value === null ? "not enrolled yet" : percent(value);
}

export type Level = "good" | "fair" | "poor" | "none";

/** How good a day was. */
export function levelOf(value: number): Level {
  if (value >= 99) return "good";
  if (value >= 90) return "fair";
  return value > 0 ? "poor" : "none";
}
