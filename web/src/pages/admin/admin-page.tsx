import { useSearchParams } from "react-router";
import { AuditTrail } from "@/admin/audit-trail";
import { MetricsView } from "@/admin/metrics-view";
import { ModelForm } from "@/admin/model-form";
import { Services } from "@/admin/services";
import { RequireSession } from "@/auth/require-session";
import { Page } from "@/components/page";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";

const TABS = [
  { id: "services", name: "Services" }, { id: "metrics", name: "Metrics" }, { id: "audit", name: "Audit trail" }, { id: "models", name: "Models" },
];

export default function AdminPage() {
  return (
    <Page title="Administration" description="What takes work, how it did, who tried what, and which models there are.">
      <RequireSession role="admin"><Parts /></RequireSession>
    </Page>
  );
}

function Parts() {
  const [search, setSearch] = useSearchParams();
  const current = TABS.find(({ id }) => id === search.get("tab"))?.id ?? "services";
  return (
    <Tabs value={current} onValueChange={(tab) => setSearch({ tab })} className="flex min-w-0 flex-col gap-4">
      <div className="-mx-4 overflow-x-auto px-4">
        <TabsList aria-label="Parts of the administration">
          {TABS.map(({ id, name }) => <TabsTrigger key={id} value={id}>{name}</TabsTrigger>)}
        </TabsList>
      </div>
      <TabsContent value="services"><Services /></TabsContent>
      <TabsContent value="metrics"><MetricsView /></TabsContent>
      <TabsContent value="audit"><AuditTrail /></TabsContent>
      <TabsContent value="models"><ModelForm /></TabsContent>
    </Tabs>
  );
}
