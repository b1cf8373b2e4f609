import { RequireSession } from "@/auth/require-session";
import { Page } from "@/components/page";
import { Fleet } from "@/workers/fleet";
import { OwnWorker } from "@/workers/own-worker";

export default function WorkersPage() {
  return (
    <Page title="Workers" description="Machines that prove they are alive, and how much of the time they were.">
      <RequireSession>
        <OwnWorker />
        <Fleet />
      </RequireSession>
    </Page>
  );
}
