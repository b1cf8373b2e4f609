import type { Metrics } from "./types";

export interface DaySpan {
  /** `YYYY-MM-DD`, in UTC. */
  date: string;
  from: string;
  to: string;
}

/** The last `count` days in UTC, today included, oldest first. */
export function lastDays(count: number, today: Date): DaySpan[] {
  return Array.from({ length: count }, (_, index) => {
    const date = new Date(today.getTime() - (count - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    return { date, from: `${date}T00:00:00.000Z`, to: `${date}T23:59:59.999Z` };
  });
}

export interface Total {
  completed: number;
  failed: number;
  rate: number | null;
  gas: string;
  cost: string;
}

/** What several days come to. Gas and wei may be larger than a number holds exactly. */
export function totalOf(days: Metrics[]): Total {
  const sum = (of: (day: Metrics) => number) => days.reduce((total, day) => total + of(day), 0);
  const completed = sum((day) => day.completed);
  const failed = sum((day) => day.failed);
  const exactly = (of: (day: Metrics) => string) => days.reduce((total, day) => total + BigInt(of(day)), 0n).toString();
  return {
    completed, failed, rate: completed + failed > 0 ? completed / (completed + failed) : null,
    gas: exactly((day) => day.gas_used), cost: exactly((day) => day.total_cost),
  };
}
