import { ActivityIcon, FlameIcon, HourglassIcon, ReceiptIcon, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Term } from "@/components/term";
import { Card } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { duration, usd } from "@/lib/format";
import type { Overview } from "./overview";

/** The four figures at the top. */
export function Stats({ overview, isLoading }: { overview: Overview | null; isLoading: boolean }) {
  const about = overview?.isEstimate ? "about " : "";
  const runway = overview?.runwaySeconds;
  return (
    <section aria-label="Overview">
      <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Stat icon={ActivityIcon} label="Active deployments" value={overview && String(overview.active)} isLoading={isLoading} hint="running or on their way" />
        <Stat icon={ReceiptIcon} label="Total spent" value={overview && about + usd(overview.spent)} isLoading={isLoading} hint="on workloads so far" />
        <Stat icon={FlameIcon} label="Burn per day" value={overview && usd(overview.burnPerDay)} isLoading={isLoading} hint="at today's prices" />
        <Stat icon={HourglassIcon} label={<Term text="Runway" of="runway" />} value={overview && (runway == null ? "–" : duration(runway))} isLoading={isLoading} hint="until the first deposit is used up" />
      </dl>
    </section>
  );
}

function Stat({
  icon: Icon, label, value, hint, isLoading,
}: { icon: LucideIcon; label: ReactNode; value: string | null; hint: string; isLoading: boolean }) {
  return (
    <Card className="flex flex-col gap-1 p-4">
      <dt className="flex items-center gap-1.5 text-xs text-muted-foreground"><Icon className="size-4" aria-hidden /> {label}</dt>
      <dd>
        {isLoading ? <Skeleton className="h-7 w-20" /> : <span className="text-xl font-semibold tabular-nums">{value ?? "–"}</span>}
        <span className="block text-xs text-muted-foreground">{hint}</span>
      </dd>
    </Card>
  );
}
