import { LoaderCircleIcon, RocketIcon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { ApiError } from "@/api/errors";
import { Term } from "@/components/term";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent, DialogDescription, DialogFooter, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Checkbox, Input, Textarea } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { useStackJobs } from "./queries";
import { specOf, textsOf, type SpecTexts } from "./stack-spec";
import { TITLES, type Stack, type StackKind } from "./types";

type TextName = Exclude<keyof SpecTexts, "auditedOnly" | "keep" | "follow" | "env">;

const FIELDS: { name: TextName; label: string; path: string; hint?: string; kinds: StackKind[] }[] = [
  { name: "image", label: "Image", path: "image", hint: "The installation's unless given.", kinds: ["node", "api"] },
  { name: "cpu", label: "CPU", path: "resources.cpu", hint: "Cores, such as 2 or 500m.", kinds: ["node", "api"] },
  { name: "memory", label: "Memory", path: "resources.memory", hint: "Such as 4Gi.", kinds: ["node", "api"] },
  { name: "storage", label: "Storage", path: "resources.storage", hint: "Such as 8Gi.", kinds: ["node", "api"] },
  { name: "data", label: "Ledger's volume", path: "resources.data", hint: "Such as 64Gi; it persists.", kinds: ["node"] },
  { name: "region", label: "Region", path: "preferences.region", kinds: ["node", "api"] },
  { name: "maxPrice", label: "Highest price", path: "preferences.maxPrice", hint: "US dollars an hour.", kinds: ["node", "api"] },
];

/** Deploys a stack or changes it. Everything has a default, so that nothing needs to be filled in. */
export default function StackDialog({
  environment, kind, stack, onClose,
}: { environment: string; kind: StackKind; stack: Stack | null; onClose: () => void }) {
  const [texts, setTexts] = useState(() => textsOf(stack?.spec));
  const { put } = useStackJobs(environment, kind);
  const fields = put.error instanceof ApiError ? put.error.fields : [];
  const problemOf = (path: string) => fields.find(({ field }) => field === path || field.startsWith(`${path}.`))?.message;
  const change = (part: Partial<SpecTexts>) => setTexts({ ...texts, ...part });

  function submit(event: FormEvent) {
    event.preventDefault();
    put.mutate(
      { spec: specOf(kind, texts, stack?.spec), generation: stack?.generation ?? 0 },
      {
        onSuccess: ({ unchanged }) => {
          toast.success(unchanged ? "It is so already: nothing was changed" : `The ${TITLES[kind]} is being deployed`);
          onClose();
        },
      },
    );
  }

  return (
    <Dialog open onOpenChange={(open) => open || onClose()}>
      <DialogContent className="max-w-2xl">
        <DialogHeader>
          <DialogTitle>{stack ? "Change" : "Deploy"} the {TITLES[kind]} of {environment}</DialogTitle>
          <DialogDescription>
            {stack
              ? <>Another image or variables run on the same <Term text="lease" of="lease" />. Other resources or preferences need another one: the old deployment is closed first.</>
              : "Leave empty what should be as this installation has it by default."}
          </DialogDescription>
        </DialogHeader>
        <form onSubmit={submit} noValidate className="flex flex-col gap-4">
          <div className="grid gap-4 sm:grid-cols-2">
            {FIELDS.filter(({ kinds }) => kinds.includes(kind)).map(({ name, label, path, hint }) => (
              <Field key={name} label={label} hint={hint} error={problemOf(path)}>
                {(control) => <Input {...control} value={texts[name]} onChange={(event) => change({ [name]: event.target.value })} />}
              </Field>
            ))}
          </div>
          <Field label="Variables" hint="One NAME=value a line." error={problemOf("env")}>
            {(control) => <Textarea {...control} className="font-mono text-xs" value={texts.env} onChange={(event) => change({ env: event.target.value })} />}
          </Field>
          <div className="flex flex-col gap-2 text-sm">
            <Flag label="Audited providers only" isOn={texts.auditedOnly} onChange={(auditedOnly) => change({ auditedOnly })} />
            <Flag label="Leave a failed deployment open for a look; it costs until then" isOn={texts.keep} onChange={(keep) => change({ keep })} />
            {kind === "api" ? <Flag label="Follow the node when its endpoint moves" isOn={texts.follow} onChange={(follow) => change({ follow })} /> : null}
          </div>
          {put.error ? <ErrorAlert error={put.error} title="It was not accepted" /> : null}
          <DialogFooter>
            <Button variant="outline" onClick={onClose}>Back</Button>
            <Button type="submit" disabled={put.isPending}>
              {put.isPending ? <LoaderCircleIcon aria-hidden className="animate-spin" /> : <RocketIcon aria-hidden />} {stack ? "Change it" : "Deploy it"}
            </Button>
          </DialogFooter>
        </form>
      </DialogContent>
    </Dialog>
  );
}

function Flag({ label, isOn, onChange }: { label: string; isOn: boolean; onChange: (isOn: boolean) => void }) {
  return (
    <label className="flex items-center gap-2">
      <Checkbox checked={isOn} onChange={(event) => onChange(event.target.checked)} /> {label}
    </label>
  );
}
