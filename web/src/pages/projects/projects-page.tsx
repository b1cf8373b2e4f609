import { RequireSession } from "@/auth/require-session";
import { Page } from "@/components/page";
import { PageTabs } from "@/components/page-tabs";
import { Payments, Projects } from "@/projects/projects";

export default function ProjectsPage() {
  return (
    <Page title="Projects" description="Projects with their repositories, and payments made for them.">
      <RequireSession>
        <PageTabs label="Parts of the projects" tabs={[{ id: "projects", name: "Projects", content: <Projects /> }, { id: "payments", name: "Payments", content: <Payments /> }]} />
      </RequireSession>
    </Page>
  );
}
