import { Resource } from "./jobs.js";
import type { Keyed } from "./jobs.js";
import type * as types from "./schema.js";

export type StackKind = "node" | "api";
type Page = {
  /** The size of a page. */
  limit?: number;
};
type Span = {
  /** ISO 8601. */
  from?: string;
  to?: string;
};

/** `/api/models`: models that the caller owns or contributes to. */
export class Models extends Resource {
  /** The caller's models, with their token and every refusal that a launch would get. */
  list(query: Page = {}): AsyncGenerator<types.ModelView, void> {
    return this.api.pages("GET /api/models", "models", { query });
  }

  /** One model. */
  get(id: string): Promise<types.ModelView> {
    return this.api.call("GET /api/models/{id}", { path: { id } });
  }
}

/** `/api/tokens`: launched tokens. */
export class Tokens extends Resource {
  /** A token's supply, steward, transactions and verification. */
  get(address: string): Promise<types.TokenView> {
    return this.api.call("GET /api/tokens/{address}", { path: { address } });
  }

  /** Its contract's ABI. */
  abi(address: string): Promise<Record<string, unknown>[]> {
    return this.api.call("GET /api/tokens/{address}/abi", { path: { address } });
  }

  /** The compiler's input, with which anybody can verify its contract. */
  metadata(address: string): Promise<Record<string, unknown>> {
    return this.api.call("GET /api/tokens/{address}/metadata", { path: { address } });
  }

  /** The transaction that mints, for the steward's wallet: give it to `escrow.send`. `amount` is in whole tokens. */
  mint(address: string, to: string, amount: string): Promise<types.MintAnswer> {
    return this.api.call("POST /api/tokens/{address}/mint", { path: { address }, body: { to, amount } });
  }
}

/** `/api/providers` of Akash. */
export class Providers extends Resource {
  /** The providers that fit. */
  list(
    query: Page & { region?: string; gpuType?: string; maxPrice?: string; auditedOnly?: boolean; online?: boolean } = {},
  ): AsyncGenerator<types.ProviderEntry, void> {
    return this.api.pages("GET /api/providers", "providers", { query });
  }
}

/** `/workers`: machines that prove that they are alive. */
export class Workers extends Resource {
  /** The workers that the caller may see. */
  list(query: Page & { status?: types.Liveness } = {}): AsyncGenerator<types.WorkerView, void> {
    return this.api.pages("GET /workers", "workers", { query });
  }

  /** One worker. */
  get(wallet: string): Promise<types.WorkerView> {
    return this.api.call("GET /workers/{wallet}", { path: { wallet } });
  }

  /** The code and the command that turn a machine into the worker of the caller's wallet. */
  enrol(): Promise<types.EnrolmentAnswer> {
    return this.api.call("POST /workers", { body: {} });
  }

  /** Show or hide a worker's badge and status page. */
  publish(wallet: string, isPublic: boolean): Promise<types.WorkerView> {
    return this.api.call("PATCH /workers/{wallet}", { path: { wallet }, body: { public: isPublic } });
  }

  /** Retire a worker; enrolling it again revives it. */
  retire(wallet: string): Promise<void> {
    return this.api.call("DELETE /workers/{wallet}", { path: { wallet } });
  }

  /** Revoke a worker's token. */
  revoke(wallet: string): Promise<void> {
    return this.api.call("DELETE /workers/{wallet}/tokens", { path: { wallet } });
  }

  /** When a worker was up, by days and in percent. */
  uptime(wallet: string, query: Span = {}): Promise<types.UptimeAnswer> {
    return this.api.call("GET /workers/{wallet}/uptime", { path: { wallet }, query });
  }

  /** The script that sets a worker up. */
  setupScript(wallet: string): Promise<string> {
    return this.api.call("GET /api/setup", { query: { wallet }, text: true });
  }
}

/** `/api/stacks`: a node, and the API service that needs it, in each environment. */
export class Stacks extends Resource {
  /** All environments' stacks. */
  list(query: Page = {}): AsyncGenerator<types.StackSummary, void> {
    return this.api.pages("GET /api/stacks", "stacks", { query });
  }

  /** A stack with its events. */
  get(environment: string, kind: StackKind): Promise<types.StackDetail> {
    const asked = { path: { environment } };
    return this.api.call(kind === "node" ? "GET /api/stacks/{environment}/node" : "GET /api/stacks/{environment}/api", asked);
  }

