import { ArrowLeftIcon } from "lucide-react";
import { Link, useParams } from "react-router";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { shortAddress } from "@/lib/format";
import { useToken } from "@/tokens/queries";
import { TokenCard } from "@/tokens/token-card";

/** A token for anyone: the API asks for no session here. */
export default function TokenPage() {
  const { address = "" } = useParams();
  const { data: token } = useToken(address);
  return (
    <Page
      title={token ? `${token.name} (${token.symbol})` : `Token ${shortAddress(address)}`}
      actions={<Button variant="outline" asChild><Link to="/"><ArrowLeftIcon aria-hidden /> Dashboard</Link></Button>}
    >
      <div className="flex max-w-2xl flex-col gap-4"><TokenCard address={address} /></div>
    </Page>
  );
}
