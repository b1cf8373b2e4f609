export interface LogLine {
  /** Grows by one with each line; lines that were dropped leave no gap in what is kept. */
  number: number;
  service: string;
  pod: string;
  text: string;
  /** Whether it is a remark about the stream itself, such as that lines may be missing. */
  isRemark: boolean;
}

export const MAX_LINES = 10_000;

/** The newest lines of a log. Its array is replaced with each change, so that React sees it. */
export class LogBuffer {
  lines: LogLine[] = [];
  private next = 0;

  constructor(private readonly most: number = MAX_LINES) {}

  append(added: Omit<LogLine, "number">[]): LogLine[] {
    if (added.length === 0) return this.lines;
    const numbered = added.map((line) => ({ ...line, number: this.next++ }));
    const all = this.lines.concat(numbered);
    this.lines = all.length > this.most ? all.slice(all.length - this.most) : all;
    return this.lines;
  }
}

/** The lines of one service (or of all, for an empty name) that hold a text, in any case. Remarks stay. */
export function filterLines(lines: LogLine[], service: string, search: string): LogLine[] {
  const wanted = search.toLowerCase();
  if (!service && !wanted) return lines;
  return lines.filter(
    (line) =>
      line.isRemark || ((!service || line.service === service) && (!wanted || line.text.toLowerCase().includes(wanted))),
  );
}

/** Lines as a text file has them. */
export function textOf(lines: LogLine[]): string {
  return lines.map((line) => (line.isRemark ? `# ${line.text}` : `[${line.service}] ${line.text}`)).join("\n") + "\n";
}
