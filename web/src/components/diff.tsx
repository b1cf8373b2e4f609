/** A change, line by line: what is added begins with `+`, what is taken away with `-`. */
export function Diff({ text }: { text: string }) {
  return (
    <pre tabIndex={0} role="region" aria-label="Change" className="overflow-x-auto font-mono text-xs [overflow-wrap:normal]">
      {text.split("\n").map((line, index) => (
        <span key={index} className={line.startsWith("+") ? "text-success" : line.startsWith("-") ? "text-destructive" : undefined}>{line}{"\n"}</span>
      ))}
    </pre>
  );
}
