import { type FormEvent, type ReactNode, useState } from "react";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent, DialogDescription, DialogFooter, DialogHeader, DialogTitle } from "@/components/ui/dialog";
import { Input } from "@/components/ui/input";
import { Field, type FieldControl } from "@/components/ui/label";

/** Asks for one text, such as a name or an amount, and does something with it. */
export function TextDialog({
  title, description, label, action, initial, error, isPending, input, onSubmit, onClose,
}: {
  title: string;
  description: ReactNode;
  label: string;
  action: string;
  initial: string;
  error: unknown;
  isPending: boolean;
  input: React.ComponentProps<"input">;
  onSubmit: (text: string) => void;
  onClose: () => void;
}) {
  const [text, setText] = useState(initial);

  function submit(event: FormEvent) {
    event.preventDefault();
    onSubmit(text.trim());
  }

  return (
    <Dialog open onOpenChange={(open) => !open && !isPending && onClose()}>
      <DialogContent className="max-w-sm">
        <form onSubmit={submit} className="flex flex-col gap-4">
          <DialogHeader>
            <DialogTitle>{title}</DialogTitle>
            <DialogDescription>{description}</DialogDescription>
          </DialogHeader>
          <Field label={label}>
            {(control: FieldControl) => <Input {...input} {...control} autoComplete="off" value={text} onChange={(event) => setText(event.target.value)} />}
          </Field>
          {error ? <ErrorAlert error={error} title="Nothing was changed" /> : null}
          <DialogFooter>
            <Button variant="outline" onClick={onClose} disabled={isPending}>Cancel</Button>
            <Button type="submit" disabled={isPending}>{action}</Button>
          </DialogFooter>
        </form>
      </DialogContent>
    </Dialog>
  );
}
