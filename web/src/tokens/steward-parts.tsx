import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CoinsIcon, HandshakeIcon } from "lucide-react";
import { useState, type FormEvent, type ReactNode } from "react";
import { toast } from "sonner";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import { ConfirmButton } from "@/components/confirm-button";
import { ErrorAlert } from "@/components/error-alert";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardHeader, CardTitle } from "@/components/ui/card";
import { Input } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { useSend, type Unsigned } from "@/wallet/send";
import { KEPT_MILLISECONDS, usePendingSteward, type TokenView } from "./queries";
import { callOf } from "./stewardship";

type Hex = `0x${string}`;

/** What a token's steward may do, and the one to whom the stewardship is offered. Nothing for others. */
export default function StewardParts({ token, wallet }: { token: TokenView; wallet: string }) {
  const isSteward = token.steward === wallet;
  const pending = usePendingSteward(token, isSteward || token.steward !== null);
  if (isSteward) return <><Mint token={token} /><HandOver token={token} pending={pending.data ?? null} /></>;
  return pending.data === wallet ? <Accept token={token} /> : null;
}

/** Sends what is prepared, then reads the token again. */
function useAct(token: TokenView, done: string) {
  const queries = useQueryClient();
  const { send, step, setStep } = useSend();
  const act = useMutation({
    mutationFn: async (prepare: () => Promise<Unsigned[]>) => {
      setStep("Preparing");
      await send(await prepare());
    },
    onSuccess: () => toast.success(done),
    onSettled: () => {
      setStep("");
      const readAgain = () => void queries.invalidateQueries({ queryKey: ["token", token.address] });
      readAgain();
      // The API may have answered that with what it had read before.
      setTimeout(readAgain, KEPT_MILLISECONDS + 1_000);
    },
  });
  return { act, step };
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card>
      <CardHeader><CardTitle>{title}</CardTitle></CardHeader>
      <CardContent className="flex flex-col gap-3 text-sm">{children}</CardContent>
    </Card>
  );
}

function Mint({ token }: { token: TokenView }) {
  const [to, setTo] = useState(token.steward ?? "");
  const [amount, setAmount] = useState("");
  const { act, step } = useAct(token, "Minted");
  const fields = act.error instanceof ApiError ? act.error.fields : [];
  const problemOf = (name: string) => fields.find(({ field }) => field === name)?.message;
  const isWhole = token.max_supply !== null && token.max_supply === token.total_supply;

  function submit(event: FormEvent) {
    event.preventDefault();
    const path = { address: token.address };
    const body = { to: to.trim(), amount: amount.trim(), chain_id: token.chain_id };
    act.mutate(async () => (await unwrap(api().POST("/api/tokens/{address}/mint", { params: { path }, body }))).transactions);
  }

  if (isWhole) return <Part title="Mint"><p className="text-muted-foreground">There are as many tokens as there may ever be.</p></Part>;
  return (
    <Part title="Mint">
      <form onSubmit={submit} className="flex flex-col gap-3">
        <Field label="To" error={problemOf("to")}>
          {(control) => <Input {...control} required maxLength={42} autoComplete="off" spellCheck={false} value={to} onChange={(event) => setTo(event.target.value)} />}
        </Field>
        <Field label="Amount" hint={`Whole ${token.symbol}; there may be ${token.max_supply ?? "any number"}`} error={problemOf("amount")}>
          {(control) => <Input {...control} required inputMode="decimal" autoComplete="off" value={amount} onChange={(event) => setAmount(event.target.value)} />}
        </Field>
        {act.error && fields.length === 0 ? <ErrorAlert error={act.error} title="Nothing was minted" /> : null}
        <Button type="submit" size="sm" className="self-start" disabled={act.isPending}><CoinsIcon aria-hidden /> {act.isPending ? step : "Mint"}</Button>
      </form>
    </Part>
  );
}

function HandOver({ token, pending }: { token: TokenView; pending: string | null }) {
  const [to, setTo] = useState("");
  const { act, step } = useAct(token, "The chain has it");
  const [manager, address] = [token.owner ?? "", token.address as Hex];
  const offer = (whom: Hex, description: string) =>
    act.mutate(async () => [await callOf(manager, { functionName: "offerStewardship", args: [address, whom] }, description)]);
  const renounce = () =>
    act.mutate(async () => [await callOf(manager, { functionName: "renounceStewardship", args: [address] }, "Renounce the stewardship")]);

  function submit(event: FormEvent) {
    event.preventDefault();
    offer(to.trim() as Hex, "Offer the stewardship");
  }

  return (
    <Part title="Stewardship">
      {pending ? (
        <>
          <p>Offered to <code className="text-xs break-all">{pending}</code>, who has to accept it here.</p>
          <Button variant="outline" size="sm" className="self-start" disabled={act.isPending} onClick={() => offer(`0x${"0".repeat(40)}`, "Take the offer back")}>Take the offer back</Button>
        </>
      ) : (
        <form onSubmit={submit} className="flex flex-col gap-3">
          <Field label="Hand over to" hint="It passes on once that wallet accepts it">
            {(control) => <Input {...control} required pattern="0x[0-9a-fA-F]{40}" maxLength={42} autoComplete="off" spellCheck={false} value={to} onChange={(event) => setTo(event.target.value)} />}
          </Field>
          <Button type="submit" variant="outline" size="sm" className="self-start" disabled={act.isPending}><HandshakeIcon aria-hidden /> Offer</Button>
        </form>
      )}
      <ConfirmButton
        className="self-start" disabled={act.isPending} onConfirm={renounce}
        confirmation={{ title: `Renounce the stewardship of ${token.symbol}?`, description: "For good: nobody ever mints this token again.", action: "Renounce" }}
      >
        Renounce
      </ConfirmButton>
      {act.isPending ? <p role="status" className="text-muted-foreground">{step}</p> : null}
      {act.error ? <ErrorAlert error={act.error} title="The stewardship stays as it is" /> : null}
    </Part>
  );
}

function Accept({ token }: { token: TokenView }) {
  const { act, step } = useAct(token, "You are the steward now");
  const accept = () =>
    act.mutate(async () => [
      await callOf(token.owner ?? "", { functionName: "acceptStewardship", args: [token.address as Hex] }, "Accept the stewardship"),
    ]);
  return (
    <Part title="Stewardship">
      <p>The stewardship of {token.symbol} is offered to you: its steward mints, up to the maximum.</p>
      {act.error ? <ErrorAlert error={act.error} title="The stewardship stays as it is" /> : null}
      <Button size="sm" className="self-start" disabled={act.isPending} onClick={accept}><HandshakeIcon aria-hidden /> {act.isPending ? step : "Accept"}</Button>
    </Part>
  );
}
