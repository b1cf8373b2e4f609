import { RequireSession } from "@/auth/require-session";
import { Page } from "@/components/page";
import { PageTabs } from "@/components/page-tabs";
import { KeysAndSessions } from "@/settings/keys";
import { Webhooks } from "@/settings/webhooks";

export default function SettingsPage() {
  return (
    <Page title="Settings" description="Who may act for you, and who is told what happens.">
      <RequireSession>
        <PageTabs label="Parts of the settings" tabs={[{ id: "webhooks", name: "Webhooks", content: <Webhooks /> }, { id: "keys", name: "API keys and sessions", content: <KeysAndSessions /> }]} />
      </RequireSession>
    </Page>
  );
}
