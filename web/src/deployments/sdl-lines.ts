import { isMap, isSeq, LineCounter, parseDocument, type Node, type Pair } from "yaml";
import type { FieldProblem } from "@/api/errors";

export interface LineProblem {
  /** From 1. */
  line: number;
  message: string;
}

const PLACE = /\(line (\d+), column \d+\)/;

/**
 * The lines of an SDL that the API's problems are about.
 *
 * The API names a path, such as `services.web.expose[0].port`, or for what is not YAML the line itself. What is missing
 * is told at the part that lacks it.
 */
export function linesOf(sdl: string, problems: FieldProblem[]): LineProblem[] {
  const counter = new LineCounter();
  const document = parseDocument(sdl, { lineCounter: counter });
  const last = sdl.trimEnd().split("\n").length;
  return problems.map(({ field, message }) => {
    const told = PLACE.exec(message);
    // What is missing at the end is told on the line after it.
    if (told) return { line: Math.min(Number(told[1]), last), message };
    const offset = offsetOf(document.contents as Node | null, segments(field));
    return { line: Math.max(1, counter.linePos(offset).line), message: field === "sdl" ? message : `${field}: ${message}` };
  });
}

function segments(path: string): string[] {
  return path.split(/[.[\]]+/).filter(Boolean);
}

/** Where the deepest part of a path begins that the document has. Names may hold dots, so several segments may be one. */
function offsetOf(node: Node | null, path: string[], fallback = 0): number {
  const here = fallback;
  if (!node || path.length === 0) return here;
  if (isMap(node)) {
    for (let length = path.length; length > 0; length--) {
      const key = path.slice(0, length).join(".");
      const pair = node.items.find((item) => String((item as Pair<Node>).key) === key) as Pair<Node, Node> | undefined;
      if (pair) return offsetOf(pair.value, path.slice(length), pair.key.range?.[0] ?? here);
    }
  }
  if (isSeq(node)) {
    const item = node.items[Number(path[0])] as Node | undefined;
    if (item) return offsetOf(item, path.slice(1), item.range?.[0] ?? here);
  }
  return here;
}
