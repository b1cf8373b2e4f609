import { CircleCheckIcon, DatabaseIcon, LoaderCircleIcon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { ApiError } from "@/api/errors";
import { ErrorAlert } from "@/components/error-alert";
import { Notice } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardDescription, CardHeader, CardTitle } from "@/components/ui/card";
import { Input, Select, Textarea } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { entryOf, NO_MODEL, type ModelTexts } from "./model-entry";
import { usePutModel } from "./queries";

/** Tells the catalogue of a model, whose owner can then launch its token. */
export function ModelForm() {
  const [texts, setTexts] = useState<ModelTexts>(NO_MODEL);
  const [isTried, setTried] = useState(false);
  const put = usePutModel();
  const fields = put.error instanceof ApiError ? put.error.fields : [];
  const problemOf = (name: string) => fields.find(({ field }) => field === name || field.startsWith(`${name}.`))?.message;
  const change = (part: Partial<ModelTexts>) => setTexts({ ...texts, ...part });

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (texts.id.trim() && texts.owner.trim()) put.mutate({ id: texts.id.trim(), entry: entryOf(texts, new Date()) });
  }

  const missing = (text: string) => (isTried && !text.trim() ? "Fill this in" : undefined);
  return (
    <Card className="max-w-2xl">
      <CardHeader>
        <CardTitle>Register a model</CardTitle>
        <CardDescription>A known model is overwritten. Its owner and contributors can launch its token once it is validated.</CardDescription>
      </CardHeader>
      <CardContent>
        <form onSubmit={submit} noValidate className="grid gap-4 sm:grid-cols-2">
          <Field label="Model" error={missing(texts.id) ?? problemOf("model_id")}>
            {(control) => <Input {...control} maxLength={64} value={texts.id} onChange={(event) => change({ id: event.target.value })} />}
          </Field>
          <Field label="State" error={problemOf("state")}>
            {(control) => (
              <Select {...control} value={texts.state} onChange={(event) => change({ state: event.target.value as ModelTexts["state"] })}>
                <option value="registered">registered</option>
                <option value="validated">validated, now</option>
                <option value="rejected">rejected</option>
              </Select>
            )}
          </Field>
          <Field label="Owner" hint="A wallet's address." error={missing(texts.owner) ?? problemOf("owner")} className="sm:col-span-2">
            {(control) => <Input {...control} className="font-mono" value={texts.owner} onChange={(event) => change({ owner: event.target.value })} />}
          </Field>
          <Field label="Contributors" hint="Addresses, one a line." error={problemOf("contributors")} className="sm:col-span-2">
            {(control) => <Textarea {...control} className="font-mono" value={texts.contributors} onChange={(event) => change({ contributors: event.target.value })} />}
          </Field>
          <Field label="Run" hint="That made it, as the tracking server names it." error={problemOf("run_id")}>
            {(control) => <Input {...control} value={texts.runId} onChange={(event) => change({ runId: event.target.value })} />}
          </Field>
          <Field label="Improvement" hint="Over the model before it, such as 0.04." error={problemOf("improvement")}>
            {(control) => <Input {...control} inputMode="decimal" value={texts.improvement} onChange={(event) => change({ improvement: event.target.value })} />}
          </Field>
          <Field label="Metrics" hint="One name=value a line, such as accuracy=0.93." error={problemOf("metrics")} className="sm:col-span-2">
            {(control) => <Textarea {...control} className="font-mono" value={texts.metrics} onChange={(event) => change({ metrics: event.target.value })} />}
          </Field>
          <div className="flex flex-col gap-3 sm:col-span-2">
            {put.error ? <ErrorAlert error={put.error} title="The model was not registered" /> : null}
            {put.data ? (
              <Notice role="status">
                <CircleCheckIcon aria-hidden className="!text-success" />
                <p>The catalogue knows {put.data.model_id} as {put.data.state}, owned by <code className="break-all">{put.data.owner}</code>.</p>
              </Notice>
            ) : null}
            <Button type="submit" className="self-start" disabled={put.isPending}>
              {put.isPending ? <LoaderCircleIcon aria-hidden className="animate-spin" /> : <DatabaseIcon aria-hidden />} Register the model
            </Button>
          </div>
        </form>
      </CardContent>
    </Card>
  );
}