  /** Deploy a stack as it is described, or change it to that. */
  up(environment: string, kind: StackKind, spec: types.NodeSpec | types.ApiSpec = {}, { idempotencyKey }: Keyed = {}): Promise<types.StackAnswer> {
    const asked = { path: { environment }, body: spec, idempotencyKey };
    return this.api.call(kind === "node" ? "PUT /api/stacks/{environment}/node" : "PUT /api/stacks/{environment}/api", asked);
  }

  /** Deploy a stack anew as it is described. */
  restart(environment: string, kind: StackKind, { idempotencyKey }: Keyed = {}): Promise<types.StackAnswer> {
    const asked = { path: { environment }, idempotencyKey };
    return this.api.call(
      kind === "node" ? "POST /api/stacks/{environment}/node/restart" : "POST /api/stacks/{environment}/api/restart", asked,
    );
  }

  /** Take a stack down. */
  down(environment: string, kind: StackKind): Promise<types.StackAnswer> {
    const asked = { path: { environment } };
    return this.api.call(kind === "node" ? "DELETE /api/stacks/{environment}/node" : "DELETE /api/stacks/{environment}/api", asked);
  }

  /** The endpoint that the node has published. */
  endpoint(environment: string): Promise<Record<string, unknown>> {
    return this.api.call("GET /api/stacks/{environment}/endpoint.json", { path: { environment } });
  }

  /** Its signature (JWS, general serialization). */
  endpointSignature(environment: string): Promise<Record<string, unknown>> {
    return this.api.call("GET /api/stacks/{environment}/endpoint.json.sig", { path: { environment } });
  }
}

/** `/api/webhooks`: addresses of yours to which Slipway posts what happens. */
export class Webhooks extends Resource {
  /** The caller's webhooks. */
  async list(): Promise<types.WebhookView[]> {
    return (await this.api.call<types.WebhookList>("GET /api/webhooks")).webhooks;
  }

  /** Make a webhook; its secret is in this answer alone. Not repeated by itself: it is not idempotent. */
  create(url: string, events: readonly string[], more: Pick<types.WebhookRequest, "format" | "all"> = {}): Promise<types.WebhookCreated> {
    return this.api.call("POST /api/webhooks", { body: { ...more, url, events } });
  }

  /** Confirm an e-mail address by the code that was sent to it. */
  confirm(id: string, code: string): Promise<types.WebhookView> {
    return this.api.call("POST /api/webhooks/{id}/confirm", { path: { id }, body: { code } });
  }

  /** Delete a webhook. */
  delete(id: string): Promise<void> {
    return this.api.call("DELETE /api/webhooks/{id}", { path: { id } });
  }

  /** Have a test message sent. */
  test(id: string): Promise<types.TestAnswer> {
    return this.api.call("POST /api/webhooks/{id}/test", { path: { id } });
  }

  /** A new secret; both sign for 24 hours. */
  rotate(id: string): Promise<types.SecretAnswer> {
    return this.api.call("POST /api/webhooks/{id}/secret", { path: { id } });
  }

  /** What was sent in the last seven days, with every try. */
  async deliveries(id: string): Promise<types.DeliveryView[]> {
    return (await this.api.call<types.DeliveryList>("GET /api/webhooks/{id}/deliveries", { path: { id } })).deliveries;
  }
}

/** `/api/keys`: API keys for CI and servers. A key can't make keys. */
export class Keys extends Resource {
  /** The caller's keys, without what is secret of them. */
  async list(): Promise<types.KeyFacts[]> {
    return (await this.api.call<types.KeyList>("GET /api/keys")).keys;
  }

  /** Make a key; it is in this answer alone. Not repeated by itself: it is not idempotent. */
  create(name: string, scopes: types.KeyRequest["scopes"], more: Pick<types.KeyRequest, "expires_at"> = {}): Promise<types.KeyAnswer> {
    return this.api.call("POST /api/keys", { body: { ...more, name, scopes } });
  }

  /** Delete a key; it is refused from then on. */
  delete(keyId: string): Promise<void> {
    return this.api.call("DELETE /api/keys/{key_id}", { path: { key_id: keyId } });
  }
}

/** `/deployments`: projects. */
export class Projects extends Resource {
  /** Projects, newest first. */
  list(query: Page & { status?: types.ProjectStatus; creator?: string } = {}): AsyncGenerator<types.Project, void> {
    return this.api.pages("GET /deployments", "deployments", { query });
  }

  /** A project. */
  get(name: string): Promise<types.Project> {
    return this.api.call("GET /deployments/{name}", { path: { name } });
  }

  /** Make a project. */
  create(project: types.NewProject, { idempotencyKey }: Keyed = {}): Promise<types.Project> {
    return this.api.call("POST /deployments", { body: project, idempotencyKey });
  }

