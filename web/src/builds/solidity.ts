import { refractor } from "refractor/core";
import solidity from "refractor/solidity";

refractor.register(solidity);

/** A piece of a line, and what it is: `keyword`, `comment` …; empty for what is nothing special. */
export interface Token {
  type: string;
  text: string;
}

interface Node {
  type: string;
  value?: string;
  properties?: { className?: unknown };
  children?: unknown[];
}

/** Source code by lines and tokens; put together they are the code again, but for the ends of lines. */
export function linesOf(code: string): Token[][] {
  const lines: Token[][] = [[]];
  const visit = (node: Node, type: string) => {
    if (node.value !== undefined) {
      node.value.split("\n").forEach((text, index) => {
        if (index > 0) lines.push([]);
        if (text) lines.at(-1)?.push({ type, text });
      });
    }
    const names = node.properties?.className;
    const own = Array.isArray(names) ? String(names.at(-1)) : type;
    for (const child of node.children ?? []) visit(child as Node, own);
  };
  visit(refractor.highlight(code, "solidity") as Node, "");
  return lines;
}
