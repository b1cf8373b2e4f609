/** A word of the trade, with what it means for who points at it or has the keyboard on it. */
export function Term({ text, meaning }: { text: string; meaning: string }) {
  return <abbr tabIndex={0} title={meaning} aria-label={`${text}: ${meaning}`} className="cursor-help underline decoration-dotted underline-offset-2">{text}</abbr>;
}
