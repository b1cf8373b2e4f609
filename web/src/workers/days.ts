import type { Uptime } from "./queries";

const DAY_MILLISECONDS = 86_400_000;
/** Beats come every five minutes; so long a silence is no accident of one of them. */
const INCIDENT_MILLISECONDS = 10 * 60_000;

// What is less is rounding.
const MIN_PERCENT = 0.05;

type Record = Pick<Uptime["records"][number], "timeFrom" | "timeTo" | "reported">;

export interface Day {
  date: string;
  /** What Slipway saw itself; null before the enrolment. */
  percent: number | null;
  /** What was reported later on top of that. */
  reported: number;
}

/** Each day with the share that only reports tell of, beside what was observed. */
export function daysOf(days: Uptime["days"], records: Record[]): Day[] {
  return days.map(({ date, percent }) => {
    const start = Date.parse(`${date}T00:00:00Z`);
    const covered = records.reduce((sum, { timeFrom, timeTo }) => {
      const [from, to] = [Math.max(start, Date.parse(timeFrom)), Math.min(start + DAY_MILLISECONDS, Date.parse(timeTo))];
      return sum + Math.max(0, to - from);
    }, 0);
    const whole = (100 * covered) / DAY_MILLISECONDS;
    // Today is not over: its observed share is of what has passed, so a report adds nothing that can be told.
    const isOver = start + DAY_MILLISECONDS <= Date.now();
    // What was reported of days before the enrolment counts nowhere.
    const reported = percent !== null && isOver ? Math.max(0, Math.min(100, whole) - percent) : 0;
    return { date, percent, reported: reported < MIN_PERCENT ? 0 : reported };
  });
}

export interface Incident {
  from: string;
  /** Null while it lasts. */
  to: string | null;
}

/** When a worker was silent for longer than a beat may be late, newest first. What was reported later is no silence. */
export function incidentsOf(records: Record[], begin: string, now: number): Incident[] {
  const incidents: Incident[] = [];
  let heard = Date.parse(begin);
  for (const { timeFrom, timeTo } of records) {
    const from = Date.parse(timeFrom);
    if (from - heard > INCIDENT_MILLISECONDS) incidents.push({ from: new Date(heard).toISOString(), to: timeFrom });
    heard = Math.max(heard, Date.parse(timeTo));
  }
  if (now - heard > INCIDENT_MILLISECONDS) incidents.push({ from: new Date(heard).toISOString(), to: null });
  return incidents.reverse();
}
