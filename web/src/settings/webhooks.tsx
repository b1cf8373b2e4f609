import { BellIcon, KeyRoundIcon, PlusIcon, SendIcon, Trash2Icon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { ApiError } from "@/api/errors";
import { useSession } from "@/auth/session";
import { ConfirmButton } from "@/components/confirm-button";
import { Copied } from "@/components/copied";
import { ErrorAlert } from "@/components/error-alert";
import { EmptyState } from "@/components/page";
import { Timestamp } from "@/components/timestamp";
import { Notice } from "@/components/ui/alert";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardContent, CardDescription, CardHeader, CardTitle } from "@/components/ui/card";
import { Checkbox, Input, Select } from "@/components/ui/input";
import { Field } from "@/components/ui/label";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { moment } from "@/lib/format";
import { useDeliveries, useWebhookChanges, useWebhooks, type Delivery, type Webhook, type WebhookRequest } from "./queries";
import { SecretNotice } from "./secret-notice";

const KINDS = ["deployment", "build", "payment", "worker", "project", "stack", "key", "session"] as const;
const FORMATS = [["standard", "Standard Webhooks"], ["slack", "Slack"], ["discord", "Discord"]] as const;

/** Where the caller's notifications go, what was sent there, and what came back. */
export function Webhooks() {
  const { data, error, refetch } = useWebhooks();
  const changes = useWebhookChanges();
  const { create, rotate } = changes;
  return (
    <div className="grid grid-cols-1 gap-4 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)] lg:items-start">
      <div className="flex min-w-0 flex-col gap-3">
        {create.data?.secret ? <SecretNotice what={`The secret of ${create.data.url}`} secret={create.data.secret} /> : null}
        {rotate.data ? <SecretNotice what="The new secret; the old one signs as well for 24 hours" secret={rotate.data.secret} /> : null}
        {error ? <ErrorAlert error={error} title="Your webhooks could not be loaded" onRetry={() => void refetch()} /> : null}
        {data ? null : error ? null : <Loading of="webhooks"><Skeleton className="h-24" /></Loading>}
        {data?.length === 0 ? (
          <EmptyState icon={<BellIcon aria-hidden />} title="You have no webhooks">
            <p className="text-sm text-muted-foreground">Have Slipway tell your server, your chat or your mailbox what happens to what is yours.</p>
          </EmptyState>
        ) : null}
        <ul aria-label="Webhooks" className="flex flex-col gap-3 empty:hidden">
          {data?.map((webhook) => <WebhookRow key={webhook.id} webhook={webhook} changes={changes} />)}
        </ul>
      </div>
      <NewWebhook create={create} />
    </div>
  );
}

function WebhookRow({ webhook, changes }: { webhook: Webhook; changes: ReturnType<typeof useWebhookChanges> }) {
  const { test, rotate, confirm, remove } = changes;
  const [awaited, setAwaited] = useState<string | null>(null);
  const [isOpen, setOpen] = useState(false);
  const [code, setCode] = useState("");
  const { data: deliveries, error } = useDeliveries(webhook.id, isOpen, awaited !== null);
  if (awaited && deliveries?.some(({ id, attempts }) => id === awaited && attempts.length > 0)) setAwaited(null);
  const sendTest = () => test.mutate(webhook.id, { onSuccess: ({ id }) => { setOpen(true); setAwaited(id); } });
  return (
    <li aria-label={webhook.url} className="flex flex-col gap-3 rounded-xl border bg-card p-4 text-sm">
      <div className="flex flex-wrap items-center gap-2">
        <span className="font-medium break-all">{webhook.url}</span>
        <Badge variant="secondary">{webhook.format}</Badge>
        {webhook.all ? <Badge variant="info">everybody&#39;s</Badge> : null}
        {webhook.disabled_at ? <Badge variant="warning">switched off</Badge> : webhook.confirmed ? <Badge variant="success">on</Badge> : <Badge variant="warning">not confirmed</Badge>}
        <Copied text={webhook.id} what="id of this webhook" />
      </div>
      <ul className="flex flex-wrap gap-1">{webhook.events.map((event) => <li key={event}><Badge variant="outline">{event}</Badge></li>)}</ul>
      {webhook.disabled_reason ? <Notice variant="warning"><p>{webhook.disabled_reason}. A test or a new secret switches it on again.</p></Notice> : null}
      {webhook.confirmed ? null : (
        <form
          className="flex flex-wrap items-end gap-2"
          onSubmit={(event) => { event.preventDefault(); confirm.mutate({ id: webhook.id, code: code.trim() }); }}
        >
          <Field label="Code that came by mail">{(control) => <Input {...control} required autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.target.value)} />}</Field>
          <Button type="submit" size="sm" disabled={confirm.isPending}>Confirm</Button>
        </form>
      )}
      {[test, rotate, confirm, remove].map(({ error: failed, variables }, index) =>
        failed && (variables === webhook.id || (typeof variables === "object" && variables.id === webhook.id)) ? <ErrorAlert key={index} error={failed} title="That was refused" /> : null,
      )}
      <div className="flex flex-wrap gap-2">
        <Button size="sm" variant="outline" disabled={test.isPending || !webhook.confirmed} onClick={sendTest}><SendIcon aria-hidden /> Send a test</Button>
        <Button size="sm" variant="outline" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>Deliveries</Button>
        {webhook.format === "email" ? null : (
          <ConfirmButton
            variant="outline" onConfirm={() => rotate.mutate(webhook.id)}
            confirmation={{ title: "Give it a new secret?", description: "Both secrets sign for 24 hours, so that your receiver can change at leisure.", action: "New secret", keep: "Keep the old one" }}
          >
            <KeyRoundIcon aria-hidden /> New secret
          </ConfirmButton>
        )}
        <ConfirmButton
          onConfirm={() => remove.mutate(webhook.id, { onSuccess: () => toast.success("The webhook is deleted") })}
          confirmation={{ title: "Delete this webhook?", description: `Nothing more is sent to ${webhook.url}.`, action: "Delete webhook" }}
        >
          <Trash2Icon aria-hidden /> Delete
        </ConfirmButton>
      </div>
      {isOpen && error ? <ErrorAlert error={error} title="The deliveries could not be loaded" /> : null}
      {isOpen && !error ? <Deliveries deliveries={deliveries} isWaiting={awaited !== null} /> : null}
    </li>
  );
}

