import { type ReactNode, useState } from "react";
import {
  AlertDialog, AlertDialogAction, AlertDialogCancel, AlertDialogContent, AlertDialogDescription, AlertDialogFooter,
  AlertDialogTitle, AlertDialogTrigger,
} from "@/components/ui/alert-dialog";
import { Button, type ButtonProps } from "@/components/ui/button";

export interface Confirmation {
  /** The question, such as “Delete the node of production?”. */
  title: string;
  /** What then happens, and what can't be undone. */
  description: ReactNode;
  /** What the answer yes says. */
  action: string;
  /** What the answer no says. */
  keep?: string;
}

/** A button for what can't be taken back: it asks first. */
export function ConfirmButton({
  confirmation, onConfirm, children, ...props
}: { confirmation: Confirmation; onConfirm: () => void } & Omit<ButtonProps, "onClick" | "asChild">) {
  const [open, setOpen] = useState(false);
  return (
    <AlertDialog open={open} onOpenChange={setOpen}>
      <AlertDialogTrigger asChild>
        <Button variant="destructive" size="sm" {...props}>{children}</Button>
      </AlertDialogTrigger>
      <AlertDialogContent>
        <AlertDialogTitle>{confirmation.title}</AlertDialogTitle>
        <AlertDialogDescription>{confirmation.description}</AlertDialogDescription>
        <AlertDialogFooter>
          <AlertDialogCancel>{confirmation.keep ?? "Keep it"}</AlertDialogCancel>
          <AlertDialogAction onClick={onConfirm}>{confirmation.action}</AlertDialogAction>
        </AlertDialogFooter>
      </AlertDialogContent>
    </AlertDialog>
  );
}
