import { CircleAlertIcon, CircleDotIcon } from "lucide-react";
import { Term } from "@/components/term";
import { moment } from "@/lib/format";
import type { DeploymentEvent } from "./types";

const BAD = /error|fail|refus|timeout/i;

/** What happened, oldest first. */
export function Timeline({ events }: { events: DeploymentEvent[] }) {
  return (
    <ol aria-label="Timeline" className="relative ml-2 flex flex-col gap-4 border-l pl-5">
      {events.map((event, index) => {
        const Icon = BAD.test(event.event) ? CircleAlertIcon : CircleDotIcon;
        return (
          <li key={`${event.created_at}-${index}`} className="relative text-sm">
            <Icon
              aria-hidden
              className={`absolute top-0.5 -left-[29px] size-4 bg-card ${BAD.test(event.event) ? "text-destructive" : "text-primary"}`}
            />
            <p className="font-semibold">{event.event.replaceAll("_", " ")}</p>
            <p>{event.message}</p>
            <time dateTime={event.created_at} className="text-xs text-muted-foreground">{moment(event.created_at)}</time>
            <Bids event={event} />
          </li>
        );
      })}
    </ol>
  );
}

interface Bid {
  provider: string;
  usd_per_hour: string;
  chosen: boolean;
  why_not: string;
}

function Bids({ event }: { event: DeploymentEvent }) {
  const bids = (event.data as { bids?: Bid[] } | null)?.bids;
  if (!Array.isArray(bids) || bids.length === 0) return null;
  return (
    <details className="mt-1 text-xs">
      <summary className="cursor-pointer text-muted-foreground">{bids.length} {bids.length === 1 ? "bid" : "bids"}</summary>
      <p className="mt-1">What providers offered, as their <Term text="bids" of="bids" />:</p>
      <ul className="mt-1 flex flex-col gap-1">
        {bids.map((bid) => (
          <li key={bid.provider} className="font-mono break-all">
            {bid.provider} · ${bid.usd_per_hour}/h · <span className="font-sans">{bid.chosen ? "chosen" : bid.why_not}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
