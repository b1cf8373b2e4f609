import { RequireSession } from "@/auth/require-session";
import { Page } from "@/components/page";

export default function DashboardPage() {
  return (
    <Page title="Dashboard" description="What you launched, what it costs, and how long it lasts.">
      <RequireSession>
        <p>Deployments</p>
      </RequireSession>
    </Page>
  );
}
