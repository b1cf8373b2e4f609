import { CircleCheckIcon, CircleXIcon, ClockAlertIcon } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import type { Liveness } from "./queries";

const LOOKS = {
  healthy: { variant: "success", icon: CircleCheckIcon, title: "Heard of within the last 10 minutes" },
  late: { variant: "warning", icon: ClockAlertIcon, title: "Not heard of for over 10 minutes" },
  down: { variant: "destructive", icon: CircleXIcon, title: "Not heard of for over 30 minutes, or never" },
} as const;

export function LivenessBadge({ status }: { status: Liveness }) {
  const { variant, icon: Icon, title } = LOOKS[status];
  return <Badge variant={variant} title={title}><Icon aria-hidden /> {status}</Badge>;
}
