import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { useModels, type Model } from "./queries";

const MAX_SHOWN = 6;

/** The model whose token is launched: chosen among the caller's, or typed. */
export function ModelChoice({ value, error, onChange }: { value: string; error: string | undefined; onChange: (id: string) => void }) {
  const { data: models, isPending, error: failed } = useModels();
  const ready = (models ?? []).filter((model) => model.refusals.length === 0);
  const chosen = models?.find((model) => model.model_id === value.trim());
  return (
    <Field label="Model" error={error} hint={chosen ? aboutOf(chosen) : hintOf(ready.length, isPending, failed !== null)}>
      {(control) => (
        <>
          <Input {...control} required maxLength={64} autoComplete="off" list={`${control.id}-list`} value={value} onChange={(event) => onChange(event.target.value)} />
          <datalist id={`${control.id}-list`}>
            {(models ?? []).map((model) => <option key={model.model_id} value={model.model_id}>{aboutOf(model)}</option>)}
          </datalist>
          {ready.length > 0 ? (
            <div className="flex flex-wrap gap-1.5">
              {ready.slice(0, MAX_SHOWN).map(({ model_id: id }) => (
                <Button key={id} size="sm" variant={id === value.trim() ? "secondary" : "outline"} className="max-w-full truncate" onClick={() => onChange(id)}>{id}</Button>
              ))}
            </div>
          ) : null}
        </>
      )}
    </Field>
  );
}

function hintOf(count: number, isPending: boolean, hasFailed: boolean): string {
  if (isPending) return "Looking for your models…";
  if (hasFailed) return "Your models could not be listed; type an id, such as sentiment-v2";
  return count > 0 ? "Yours that can be launched now, or any other id" : "None of yours can be launched now; an id tells why";
}

function aboutOf(model: Model): string {
  if (model.token) return `${model.state}, has the token ${model.token.symbol}`;
  const metrics = Object.entries(model.metrics).slice(0, 2).map(([name, metric]) => `${name} ${metric}`);
  return [model.state, ...metrics, ...model.refusals.map(({ code }) => code)].join(", ");
}
