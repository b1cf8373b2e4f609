import { useId } from "react";
import { Table, TableBody, TableCell, TableHead, TableHeader, TableRow } from "@/components/ui/table";

export interface Bar {
  /** What it is of, such as a day. */
  label: string;
  /** Null where there is nothing to tell, which is not 0. */
  value: number | null;
  /** The value in words; more than the height of a bar can tell. */
  text: string;
}

const WIDTH = 600;
const HEIGHT = 160;
const TOP = 8;
const GAP = 0.25;

/**
 * Values as bars. The picture has its values for the pointer; for everybody else they are in a table below it.
 *
 * `most` is the value of the full height, by default that of the largest bar. `head` names the values.
 */
export function BarChart({
  title, head, bars, most, format, step: length = "day",
}: { title: string; head: string; bars: Bar[]; most?: number; format: (value: number) => string; step?: "day" | "hour" }) {
  const id = useId();
  const top = most ?? niceMost(Math.max(0, ...bars.map(({ value }) => value ?? 0)));
  const step = WIDTH / Math.max(1, bars.length);
  return (
    <figure aria-labelledby={id} className="flex min-w-0 flex-col gap-2">
      <figcaption id={id} className="text-sm font-medium">{title}</figcaption>
      <div className="flex gap-2">
        <div aria-hidden className="flex h-40 w-14 shrink-0 flex-col justify-between text-right text-xs text-muted-foreground tabular-nums">
          <span>{format(top)}</span><span>{format(top / 2)}</span><span>{format(0)}</span>
        </div>
        <svg role="img" aria-label={`${title}: ${summary(bars, length)}`} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="h-40 min-w-0 flex-1">
          {[0, 0.5, 1].map((share) => (
            <line
              key={share} x1={0} x2={WIDTH} y1={TOP + share * (HEIGHT - TOP - 1)} y2={TOP + share * (HEIGHT - TOP - 1)}
              className="stroke-border" vectorEffect="non-scaling-stroke"
            />
          ))}
          {bars.map(({ label, value, text }, index) => {
            const height = value === null || top === 0 ? 0 : Math.max(value > 0 ? 2 : 0, (value / top) * (HEIGHT - TOP));
            return (
              <g key={label}>
                <title>{`${label}: ${text}`}</title>
                {/* The whole column answers to the pointer. */}
                <rect x={index * step} y={0} width={step} height={HEIGHT} className="fill-transparent hover:fill-muted/50" />
                <rect
                  x={index * step + (step * GAP) / 2} y={HEIGHT - height} width={step * (1 - GAP)} height={height}
                  className="pointer-events-none fill-primary"
                />
              </g>
            );
          })}
        </svg>
      </div>
      <div aria-hidden className="flex justify-between pl-16 text-xs text-muted-foreground">
        <span>{bars[0]?.label}</span><span>{bars.at(-1)?.label}</span>
      </div>
      <details>
        <summary className="cursor-pointer text-xs text-muted-foreground">As a table</summary>
        <div className="mt-2">
          <Table label={title}>
            <TableHeader><tr><TableHead>{length === "day" ? "Day" : "Hour"} (UTC)</TableHead><TableHead className="text-right">{head}</TableHead></tr></TableHeader>
            <TableBody>
              {bars.toReversed().map(({ label, text }) => (
                <TableRow key={label}><TableCell>{label}</TableCell><TableCell className="text-right tabular-nums">{text}</TableCell></TableRow>
              ))}
            </TableBody>
          </Table>
        </div>
      </details>
    </figure>
  );
}

function summary(bars: Bar[], length: string): string {
  const told = bars.filter(({ value }) => value !== null);
  if (told.length === 0) return "no data";
  const last = told.at(-1);
  return `${told.length} of ${bars.length} ${length}s, last ${last?.label}: ${last?.text}`;
}

/** The next of 1, 2 or 5 times a power of ten, so that the half of it is a round number, too. */
export function niceMost(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}
