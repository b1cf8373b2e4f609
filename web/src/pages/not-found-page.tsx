import { CompassIcon } from "lucide-react";
import { Link } from "react-router";
import { EmptyState, Page } from "@/components/page";
import { Button } from "@/components/ui/button";

export default function NotFoundPage() {
  return (
    <Page title="Page not found">
      <EmptyState icon={<CompassIcon aria-hidden />} title="There is nothing at this address">
        <Button asChild><Link to="/">Go to the dashboard</Link></Button>
      </EmptyState>
    </Page>
  );
}
