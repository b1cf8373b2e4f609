import { BanIcon, CircleCheckIcon, LogOutIcon, SearchIcon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { ConfirmButton } from "@/components/confirm-button";
import { Copied } from "@/components/copied";
import { Details } from "@/components/details";
import { ErrorAlert } from "@/components/error-alert";
import { TextDialog } from "@/components/text-dialog";
import { Timestamp } from "@/components/timestamp";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardFooter, CardHeader, CardTitle } from "@/components/ui/card";
import { Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { useStanding, useWalletChanges } from "./queries";

/** How a wallet stands: blocked or served, and its sessions. */
export function Wallets() {
  const [text, setText] = useState("");
  const [wallet, setWallet] = useState("");

  function submit(event: FormEvent) {
    event.preventDefault();
    setWallet(text.trim());
  }

  return (
    <div className="flex max-w-2xl flex-col gap-4">
      <form onSubmit={submit} className="flex flex-wrap items-end gap-2">
        <Field label="Wallet" className="min-w-0 flex-1">
          {(control) => <Input {...control} required pattern="0x[0-9a-fA-F]{40}" spellCheck={false} className="font-mono" value={text} onChange={(event) => setText(event.target.value)} />}
        </Field>
        <Button type="submit" variant="outline"><SearchIcon aria-hidden /> Show</Button>
      </form>
      {wallet ? <Standing key={wallet} wallet={wallet} /> : null}
    </div>
  );
}

function Standing({ wallet }: { wallet: string }) {
  const { data, error } = useStanding(wallet);
  const { block, unblock, logout } = useWalletChanges(wallet);
  const [isAsking, setAsking] = useState(false);
  if (error) return <ErrorAlert error={error} title="The wallet could not be looked up" />;
  if (!data) return null;
  const act = data.blocked ? unblock : block;
  return (
    <Card>
      <CardHeader><CardTitle className="flex flex-wrap items-center gap-2">{data.blocked ? <Badge variant="destructive"><BanIcon aria-hidden /> blocked</Badge> : <Badge variant="success"><CircleCheckIcon aria-hidden /> served</Badge>}</CardTitle></CardHeader>
      <CardContent className="flex flex-col gap-3">
        <Details
          facts={[
            ["Wallet", <Copied key="wallet" text={data.wallet} what="wallet's address" />],
            ["Why", data.reason],
            ["Decided by", data.changed_by ? <Copied key="by" text={data.changed_by} what="administrator's address" /> : null],
            ["When", data.changed_at ? <Timestamp key="at" iso={data.changed_at} /> : null],
          ]}
        />
        {logout.error ? <ErrorAlert error={logout.error} title="Its sessions did not end" /> : null}
      </CardContent>
      <CardFooter>
        <Button size="sm" variant={data.blocked ? "default" : "destructive"} onClick={() => setAsking(true)}>{data.blocked ? "Serve it again" : "Block it"}</Button>
        <ConfirmButton
          variant="outline" onConfirm={() => logout.mutate(undefined, { onSuccess: () => toast.success("Its sessions have ended") })}
          confirmation={{ title: "End its sessions?", description: "It may sign in again at once.", action: "End sessions", keep: "Let them be" }}
        >
          <LogOutIcon aria-hidden /> End its sessions
        </ConfirmButton>
      </CardFooter>
      {isAsking ? (
        <TextDialog
          title={data.blocked ? "Serve this wallet again?" : "Block this wallet?"} label="Reason" action={data.blocked ? "Serve it" : "Block it"} initial=""
          description={data.blocked ? "What it asks is answered again." : "Everything that it asks is refused from now on; what runs goes on."}
          input={{ required: true, maxLength: 200 }} error={act.error} isPending={act.isPending} onClose={() => setAsking(false)}
          onSubmit={(reason) => act.mutate(reason, { onSuccess: () => setAsking(false) })}
        />
      ) : null}
    </Card>
  );
}
