import { ArrowLeftIcon } from "lucide-react";
import { Link } from "react-router";
import { RequireSession } from "@/auth/require-session";
import { BuildForm } from "@/builds/build-form";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";

export default function NewBuildPage() {
  return (
    <Page
      title="New build" description="Say what contract you want: it is written, audited, and deployed to your chains."
      actions={<Button variant="outline" asChild><Link to="/builds"><ArrowLeftIcon aria-hidden /> All builds</Link></Button>}
    >
      <RequireSession><BuildForm /></RequireSession>
    </Page>
  );
}
