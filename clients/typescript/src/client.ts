import type { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import type { LogEvent } from "./events.js";
import { Builds, type DeploymentRef, Deployments, Escrow, type FollowOptions, type LaunchOptions, type Status } from "./jobs.js";
import {
  Admin, Keys, Models, Payments, Projects, Providers, Stacks, Tokens, Webhooks, Workers,
} from "./resources.js";
import { RETRIES, type Retries } from "./retries.js";
import type { DeployTokenAnswer, Healthy, LinkAnswer } from "./schema.js";
import { memoryStore, type Session, type SessionStore } from "./sessions.js";
import { type Signer, walletOf } from "./signing.js";
import { verifyWebhook } from "./webhooks.js";

const TIMEOUT_SECONDS = 30;

export interface SlipwayOptions {
  /** The installation's address, such as `https://api.example.com`. */
  api: string;
  /** A wallet of the browser, of viem or of ethers, or one of your own. */
  signer?: Signer;
  /** `slk_…`, instead of a session. */
  apiKey?: string;
  /** The access token of your own issuer, instead of a session. */
  token?: string;
  /** Keeps the session between pages; by default it is this client's. */
  sessionStore?: SessionStore;
  /** The chain that a sign-in names; by default the one that the API names. */
  chainId?: number;
  /** Where a sign-in happens, as the wallet shows it: by default the page's origin, or else the API. */
  uri?: string;
  /** Seconds that one try may take; 30. */
  timeout?: number;
  retries?: Partial<Retries>;
  fetch?: typeof fetch;
  /** For builds' events, where the runtime has none (Node before 22). */
  WebSocket?: typeof globalThis.WebSocket;
  /** For tests. */
  clock?: Clock;
}

/**
 * An installation of Slipway, as one caller.
 *
 * It signs in when it first has to and renews its session by itself. Requests that fail for a while are tried again,
 * unless that could do a thing twice.
 */
export class Slipway {
  readonly deployments: Deployments;
  readonly escrow: Escrow;
  readonly builds: Builds;
  readonly models: Models;
  readonly tokens: Tokens;
  readonly providers: Providers;
  readonly workers: Workers;
  readonly stacks: Stacks;
  readonly webhooks: Webhooks;
  readonly keys: Keys;
  readonly projects: Projects;
  readonly payments: Payments;
  readonly admin: Admin;
  private readonly api: Connection;

  constructor(options: SlipwayOptions) {
    const api = options.api.replace(/\/+$/, "");
    const page = (globalThis as { location?: Location }).location?.origin;
    this.api = new Connection({
      api,
      wallet: options.signer ? walletOf(options.signer, options.clock) : null,
      bearer: options.apiKey ?? options.token ?? null,
      store: options.sessionStore ?? memoryStore(),
      retries: { ...RETRIES, ...options.retries },
      timeout: options.timeout ?? TIMEOUT_SECONDS,
      chainId: options.chainId ?? null,
      uri: options.uri ?? (page && page !== "null" ? page : api),
      fetch: options.fetch ?? ((...asked) => fetch(...asked)),
      clock: options.clock,
    });
    this.deployments = new Deployments(this.api);
    this.escrow = new Escrow(this.api);
    this.builds = new Builds(this.api, options.WebSocket ?? (globalThis as { WebSocket?: typeof WebSocket }).WebSocket);
    this.models = new Models(this.api);
    this.tokens = new Tokens(this.api);
    this.providers = new Providers(this.api);
    this.workers = new Workers(this.api);
    this.stacks = new Stacks(this.api);
    this.webhooks = new Webhooks(this.api);
    this.keys = new Keys(this.api);
    this.projects = new Projects(this.api);
    this.payments = new Payments(this.api);
    this.admin = new Admin(this.api);
  }

  /** Begin a session now; otherwise that happens when it is needed. */
  async signIn(signer?: Signer): Promise<Session> {
    const wallet = signer ? walletOf(signer) : this.api.wallet;
    if (!wallet) throw new TypeError("There is no signer to sign in with");
    return this.api.signIn(wallet);
  }

  /** The text that a wallet elsewhere has to sign, good for five minutes; `completeSignIn` takes both. */
  signInMessage(address: string): Promise<string> {
    return this.api.signInText(address);
  }

  /** Exchange a text of `signInMessage` and its signature for a session. */
  completeSignIn(message: string, signature: string): Promise<Session> {
    return this.api.verified(message, signature);
  }

  /** End the session, or with `everywhere` all sessions of the wallet. */
  signOut({ everywhere = false } = {}): Promise<void> {
    return this.api.signOut(everywhere);
  }

  /** Link the wallet that signed a text of `signInMessage` to the user of your own issuer's token. */
  linkWallet(issuerToken: string, message: string, signature: string): Promise<LinkAnswer> {
    const headers = { authorization: `Bearer ${issuerToken}` };
    return this.api.call("POST /api/auth/link", { body: { message, signature }, headers });
  }

  /** Whether the API is there. */
  health(): Promise<Healthy> {
    return this.api.call("GET /health");
  }

  /** Launch the token of a validated model; see `deployments.launchToken`. */
  launchToken(modelId: string, options: LaunchOptions = {}): Promise<DeployTokenAnswer> {
    return this.deployments.launchToken(modelId, options);
  }

  /** Wait until a launch has ended or a workload is active; see `deployments.follow`. */
  follow(deployment: DeploymentRef, options: FollowOptions<Status> = {}): Promise<Status> {
    return this.deployments.follow(deployment, options);
  }

  /** A workload's log; see `deployments.logs`. */
  logs(deployment: DeploymentRef, options: Parameters<Deployments["logs"]>[1] = {}): AsyncGenerator<LogEvent, void> {
    return this.deployments.logs(deployment, options);
  }

  /** See `verifyWebhook`. */
  readonly verifyWebhook = verifyWebhook;
}
