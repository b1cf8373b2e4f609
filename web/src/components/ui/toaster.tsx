import { Toaster as Sonner } from "sonner";

/** Short messages about what the reader just did. Errors that need an answer go into the page, not here. */
export function Toaster() {
  return (
    <Sonner
      style={{ fontFamily: "inherit" }}
      position="bottom-right"
      toastOptions={{
        classNames: {
          toast: "!bg-popover !text-popover-foreground !border-border !shadow-lg",
          description: "!text-muted-foreground",
        },
      }}
    />
  );
}
