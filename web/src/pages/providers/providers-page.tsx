import { Page } from "@/components/page";
import { ProviderList } from "@/providers/provider-list";

/** For anyone: the API asks for no session here. */
export default function ProvidersPage() {
  return <Page title="Providers" description="Who runs workloads on Akash: where, with which GPUs, and for about how much."><ProviderList /></Page>;
}
