import { CircleCheckIcon, CircleDashedIcon, CircleSlashIcon, CircleXIcon } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { statusVariant } from "./overview";

const ICONS = { success: CircleCheckIcon, destructive: CircleXIcon, secondary: CircleSlashIcon, warning: CircleDashedIcon };

/** A status in words, a colour and a sign, so that none of them has to be seen. */
export function StatusBadge({
  status, isClosing = false, isOrdinary = false,
}: { status: string; isClosing?: boolean; isOrdinary?: boolean }) {
  const variant = isClosing ? "warning" : isOrdinary ? "secondary" : statusVariant(status);
  const Icon = ICONS[variant as keyof typeof ICONS];
  return (
    <Badge variant={variant} data-status={status}>
      <Icon aria-hidden /> {isClosing ? "closing" : status}
    </Badge>
  );
}
