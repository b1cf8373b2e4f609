import { TriangleAlertIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Details } from "@/components/details";
import { Notice } from "@/components/ui/alert";
import type { NotHonoured } from "./types";

/** Settings are texts, numbers, switches, and lists of them. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.map(textOf).join(", ") || "none" : JSON.stringify(value);
}

function Part({ label, title, children }: { label: string; title: string; children: ReactNode }) {
  return (
    <section aria-label={label}>
      <h3 className="mb-1 text-sm font-semibold">{title}</h3>
      {children}
    </section>
  );
}

/** What was asked for and is not in the contract, in amber. */
export function NotHonouredList({ wishes, dropped }: { wishes: NotHonoured[]; dropped: boolean }) {
  if (wishes.length === 0) return null;
  return (
    <section aria-label="Not honoured">
      <Notice variant="warning">
        <TriangleAlertIcon aria-hidden />
        <div className="min-w-0">
          <h3 className="font-semibold">Asked for, and not in the contract{dropped ? " (the request let it be dropped)" : ""}</h3>
          <ul className="list-disc pl-4">{wishes.map(({ text, reason }) => <li key={text}><mark className="rounded-sm bg-warning/15 text-warning">“{text}”</mark>: {reason}</li>)}</ul>
        </div>
      </Notice>
    </section>
  );
}

export function PowersList({ powers }: { powers: string[] }) {
  if (powers.length === 0) return null;
  return <Part label="Powers" title="Who can do what to holders"><ul className="list-disc pl-5 text-sm">{powers.map((text) => <li key={text}>{text}</li>)}</ul></Part>;
}

/** How a contract is set, and what was chosen for its owner. */
export function SettingsAndAssumed({ settings, assumed }: { settings: Record<string, unknown>; assumed: string[] }) {
  const known = Object.entries(settings).filter(([, value]) => value !== null);
  return (
    <>
      {known.length > 0 ? (
        <Part label="Settings" title="Settings"><Details facts={known.map(([name, value]) => [name.replaceAll("_", " "), textOf(value)])} /></Part>
      ) : null}
      {assumed.length > 0 ? (
        <Part label="Assumed" title="Chosen where the request left it open"><ul className="list-disc pl-5 text-sm">{assumed.map((text) => <li key={text}>{text}</li>)}</ul></Part>
      ) : null}
    </>
  );
}
