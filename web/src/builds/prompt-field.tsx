import { useRef } from "react";
import { fieldClass, Textarea } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { cn } from "@/lib/utils";
import { segmentsOf } from "./marks";
import type { NotHonoured } from "./types";

export const MIN_PROMPT = 10;
const MAX_PROMPT = 2000;

/** The prompt, with the words marked that would not be in the contract. */
export function PromptField({
  value, onChange, notHonoured, error,
}: { value: string; onChange: (value: string) => void; notHonoured: NotHonoured[]; error: string | undefined }) {
  const marks = useRef<HTMLDivElement>(null);
  return (
    <Field label="Prompt" hint={hintOf(value, notHonoured)} error={error}>
      {(control) => (
        <div className="relative">
          {/* The same text in the same place behind the field; what is told of it in words is in the hint and the preview. */}
          <div ref={marks} aria-hidden className={cn(fieldClass, "pointer-events-none absolute inset-0 overflow-hidden py-2 whitespace-pre-wrap text-transparent [scrollbar-gutter:stable]")}>
            {segmentsOf(value, notHonoured).map(({ text, reason }, index) =>
              reason === null ? text : <mark key={index} data-not-honoured className="rounded-sm bg-warning/25 text-transparent underline decoration-warning decoration-2 underline-offset-4">{text}</mark>,
            )}
          </div>
          <Textarea
            {...control} rows={5} maxLength={MAX_PROMPT} value={value} className="relative block resize-none bg-transparent [scrollbar-gutter:stable]"
            onChange={(event) => onChange(event.target.value)}
            onScroll={(event) => { if (marks.current) marks.current.scrollTop = event.currentTarget.scrollTop; }}
            placeholder="Create an ERC-20 token called HyperKit (HYPE) with 1 billion supply that can be burned"
          />
        </div>
      )}
    </Field>
  );
}

function hintOf(prompt: string, notHonoured: NotHonoured[]): string {
  const length = `${prompt.length} of ${MAX_PROMPT} characters`;
  if (notHonoured.length === 0) return length;
  return `${length}. Marked: what the contract would not have (${notHonoured.map(({ text }) => `“${text}”`).join(", ")})`;
}
