import { KeyRoundIcon, LogOutIcon, PlusIcon, Trash2Icon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { ApiError } from "@/api/errors";
import { useSession } from "@/auth/session";
import { signOutEverywhere } from "@/auth/sign-in";
import { ConfirmButton } from "@/components/confirm-button";
import { Copied } from "@/components/copied";
import { Details } from "@/components/details";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardDescription, CardHeader, CardTitle } from "@/components/ui/card";
import { Input, Select } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { moment } from "@/lib/format";
import { useKeyChanges, useKeys, type Key, type KeyRequest } from "./queries";
import { SecretNotice } from "./secret-notice";

const SUBJECTS = ["deployments", "builds", "tokens", "models", "escrow", "webhooks", "workers", "projects", "payments", "stacks", "admin"] as const;
const DAYS = [["", "Never"], ["1", "In a day"], ["30", "In 30 days"], ["90", "In 90 days"], ["365", "In a year"]] as const;
const DAY_MILLISECONDS = 86_400_000;

/** Keys for CI and servers, and this browser's session. */
export function KeysAndSessions() {
  const { data, error, refetch } = useKeys();
  const { create, remove } = useKeyChanges();
  return (
    <div className="grid grid-cols-1 gap-4 lg:grid-cols-2 lg:items-start">
      <div className="flex min-w-0 flex-col gap-3">
        {create.data ? <SecretNotice what={`The key ${create.data.name}`} secret={create.data.key} /> : null}
        {error ? <ErrorAlert error={error} title="Your keys could not be loaded" onRetry={() => void refetch()} /> : null}
        {remove.error ? <ErrorAlert error={remove.error} title="The key was not deleted" /> : null}
        {data ? null : error ? null : <Loading of="keys"><Skeleton className="h-24" /></Loading>}
        {data?.length === 0 ? <EmptyState icon={<KeyRoundIcon aria-hidden />} title="You have no API keys"><p className="text-sm text-muted-foreground">A key lets a server or CI do what you choose, and nothing else.</p></EmptyState> : null}
        <ul aria-label="API keys" className="flex flex-col gap-2 empty:hidden">
          {data?.map((key) => <KeyRow key={key.id} apiKey={key} onDelete={() => remove.mutate(key.id, { onSuccess: () => toast.success("The key is deleted") })} />)}
        </ul>
      </div>
      <div className="flex min-w-0 flex-col gap-4">
        <NewKey create={create} />
        <ThisSession />
      </div>
    </div>
  );
}

function KeyRow({ apiKey: key, onDelete }: { apiKey: Key; onDelete: () => void }) {
  return (
    <li className="flex flex-col gap-2 rounded-xl border bg-card p-4 text-sm">
      <div className="flex flex-wrap items-center gap-2">
        <span className="font-medium">{key.name}</span>
        {key.expires_at && Date.parse(key.expires_at) < Date.now() ? <Badge variant="secondary">expired</Badge> : null}
        <Copied text={key.id} what={`id of the key ${key.name}`} />
      </div>
      <ul className="flex flex-wrap gap-1">{key.scopes.map((scope) => <li key={scope}><Badge variant="outline">{scope}</Badge></li>)}</ul>
      <p className="text-xs text-muted-foreground">
        Made <Timestamp iso={key.created_at} />, {key.last_used_at ? <>last used <Timestamp iso={key.last_used_at} /></> : "never used"}, {key.expires_at ? `until ${moment(key.expires_at)}` : "without an end"}
      </p>
      <ConfirmButton
        className="self-start" onConfirm={onDelete}
        confirmation={{ title: `Delete the key ${key.name}?`, description: "Whatever uses it is refused from then on.", action: "Delete key" }}
      >
        <Trash2Icon aria-hidden /> Delete<span className="sr-only"> {key.name}</span>
      </ConfirmButton>
    </li>
  );
}

function NewKey({ create }: { create: ReturnType<typeof useKeyChanges>["create"] }) {
  const [name, setName] = useState("");
  const [rights, setRights] = useState<Record<string, string>>({});
  const [days, setDays] = useState("90");
  const roles = useSession()?.roles ?? [];
  const fields = create.error instanceof ApiError ? create.error.fields : [];
  const problemOf = (field: string) => fields.find((problem) => problem.field.startsWith(field))?.message;
  const scopes = Object.entries(rights).filter(([, right]) => right).map(([subject, right]) => `${subject}:${right}`);

  function submit(event: FormEvent) {
    event.preventDefault();
    const expires_at = days ? new Date(Date.now() + Number(days) * DAY_MILLISECONDS).toISOString() : null;
    create.mutate({ name: name.trim(), scopes: scopes as KeyRequest["scopes"], expires_at }, { onSuccess: () => { setName(""); setRights({}); } });
  }

  return (
    <Card>
      <CardHeader><CardTitle>New API key</CardTitle><CardDescription>It can do what you choose here, and never make keys or sessions.</CardDescription></CardHeader>
      <CardContent>
        <form onSubmit={submit} className="flex flex-col gap-4">
          <Field label="Name" error={problemOf("name")}>{(control) => <Input {...control} required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />}</Field>
          <fieldset>
            <legend className="mb-2 text-sm font-medium">What it may do</legend>
            <div className="grid gap-2 sm:grid-cols-2">
              {SUBJECTS.filter((subject) => (subject !== "admin" || roles.includes("admin")) && (subject !== "stacks" || roles.includes("operator"))).map((subject) => (
                <label key={subject} className="flex items-center justify-between gap-2 text-sm">
                  {subject}
                  <Select className="w-32" aria-label={`What it may do with ${subject}`} value={rights[subject] ?? ""} onChange={(event) => setRights({ ...rights, [subject]: event.target.value })}>
                    <option value="">nothing</option><option value="read">read</option><option value="write">write</option><option value="*">both</option>
                  </Select>
                </label>
              ))}
            </div>
            {problemOf("scopes") ? <p className="mt-1.5 text-xs text-destructive">{problemOf("scopes")}</p> : null}
          </fieldset>
          <Field label="It ends" error={problemOf("expires_at")}>
            {(control) => <Select {...control} value={days} onChange={(event) => setDays(event.target.value)}>{DAYS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</Select>}
          </Field>
          {create.error && fields.length === 0 ? <ErrorAlert error={create.error} title="The key was not made" /> : null}
          <Button type="submit" className="self-start" disabled={create.isPending || scopes.length === 0}><PlusIcon aria-hidden /> Make the key</Button>
        </form>
      </CardContent>
    </Card>
  );
}

function ThisSession() {
  const session = useSession();
  if (!session) return null;
  return (
    <Card>
      <CardHeader><CardTitle>Sessions</CardTitle><CardDescription>This browser renews its session by itself, for as long as it holds.</CardDescription></CardHeader>
      <CardContent className="flex flex-col gap-3">
        <Details
          facts={[
            ["Wallet", <Copied key="wallet" text={session.wallet} what="wallet's address" />],
            ["Roles", session.roles.join(", ")],
            ["Holds until", moment(new Date(session.refreshableUntil).toISOString())],
          ]}
        />
        <p className="text-xs text-muted-foreground">Roles are given by the installation: whoever runs it enters a wallet as operator or administrator in its parameter WalletRoles.</p>
        <ConfirmButton
          className="self-start" onConfirm={() => signOutEverywhere()}
          confirmation={{ title: "Sign out everywhere?", description: "All sessions of your wallet end, in every browser. API keys go on.", action: "Sign out everywhere", keep: "Stay signed in" }}
        >
          <LogOutIcon aria-hidden /> Sign out everywhere
        </ConfirmButton>
      </CardContent>
    </Card>
  );
}
