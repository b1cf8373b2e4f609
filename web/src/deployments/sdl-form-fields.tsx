import { useState } from "react";
import { Input, Select, Textarea } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { readForm, servicesOf, writeForm, type FormField } from "./sdl-form";

const FIELDS: { name: FormField; label: string; hint?: string; wide?: boolean }[] = [
  { name: "image", label: "Image", wide: true },
  { name: "port", label: "Port of the container" },
  { name: "count", label: "Copies" },
  { name: "cpu", label: "CPU", hint: "Cores, or thousandths: 500m" },
  { name: "memory", label: "Memory", hint: "Such as 512Mi or 4Gi" },
  { name: "storage", label: "Storage", hint: "Such as 1Gi" },
  { name: "gpus", label: "GPUs", hint: "None if it is empty" },
];

/** One service of an SDL as a form; it and the editor show the same text. */
export function SdlForm({ sdl, onChange }: { sdl: string; onChange: (sdl: string) => void }) {
  const services = servicesOf(sdl);
  const [chosen, setChosen] = useState("");
  const service = services?.includes(chosen) ? chosen : services?.[0];
  const form = service === undefined ? null : readForm(sdl, service);
  if (!form || !services || service === undefined) return <p className="text-sm text-muted-foreground">The form comes back once the text can be read as an SDL.</p>;
  const control = (field: FormField) => ({
    value: form[field],
    onChange: (event: { target: { value: string } }) => onChange(writeForm(sdl, service, field, event.target.value)),
  });
  return (
    <fieldset className="grid min-w-0 grid-cols-2 content-start gap-3">
      <legend className="sr-only">Form</legend>
      {services.length > 1 ? (
        <Field label="Service" className="col-span-2">
          {(given) => <Select {...given} value={service} onChange={(event) => setChosen(event.target.value)}>{services.map((name) => <option key={name}>{name}</option>)}</Select>}
        </Field>
      ) : null}
      {FIELDS.map(({ name, label, hint, wide }) => (
        <Field key={name} label={label} hint={hint} className={wide ? "col-span-2" : ""}>
          {(given) => <Input {...given} {...control(name)} autoComplete="off" spellCheck={false} />}
        </Field>
      ))}
      {Number(form.gpus) > 0 ? <Field label="Model of the GPU" hint="Such as a100; any if empty" className="col-span-2">{(given) => <Input {...given} {...control("gpuModel")} autoComplete="off" spellCheck={false} />}</Field> : null}
      <Environment key={`${service} ${form.env}`} env={form.env} onChange={(env) => onChange(writeForm(sdl, service, "env", env))} />
    </fieldset>
  );
}

/** Variables are written down when the field is left: half of one is none yet. */
function Environment({ env, onChange }: { env: string; onChange: (env: string) => void }) {
  const [text, setText] = useState(env);
  return (
    <Field label="Variables" hint="NAME=value, one a line" className="col-span-2">
      {(given) => <Textarea {...given} rows={3} spellCheck={false} className="font-mono text-xs" value={text} onChange={(event) => setText(event.target.value)} onBlur={() => text !== env && onChange(text)} />}
    </Field>
  );
}
