import type { ComponentProps } from "react";
import { cn } from "@/lib/utils";

/** A table that scrolls by itself where the page is too narrow for its words. `label` names it for screen readers. */
export function Table({ className, label, ...props }: ComponentProps<"table"> & { label: string }) {
  return (
    // Focusable, so that a keyboard can scroll it. What is hidden in its cells is placed within it, not beside it.
    <div className="relative w-full overflow-x-auto rounded-lg border" role="region" aria-label={label} tabIndex={0}>
      <table className={cn("w-full caption-bottom text-sm [overflow-wrap:break-word]", className)} {...props} />
    </div>
  );
}

export function TableHeader(props: ComponentProps<"thead">) {
  return <thead className="border-b bg-muted/50" {...props} />;
}

export function TableBody({ className, ...props }: ComponentProps<"tbody">) {
  return <tbody className={cn("[&_tr:last-child]:border-0", className)} {...props} />;
}

export function TableRow({ className, ...props }: ComponentProps<"tr">) {
  return <tr className={cn("border-b hover:bg-muted/40", className)} {...props} />;
}

export function TableHead({ className, ...props }: ComponentProps<"th">) {
  return <th scope="col" className={cn("h-9 whitespace-nowrap px-3 text-left font-medium text-muted-foreground", className)} {...props} />;
}

export function TableCell({ className, ...props }: ComponentProps<"td">) {
  return <td className={cn("px-3 py-2 align-middle", className)} {...props} />;
}
