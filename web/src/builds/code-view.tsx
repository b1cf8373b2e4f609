import { useEffect, useMemo, useRef } from "react";
import { cn } from "@/lib/utils";
import { linesOf } from "./solidity";

const COLOURS: Record<string, string> = {
  comment: "text-muted-foreground italic", keyword: "text-info", builtin: "text-primary", "class-name": "text-primary",
  function: "text-warning", string: "text-success", number: "text-success", version: "text-success", boolean: "text-success",
};

/**
 * Solidity with line numbers and colours. The code is text of the page and never markup, whoever wrote it.
 *
 * `marked` are lines that the reader should see; the first of them is scrolled to.
 */
export default function CodeView({ code, marked }: { code: string; marked: number[] }) {
  const lines = useMemo(() => linesOf(code.endsWith("\n") ? code.slice(0, -1) : code), [code]);
  const area = useRef<HTMLDivElement>(null);
  const first = marked[0];
  useEffect(() => {
    if (first === undefined) return;
    area.current?.querySelector(`[data-line="${first}"]`)?.scrollIntoView({ block: "center" });
  }, [first, marked]);
  const width = `${String(lines.length).length}ch`;
  return (
    <div
      ref={area} role="region" aria-label="Source code" tabIndex={0}
      className="max-h-[70vh] overflow-auto rounded-lg border bg-card py-2 font-mono text-xs leading-5 [overflow-wrap:normal]"
    >
      <code className="block w-max min-w-full">
        {lines.map((tokens, index) => (
          <span
            key={index} data-line={index + 1}
            className={cn("block pr-4 whitespace-pre", marked.includes(index + 1) && "bg-warning/15")}
          >
            <span aria-hidden className="sticky left-0 inline-block bg-card px-3 text-right text-muted-foreground select-none" style={{ minWidth: `calc(${width} + 1.5rem)` }}>
              {index + 1}
            </span>
            {tokens.map(({ type, text }, position) => <span key={position} className={COLOURS[type]}>{text}</span>)}
            {"\n"}
          </span>
        ))}
      </code>
    </div>
  );
}
