import { CheckIcon, CopyIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { toast } from "sonner";
import { Button, type ButtonProps } from "@/components/ui/button";

const SHOWN_MILLISECONDS = 2_000;

/** Puts a text on the clipboard. `label` says what it is, for screen readers and while the pointer is on it. */
export function CopyButton({ text, label, children, ...props }: { text: string; label: string } & ButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [copied]);
  const Icon = copied ? CheckIcon : CopyIcon;

  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      toast.success("Copied");
    } catch {
      toast.error("The browser did not allow it", { description: "Select the text and copy it by hand." });
    }
  }

  return (
    <Button variant="outline" size="sm" title={label} aria-label={children ? undefined : label} onClick={() => void copy()} {...props}>
      <Icon aria-hidden /> {children}
    </Button>
  );
}
