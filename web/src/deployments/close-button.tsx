import { CircleStopIcon } from "lucide-react";
import {
  AlertDialog, AlertDialogAction, AlertDialogCancel, AlertDialogContent, AlertDialogDescription, AlertDialogFooter,
  AlertDialogTitle, AlertDialogTrigger,
} from "@/components/ui/alert-dialog";
import { Button } from "@/components/ui/button";
import { shortId } from "@/lib/format";
import { useCloseDeployment } from "./queries";

/** Closes a workload, after asking. */
export function CloseButton({ id }: { id: string }) {
  const close = useCloseDeployment();
  return (
    <AlertDialog>
      <AlertDialogTrigger asChild>
        <Button variant="destructive" size="sm" disabled={close.isPending} aria-label={`Close deployment ${shortId(id)}`}>
          <CircleStopIcon aria-hidden /> Close
        </Button>
      </AlertDialogTrigger>
      <AlertDialogContent>
        <AlertDialogTitle>Close deployment {shortId(id)}?</AlertDialogTitle>
        <AlertDialogDescription>
          Its services stop and what they hold is lost. What is left of its deposit comes back to the account.
        </AlertDialogDescription>
        <AlertDialogFooter>
          <AlertDialogCancel>Keep it</AlertDialogCancel>
          <AlertDialogAction onClick={() => close.mutate(id)}>Close deployment</AlertDialogAction>
        </AlertDialogFooter>
      </AlertDialogContent>
    </AlertDialog>
  );
}