  /** Change a project's status. */
  setStatus(name: string, status: types.ProjectStatus): Promise<types.Project> {
    return this.api.call("PATCH /deployments/{name}/status", { path: { name }, body: { status } });
  }

  /** Delete a project. */
  delete(name: string): Promise<void> {
    return this.api.call("DELETE /deployments/{name}", { path: { name } });
  }
}

/** `/payments` for projects. */
export class Payments extends Resource {
  /** Payments, newest first. */
  list(query: Page & { creator?: string } = {}): AsyncGenerator<types.Payment, void> {
    return this.api.pages("GET /payments", "payments", { query });
  }

  /** A payment. */
  get(id: string): Promise<types.Payment> {
    return this.api.call("GET /payments/{id}", { path: { id } });
  }

  /** Record a payment. */
  create(payment: types.NewPayment, { idempotencyKey }: Keyed = {}): Promise<types.Payment> {
    return this.api.call("POST /payments", { body: payment, idempotencyKey });
  }
}

/** `/api/admin`, for administrators. */
export class Admin extends Resource {
  /** Every attempt, accepted or refused, newest first. */
  audit(query: Page & Span & { user?: string; model?: string; outcome?: string } = {}): AsyncGenerator<types.AuditEntry, void> {
    return this.api.pages("GET /api/admin/audit", "events", { query });
  }

  /** Deployments of all users, newest first. */
  deployments(query: Page & Span & { user?: string; model?: string; status?: string } = {}): AsyncGenerator<types.DeploymentEntry, void> {
    return this.api.pages("GET /api/admin/deployments", "deployments", { query });
  }

  /** How a service did. */
  metrics(query: Span & { service?: string } = {}): Promise<types.MetricsAnswer> {
    return this.api.call("GET /api/admin/metrics", { query });
  }

  /** How a service did over time, and the requests of the API. */
  series(query: Span & { service?: string; step?: string } = {}): Promise<types.SeriesAnswer> {
    return this.api.call("GET /api/admin/metrics/series", { query });
  }

  /** What users' jobs cost on chains: by wallet, by day, and the newest transactions. */
  gas(query: Span & { user?: string } = {}): Promise<types.GasAnswer> {
    return this.api.call("GET /api/admin/gas", { query });
  }

  /** Pause a service: it refuses what is new, and ends what it has begun. */
  pause(service: string, reason: string): Promise<types.SwitchAnswer> {
    return this.api.call("POST /api/admin/{service}/pause", { path: { service }, body: { reason } });
  }

  /** Resume a service. */
  resume(service: string, reason: string): Promise<types.SwitchAnswer> {
    return this.api.call("POST /api/admin/{service}/resume", { path: { service }, body: { reason } });
  }

  /** Write a model into the catalogue. */
  setModel(id: string, model: types.ModelEntry): Promise<types.ModelAnswer> {
    return this.api.call("PUT /api/admin/models/{id}", { path: { id }, body: model });
  }

  /** What is used of every budget, and what is left. */
  budgets(): Promise<types.BudgetsAnswer> {
    return this.api.call("GET /api/admin/budgets");
  }

  /** Set budgets by name; null goes back to the template's. */
  setBudgets(limits: types.BudgetsChange): Promise<types.BudgetsAnswer> {
    return this.api.call("PUT /api/admin/budgets", { body: limits });
  }

  /** The limits of each tier, and of wallets that have limits of their own. */
  limits(): Promise<types.LimitsAnswer> {
    return this.api.call("GET /api/admin/limits");
  }

  /** Set limits of tiers and wallets; null takes them back. */
  setLimits(change: types.LimitsChange): Promise<types.LimitsAnswer> {
    return this.api.call("PUT /api/admin/limits", { body: change });
  }

  /** Whether a wallet is blocked, and why. */
  wallet(wallet: string): Promise<types.StandingAnswer> {
    return this.api.call("GET /api/admin/wallets/{wallet}", { path: { wallet } });
  }

  /** Refuse everything that a wallet asks; what it has running goes on. */
  block(wallet: string, reason: string): Promise<types.StandingAnswer> {
    return this.api.call("POST /api/admin/wallets/{wallet}/block", { path: { wallet }, body: { reason } });
  }

  /** Take a block back. */
  unblock(wallet: string, reason: string): Promise<types.StandingAnswer> {
    return this.api.call("POST /api/admin/wallets/{wallet}/unblock", { path: { wallet }, body: { reason } });
  }

  /** End all sessions of a wallet; it may sign in again. */
  endSessions(wallet: string): Promise<types.StandingAnswer> {
    return this.api.call("POST /api/admin/wallets/{wallet}/logout", { path: { wallet } });
  }
}
