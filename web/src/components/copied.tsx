import { CopyButton } from "@/components/copy-button";

/** An id, a hash or an address in short, with a button that copies the whole. */
export function Copied({ text, short = text, what }: { text: string; short?: string; what: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-0.5">
      <code className="text-xs break-all" title={text}>{short}</code>
      <CopyButton text={text} label={`Copy the ${what}`} variant="ghost" size="icon" className="size-6 shrink-0" />
    </span>
  );
}
