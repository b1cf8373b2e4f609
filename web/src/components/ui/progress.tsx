import { Progress as Primitive } from "radix-ui";
import { cn } from "@/lib/utils";

/** A bar from 0 to 100; `label` says of what. */
export function Progress({ value, label, className }: { value: number; label: string; className?: string }) {
  return (
    <Primitive.Root
      value={value}
      aria-label={label}
      className={cn("relative h-2 w-full overflow-hidden rounded-full bg-primary/15", className)}
    >
      <Primitive.Indicator className="h-full bg-primary transition-[width]" style={{ width: `${value}%` }} />
    </Primitive.Root>
  );
}
