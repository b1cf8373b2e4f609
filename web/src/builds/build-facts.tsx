import { Details } from "@/components/details";
import { Timestamp } from "@/components/timestamp";
import { ether, usd } from "@/lib/format";
import type { Build } from "./types";

const seconds = (value: number | null | undefined) => (value === null || value === undefined ? null : `${value.toFixed(1)} s`);

/** Settings are texts, numbers, switches, and lists of them. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.map(textOf).join(", ") || "none" : JSON.stringify(value);
}

/** What was asked for, and what it came to. */
export function BuildFacts({ build }: { build: Build }) {
  const settings = Object.entries(build.effective_options ?? build.options ?? {}).filter(([, value]) => value !== null);
  return (
    <div className="flex flex-col gap-4">
      <section aria-label="Prompt">
        <h3 className="mb-1 text-sm font-semibold">Prompt</h3>
        <p className="rounded-lg border bg-card p-3 text-sm whitespace-pre-wrap">{build.prompt}</p>
      </section>
      <Details
        facts={[
          ["Requested", <Timestamp key="requested" iso={build.created_at} />],
          ["Kind", build.kind ?? build.template],
          ["Written by", build.engine],
          ["Writing took", seconds(build.generation_time)],
          ["The audit took", seconds(build.audit_time)],
          ["Deploying took", seconds(build.deploy_time)],
          ["Gas", build.gas_used ? Number(build.gas_used).toLocaleString("en-US") : null],
          ["Cost on chain", build.total_cost_wei ? ether(build.total_cost_wei) : null],
          ["Cost of the model", build.usage?.cost ? usd(build.usage.cost) : null],
        ]}
      />
      {settings.length > 0 ? (
        <section aria-label="Settings">
          <h3 className="mb-1 text-sm font-semibold">Settings</h3>
          <Details facts={settings.map(([name, value]) => [name.replaceAll("_", " "), textOf(value)])} />
        </section>
      ) : null}
      {build.assumed.length > 0 ? (
        <section aria-label="Assumed">
          <h3 className="mb-1 text-sm font-semibold">Chosen where the request left it open</h3>
          <ul className="list-disc pl-5 text-sm">{build.assumed.map((text) => <li key={text}>{text}</li>)}</ul>
        </section>
      ) : null}
      {build.powers.length > 0 ? (
        <section aria-label="Powers">
          <h3 className="mb-1 text-sm font-semibold">Who can do what to holders</h3>
          <ul className="list-disc pl-5 text-sm">{build.powers.map((text) => <li key={text}>{text}</li>)}</ul>
        </section>
      ) : null}
      {build.not_honoured.length > 0 ? (
        <section aria-label="Not honoured">
          <h3 className="mb-1 text-sm font-semibold">
            Asked for, and not in the contract{build.strict ? "" : " (the request let it be dropped)"}
          </h3>
          <ul className="list-disc pl-5 text-sm">
            {build.not_honoured.map(({ text, reason }) => <li key={text}>“{text}”: {reason}</li>)}
          </ul>
        </section>
      ) : null}
    </div>
  );
}
