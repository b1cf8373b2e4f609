import { AllDeployments } from "@/admin/all-deployments";
import { AuditTrail } from "@/admin/audit-trail";
import { Ceilings } from "@/admin/ceilings";
import { GasView } from "@/admin/gas-view";
import { MetricsView } from "@/admin/metrics-view";
import { ModelForm } from "@/admin/model-form";
import { Services } from "@/admin/services";
import { Wallets } from "@/admin/wallets";
import { RequireSession } from "@/auth/require-session";
import { Page } from "@/components/page";
import { PageTabs } from "@/components/page-tabs";

export default function AdminPage() {
  return (
    <Page title="Administration" description="What takes work, how it did, what it may cost, who tried what, and which models there are.">
      <RequireSession role="admin">
        <PageTabs
          label="Parts of the administration"
          tabs={[
            { id: "services", name: "Services", content: <Services /> },
            { id: "metrics", name: "Metrics", content: <MetricsView /> },
            { id: "deployments", name: "Deployments", content: <AllDeployments /> },
            { id: "gas", name: "Gas", content: <GasView /> },
            { id: "ceilings", name: "Budgets and limits", content: <Ceilings /> },
            { id: "wallets", name: "Wallets", content: <Wallets /> },
            { id: "audit", name: "Audit trail", content: <AuditTrail /> },
            { id: "models", name: "Models", content: <ModelForm /> },
          ]}
        />
      </RequireSession>
    </Page>
  );
}
