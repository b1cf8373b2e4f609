import { Details } from "@/components/details";
import { Timestamp } from "@/components/timestamp";
import { ether, usd } from "@/lib/format";
import { SettingsAndAssumed } from "./promises";
import { nameOfChain, type Build } from "./types";

const seconds = (value: number | null | undefined) => (value === null || value === undefined ? null : `${value.toFixed(1)} s`);

/** What was asked for, and what it came to. */
export function BuildFacts({ build }: { build: Build }) {
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
          ["Cost on chain", build.costs?.length ? build.costs.map(({ chain_id, cost, currency }) => `${ether(cost, currency)} on ${nameOfChain(build, chain_id)}`).join(", ") : null],
          ["Cost of the model", build.usage?.cost ? usd(build.usage.cost) : null],
        ]}
      />
      <SettingsAndAssumed settings={build.effective_options ?? build.options ?? {}} assumed={build.assumed} />
    </div>
  );
}
