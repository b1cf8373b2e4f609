import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/lib/utils";

const alertVariants = cva("flex gap-3 rounded-lg border px-4 py-3 text-sm [&>svg]:mt-0.5 [&>svg]:size-4 [&>svg]:shrink-0", {
  variants: {
    variant: {
      info: "border-info/30 bg-info/5 [&>svg]:text-info",
      warning: "border-warning/40 bg-warning/5 [&>svg]:text-warning",
      destructive: "border-destructive/40 bg-destructive/5 [&>svg]:text-destructive",
    },
  },
  defaultVariants: { variant: "info" },
});

/** Read out at once by screen readers: for what the reader did not ask for. */
export function Alert({ className, variant, ...props }: ComponentProps<"div"> & VariantProps<typeof alertVariants>) {
  return <div role="alert" className={cn(alertVariants({ variant }), className)} {...props} />;
}

/** Looks like an alert, but is a part of the page that is read in its turn. */
export function Notice({ className, variant, ...props }: ComponentProps<"div"> & VariantProps<typeof alertVariants>) {
  return <div className={cn(alertVariants({ variant }), className)} {...props} />;
}