function Deliveries({ deliveries, isWaiting }: { deliveries: Delivery[] | undefined; isWaiting: boolean }) {
  if (!deliveries) return <Loading of="deliveries"><Skeleton className="h-16" /></Loading>;
  return (
    <>
      {isWaiting ? <p role="status" className="text-xs text-muted-foreground">The test is on its way…</p> : null}
      {deliveries.length === 0 && !isWaiting ? <p className="text-muted-foreground">Nothing was sent in the last seven days.</p> : null}
      <ol aria-label="Deliveries" className="flex flex-col gap-2 empty:hidden">
        {deliveries.map((delivery) => (
          <li key={delivery.id} className="rounded-lg border p-3">
            <p className="flex flex-wrap items-center gap-2"><span className="font-medium">{delivery.type}</span> <Verdict delivery={delivery} /></p>
            <ol className="mt-1 flex flex-col gap-1 text-xs text-muted-foreground">
              {delivery.attempts.map((attempt) => (
                <li key={attempt.at}>
                  <time dateTime={attempt.at}>{moment(attempt.at)}</time>: {attempt.response_status ?? "no answer"}, {attempt.duration_ms} ms
                  {attempt.response ? <> <code className="break-all">{attempt.response}</code></> : null}
                </li>
              ))}
            </ol>
          </li>
        ))}
      </ol>
    </>
  );
}

function Verdict({ delivery }: { delivery: Delivery }) {
  const last = delivery.attempts.at(-1);
  if (!last) return <Badge variant="warning">on its way</Badge>;
  const status = last.response_status;
  if (status !== null && status >= 200 && status < 300) return <Badge variant="success">delivered</Badge>;
  return <Badge variant="warning" title="It is tried again for a day">tried {delivery.attempts.length}× <Timestamp iso={last.at} /></Badge>;
}

function NewWebhook({ create }: { create: ReturnType<typeof useWebhookChanges>["create"] }) {
  const [url, setUrl] = useState("");
  const [format, setFormat] = useState("standard");
  const [kinds, setKinds] = useState<string[]>(["deployment"]);
  const [all, setAll] = useState(false);
  const roles = useSession()?.roles ?? [];
  const fields = create.error instanceof ApiError ? create.error.fields : [];
  const problemOf = (field: string) => fields.find((problem) => problem.field.startsWith(field))?.message;
  const isMail = url.trim().startsWith("mailto:");

  function submit(event: FormEvent) {
    event.preventDefault();
    const body = { url: url.trim(), events: kinds.map((kind) => `${kind}.*`), format: isMail ? "email" : format, all };
    create.mutate(body as WebhookRequest, { onSuccess: () => setUrl("") });
  }

  return (
    <Card>
      <CardHeader><CardTitle>New webhook</CardTitle><CardDescription>Messages are signed, tried for a day, and kept in a log for a week.</CardDescription></CardHeader>
      <CardContent>
        <form onSubmit={submit} className="flex flex-col gap-4">
          <Field label="Address" hint="https://… or mailto:you@example.com" error={problemOf("url")}>
            {(control) => <Input {...control} required maxLength={2048} spellCheck={false} value={url} onChange={(event) => setUrl(event.target.value)} />}
          </Field>
          {isMail ? null : (
            <Field label="Format" error={problemOf("format")}>
              {(control) => <Select {...control} value={format} onChange={(event) => setFormat(event.target.value)}>{FORMATS.map(([id, name]) => <option key={id} value={id}>{name}</option>)}</Select>}
            </Field>
          )}
          <fieldset>
            <legend className="mb-2 text-sm font-medium">What about</legend>
            <div className="grid grid-cols-2 gap-2">
              {KINDS.filter((kind) => kind !== "stack" || roles.includes("operator")).map((kind) => (
                <label key={kind} className="flex items-center gap-2 text-sm">
                  <Checkbox checked={kinds.includes(kind)} onChange={(event) => setKinds(event.target.checked ? [...kinds, kind] : kinds.filter((other) => other !== kind))} />
                  {kind}s
                </label>
              ))}
            </div>
            {problemOf("events") ? <p className="mt-1.5 text-xs text-destructive">{problemOf("events")}</p> : null}
          </fieldset>
          {roles.includes("operator") || roles.includes("admin") ? (
            <label className="flex items-center gap-2 text-sm"><Checkbox checked={all} onChange={(event) => setAll(event.target.checked)} /> Of everybody&#39;s things, not only mine</label>
          ) : null}
          {create.error && fields.length === 0 ? <ErrorAlert error={create.error} title="The webhook was not made" /> : null}
          <Button type="submit" className="self-start" disabled={create.isPending || kinds.length === 0}><PlusIcon aria-hidden /> Make the webhook</Button>
        </form>
      </CardContent>
    </Card>
  );
}
