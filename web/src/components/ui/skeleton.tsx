import type { ComponentProps } from "react";
import { cn } from "@/lib/utils";

export function Skeleton({ className, ...props }: ComponentProps<"div">) {
  return <div aria-hidden className={cn("animate-pulse rounded-md bg-muted", className)} {...props} />;
}

/** Stands where something will be once it is loaded, and tells what to those who don't see its skeletons. */
export function Loading({ of, ...props }: ComponentProps<"div"> & { of: string }) {
  return <div role="progressbar" aria-busy aria-label={`Loading ${of}`} {...props} />;
}
