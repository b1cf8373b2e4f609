import { HammerIcon, LoaderCircleIcon } from "lucide-react";
import { type FormEvent, useEffect, useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { ApiError } from "@/api/errors";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardHeader, CardTitle, CardDescription } from "@/components/ui/card";
import { Checkbox, Input, Select, Textarea } from "@/components/ui/input";
import { Field, type FieldControl } from "@/components/ui/label";
import { useConfiguration } from "@/lib/configuration";
import { useDebounced } from "@/lib/use-debounced";
import { fieldsOf, optionsOf, TEMPLATES, type OptionField } from "./build-options";
import { BuildPreview } from "./build-preview";
import { MIN_PROMPT, PromptField } from "./prompt-field";
import { usePreview, useRequestBuild } from "./queries";

const SETTLED_MILLISECONDS = 600;

/** Who brings the audited contract on chain; the options of the API that say so. */
const DEPLOYING = [
  { id: "slipway", name: "Slipway, after the audit", options: {} },
  { id: "review", name: "Slipway, once I have reviewed the audit", options: { deploy: false } },
  { id: "wallet", name: "My wallet, which signs and pays", options: { signer: "wallet" } },
] as const;

/** What contract is wanted, what it would become, and where it is to be deployed. */
export function BuildForm() {
  const { buildChains } = useConfiguration();
  const [prompt, setPrompt] = useState("");
  const [template, setTemplate] = useState("");
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [chains, setChains] = useState<number[]>(buildChains.slice(0, 1).map(({ id }) => id));
  const [deploying, setDeploying] = useState<(typeof DEPLOYING)[number]["id"]>("slipway");
  const [strict, setStrict] = useState(true);
  const [isTried, setTried] = useState(false);
  const request = useRequestBuild();
  const navigate = useNavigate();

  const body = useMemo(() => {
    const options = {
      ...optionsOf(template, texts), ...DEPLOYING.find(({ id }) => id === deploying)?.options, ...(strict ? {} : { strict }),
    };
    return { prompt, chains, ...(template ? { template } : {}), ...(Object.keys(options).length > 0 ? { options } : {}) };
  }, [prompt, chains, template, texts, deploying, strict]);
  const settled = useDebounced(body, SETTLED_MILLISECONDS);
  const isWanted = settled.prompt.trim().length >= MIN_PROMPT;
  const preview = usePreview(settled, isWanted);
  const shown = isWanted ? preview.data : undefined;
  const isCurrent = settled === body && !preview.isFetching;
  // What was refused before says nothing of what has been changed since.
  const { reset } = request;
  useEffect(() => reset(), [body, reset]);

  const refused = request.error ?? (isWanted ? preview.error : null);
  const fields = refused instanceof ApiError ? refused.fields : [];
  const problemOf = (name: string) => fields.find(({ field }) => field === name || field.startsWith(`${name}.`))?.message;
  const promptProblem = isTried && prompt.trim().length < MIN_PROMPT ? `Write at least ${MIN_PROMPT} characters` : problemOf("prompt");
  const chainProblem = isTried && chains.length === 0 ? "Choose at least one chain" : problemOf("chains");

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (prompt.trim().length < MIN_PROMPT || chains.length === 0) return;
    request.mutate(body, { onSuccess: ({ build_id }) => navigate(`/builds/${build_id}`) });
  }

  return (
    <form onSubmit={submit} noValidate className="grid grid-cols-1 gap-4 lg:grid-cols-2 lg:items-start">
      <div className="flex min-w-0 flex-col gap-4">
        <Card>
          <CardHeader><CardTitle>What shall it be?</CardTitle></CardHeader>
          <CardContent className="flex flex-col gap-4">
            <PromptField value={prompt} onChange={setPrompt} notHonoured={shown?.not_honoured ?? []} error={promptProblem} />
            <Field label="Template" error={problemOf("template")} className="sm:max-w-sm">
              {(control) => (
                <Select {...control} value={template} onChange={(event) => setTemplate(event.target.value)}>
                  <option value="">As the prompt says</option>
                  {TEMPLATES.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
                </Select>
              )}
            </Field>
            <fieldset aria-describedby={chainProblem ? "chains-problem" : undefined}>
              <legend className="mb-2 text-sm font-medium">Chains</legend>
              <div className="flex flex-wrap gap-x-6 gap-y-2">
                {buildChains.map(({ id, name }) => (
                  <label key={id} className="flex items-center gap-2 text-sm">
                    <Checkbox
                      checked={chains.includes(id)}
                      onChange={(event) => setChains(event.target.checked ? [...chains, id] : chains.filter((chain) => chain !== id))}
                    />
                    {name} <span className="text-muted-foreground">({id})</span>
                  </label>
                ))}
              </div>
              {chainProblem ? <p id="chains-problem" className="mt-1.5 text-xs text-destructive">{chainProblem}</p> : null}
            </fieldset>
            <Field label="Who deploys it" error={problemOf("options.signer") ?? problemOf("options.deploy")} className="sm:max-w-sm">
              {(control) => (
                <Select {...control} value={deploying} onChange={(event) => setDeploying(event.target.value as typeof deploying)}>
                  {DEPLOYING.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
                </Select>
              )}
            </Field>
            <label className="flex items-center gap-2 text-sm">
              <Checkbox checked={!strict} onChange={(event) => setStrict(!event.target.checked)} />
              Leave out wishes that can&#39;t be honoured, and build the rest
            </label>
          </CardContent>
        </Card>
        <Card>
          <CardHeader>
            <CardTitle>Options</CardTitle>
            <CardDescription>What you set here wins over the prompt. Leave empty what the prompt decides.</CardDescription>
          </CardHeader>
          <CardContent className="grid gap-4 sm:grid-cols-2">
            {fieldsOf(template).map((field) => (
              <Field key={field.name} label={field.label} hint={field.hint} error={problemOf(`options.${field.name}`)}>
                {(control) => (
                  <OptionControl
                    field={field} control={control} value={texts[field.name] ?? ""}
                    onChange={(value) => setTexts({ ...texts, [field.name]: value })}
                  />
                )}
              </Field>
            ))}
          </CardContent>
        </Card>
      </div>
      <div className="flex min-w-0 flex-col gap-4 lg:sticky lg:top-20">
        <BuildPreview preview={shown} isCurrent={isCurrent} error={isWanted ? preview.error : null} strict={strict} />
        {request.error ? <ErrorAlert error={request.error} title="The build was not accepted" /> : null}
        <Button type="submit" className="self-start" disabled={request.isPending}>
          {request.isPending ? <LoaderCircleIcon aria-hidden className="animate-spin" /> : <HammerIcon aria-hidden />} Start the build
        </Button>
      </div>
    </form>
  );
}

function OptionControl({
  field, control, value, onChange,
}: { field: OptionField; control: FieldControl; value: string; onChange: (value: string) => void }) {
  if (field.kind === "flag" || field.kind === "access") {
    const choices = field.kind === "flag" ? [["yes", "Yes"], ["no", "No"]] : [["owner", "One owner"], ["roles", "Roles"]];
    return (
      <Select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">As the prompt says</option>
        {choices.map(([choice, name]) => <option key={choice} value={choice}>{name}</option>)}
      </Select>
    );
  }
  if (field.kind === "addresses") {
    return <Textarea {...control} className="font-mono" value={value} onChange={(event) => onChange(event.target.value)} />;
  }
  return (
    <Input
      {...control} inputMode={field.kind === "whole" ? "numeric" : field.kind === "number" ? "decimal" : "text"}
      value={value} onChange={(event) => onChange(event.target.value)}
    />
  );
}
