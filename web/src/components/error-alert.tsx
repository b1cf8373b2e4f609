import { CircleAlertIcon, RotateCwIcon } from "lucide-react";
import { adviceFor, ApiError, messageOf } from "@/api/errors";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";

/** What went wrong, and what the reader can do about it. */
export function ErrorAlert({ error, title, onRetry }: { error: unknown; title: string; onRetry?: () => void }) {
  const known = error instanceof ApiError ? error : null;
  return (
    <Alert variant="destructive">
      <CircleAlertIcon aria-hidden />
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <p className="font-semibold">{title}</p>
        <p>
          {sentenceOf(messageOf(error))} {known ? <span className="text-muted-foreground">{adviceFor(known)}</span> : null}
        </p>
        {known?.requestId ? <p className="text-xs text-muted-foreground">Request id {known.requestId}</p> : null}
        {onRetry ? (
          <Button variant="outline" size="sm" className="mt-1 w-fit" onClick={onRetry}>
            <RotateCwIcon aria-hidden /> Try again
          </Button>
        ) : null}
      </div>
    </Alert>
  );
}

function sentenceOf(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
