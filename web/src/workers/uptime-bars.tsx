import { Button } from "@/components/ui/button";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/utils";
import { daysOf, type Day } from "./days";
import { useUptime } from "./queries";
import { levelOf, percent, share, type Level } from "./uptime";

const COLOURS: Record<Level, string> = {
  good: "fill-success", fair: "fill-warning", poor: "fill-destructive", none: "fill-muted-foreground/40",
};
const WIDTH = 10;
const GAP = 3;
const HEIGHT = 40;
// So that a day without a beat can be seen, too.
const LEAST = 3;

/** A worker's days, one bar each: below what Slipway saw of it, above in another tone what was reported later. */
export function UptimeBars({ wallet, days, className }: { wallet: string; days: number; className?: string }) {
  const uptime = useUptime(wallet, days);
  if (uptime.isPending) return <Loading of="uptime"><Skeleton className={cn("h-10 w-full", className)} /></Loading>;
  if (uptime.isError) {
    // One line, because a list may have many of them.
    return (
      <p className="text-sm text-destructive">
        Its uptime could not be loaded. <Button variant="link" size="sm" onClick={() => void uptime.refetch()}>Try again</Button>
      </p>
    );
  }
  return <DayBars days={daysOf(uptime.data.days, uptime.data.records)} whole={uptime.data.percent} count={days} className={className} />;
}

/** Days that are known already. */
export function DayBars({ days, whole, count, className }: { days: Day[]; whole: number | null; count: number; className?: string | undefined }) {
  const text = whole === null ? "not known" : percent(whole);
  return (
    <div className={cn("flex items-center gap-3", className)}>
      <Bars days={days} label={`Up ${text} of the last ${count} days`} />
      <span className="w-14 shrink-0 text-right text-sm font-medium tabular-nums">{text}</span>
    </div>
  );
}

function Bars({ days, label }: { days: Day[]; label: string }) {
  return (
    <svg
      role="img" aria-label={label} viewBox={`0 0 ${Math.max(1, days.length) * (WIDTH + GAP) - GAP} ${HEIGHT}`}
      preserveAspectRatio="none" className="h-10 min-w-0 flex-1"
    >
      {days.map((day, index) => {
        const height = Math.max(LEAST, ((day.percent ?? 0) / 100) * HEIGHT);
        const reported = (day.reported / 100) * HEIGHT;
        return (
          <g key={day.date}>
            <title>{`${day.date}: ${share(day.percent)}${day.reported > 0 ? ` observed, ${percent(day.reported)} more reported later` : ""}`}</title>
            <rect x={index * (WIDTH + GAP)} y={0} width={WIDTH} height={HEIGHT} rx={2} className="fill-muted" />
            <rect
              x={index * (WIDTH + GAP)} y={HEIGHT - height} width={WIDTH} height={height} rx={2}
              className={COLOURS[levelOf(day.percent ?? 0)]}
            />
            {reported > 0 ? <rect x={index * (WIDTH + GAP)} y={Math.max(0, HEIGHT - height - reported)} width={WIDTH} height={reported} className="fill-info/40" /> : null}
          </g>
        );
      })}
    </svg>
  );
}
