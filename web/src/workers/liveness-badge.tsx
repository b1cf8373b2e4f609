import { ArchiveIcon, CircleCheckIcon, CircleDashedIcon, CircleXIcon, ClockAlertIcon } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import type { Liveness } from "./queries";

const LOOKS = {
  new: { variant: "outline", icon: CircleDashedIcon, title: "Enrolled, and not heard of yet" },
  healthy: { variant: "success", icon: CircleCheckIcon, title: "Heard of within the last 10 minutes" },
  late: { variant: "warning", icon: ClockAlertIcon, title: "Not heard of for over 10 minutes" },
  down: { variant: "destructive", icon: CircleXIcon, title: "Not heard of for over 30 minutes" },
  retired: { variant: "outline", icon: ArchiveIcon, title: "Its owner retired it" },
} as const;

export function LivenessBadge({ status }: { status: Liveness }) {
  const { variant, icon: Icon, title } = LOOKS[status];
  return <Badge variant={variant} title={title}><Icon aria-hidden /> {status}</Badge>;
}
