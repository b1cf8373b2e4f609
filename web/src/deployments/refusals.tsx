import { BanIcon } from "lucide-react";
import { Alert } from "@/components/ui/alert";
import type { Refusal } from "./types";

/** Why a request would be refused now. */
export function Refusals({ refusals }: { refusals: Refusal[] }) {
  if (refusals.length === 0) return null;
  return (
    <Alert variant="warning">
      <BanIcon aria-hidden />
      <div>
        <p className="font-semibold">This would be refused now</p>
        <ul className="list-disc pl-4">
          {refusals.map(({ code, message }) => <li key={code}>{message} <code className="text-xs">({code})</code></li>)}
        </ul>
      </div>
    </Alert>
  );
}
