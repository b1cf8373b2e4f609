import { type Clock, clock as realClock } from "./clock.js";
import { errorOf, SlipwayError } from "./errors.js";
import { mayRepeat, pauseAfter, type Retries } from "./retries.js";
import { TAKES_KEY, type NonceAnswer, type VerifyAnswer } from "./schema.js";
import { isFresh, type Session, sessionOf, type SessionStore } from "./sessions.js";
import { signInMessage, type Wallet } from "./signing.js";

export interface Asked {
  path?: Record<string, string | number>;
  /** Those that are undefined are left out. */
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  /** The Idempotency-Key, for a route that takes one; by default a new one. */
  idempotencyKey?: string | undefined;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Whether the answer is text rather than JSON. */
  text?: boolean;
}

export interface ConnectionOptions {
  api: string;
  wallet: Wallet | null;
  /** An API key, or the access token of your own issuer, instead of a session. */
  bearer: string | null;
  store: SessionStore;
  retries: Retries;
  /** Seconds that one try may take. */
  timeout: number;
  chainId: number | null;
  /** Where a sign-in happens. */
  uri: string;
  fetch: typeof fetch;
  clock?: Clock;
}

/** One installation's API, as one caller: authorized, in time, repeated where that is safe. */
export class Connection {
  readonly clock: Clock;
  private renewing: Promise<Session | null> | null = null;

  constructor(readonly options: ConnectionOptions) {
    this.clock = options.clock ?? realClock;
  }

  get wallet(): Wallet | null {
    return this.options.wallet;
  }

  /**
   * Ask for a route until it answers.
   *
   * @param route Method and path, as the OpenAPI document has them.
   * @throws SlipwayError The API refused, or did not answer in all tries.
   */
  async call<T>(route: string, asked: Asked = {}): Promise<T> {
    const headers = { ...asked.headers };
    if (TAKES_KEY.has(route)) headers["idempotency-key"] = asked.idempotencyKey ?? crypto.randomUUID();
    const signedIn = !route.split(" ")[1]!.startsWith("/api/auth/");
    let unsure = false;
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.open(route, { ...asked, headers }, { signedIn });
        return (await this.read(response, asked)) as T;
      } catch (error) {
        if (!(error instanceof SlipwayError)) throw error;
        // The try before, of which nothing came back, has deleted it.
        if (unsure && error.status === 404 && route.startsWith("DELETE ")) return undefined as T;
        unsure ||= error.unsure;
        const pause = pauseAfter(this.options.retries, attempt, error);
        if (pause === null || !mayRepeat(route, "idempotency-key" in headers, error)) throw error;
        await this.clock.sleep(pause, asked.signal);
      }
    }
  }

  /** The entries of all pages of a list, whose pages have them in the field `name`. */
  async *pages<T>(route: string, name: string, asked: Asked = {}): AsyncGenerator<T, void> {
    let cursor: string | null | undefined;
    do {
      const page: Record<string, any> = await this.call(route, { ...asked, query: { ...asked.query, cursor } });
      yield* page[name] as T[];
      cursor = page.next_cursor;
    } while (cursor);
  }

  /**
   * Send a request, again if its access token is refused; return the answer before its body has come.
   *
   * @param timeout Seconds in which the answer has to begin, and to be whole unless it is read in pieces.
   */
  async open(route: string, asked: Asked, { signedIn = true, timeout = this.options.timeout } = {}): Promise<Response> {
    if (!signedIn) return this.once(route, asked, timeout, null);
    const bearer = await this.bearer();
    try {
      return await this.once(route, asked, timeout, bearer);
    } catch (error) {
      // A token may end before its time: its session was ended, or the clock of this machine was set.
      const refused = error instanceof SlipwayError && error.status === 401 && bearer !== null;
      if (!refused || !(await this.replaced(bearer))) throw error;
    }
    return this.once(route, asked, timeout, await this.bearer());
  }

  private async once(route: string, asked: Asked, timeout: number, bearer: string | null): Promise<Response> {
    const [method, template] = route.split(" ") as [string, string];
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(asked.path![name])));
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(asked.query ?? {})) if (value !== undefined && value !== null) query.set(name, String(value));
    const headers = new Headers({ accept: "application/json", ...asked.headers });
    if (bearer !== null) headers.set("authorization", `Bearer ${bearer}`);
    if (asked.body !== undefined) headers.set("content-type", "application/json");
    const limit = AbortSignal.timeout(timeout * 1000);
    let response: Response;
    try {
      response = await this.options.fetch(this.options.api + path + (query.size ? `?${query}` : ""), {
        method,
        headers,
        body: asked.body === undefined ? null : JSON.stringify(asked.body),
        signal: asked.signal ? AbortSignal.any([asked.signal, limit]) : limit,
        redirect: "error",
      });
      if (!response.ok) throw errorOf(response.status, response.headers, await response.text());
    } catch (error) {
      throw this.unreachable(error, asked);
    }
    return response;
  }

  private async read(response: Response, { text, signal }: Asked): Promise<unknown> {
    let body: string;
    try {
      body = await response.text();
    } catch (error) {
      throw this.unreachable(error, { signal });
    }
    if (!body) return undefined;
    if (text) return body;
    try {
      return JSON.parse(body);
    } catch {
      throw new SlipwayError("UPSTREAM_UNAVAILABLE", "The answer is not Slipway's", { status: response.status });
    }
  }

  /** What a fetch threw, as an error of ours; what the caller aborted stays what it is. */
  unreachable(error: unknown, { signal }: Pick<Asked, "signal">): unknown {
    if (error instanceof SlipwayError || signal?.aborted) return error;
    const name = error instanceof Error ? error.name : "";
    if (name === "TimeoutError") return new SlipwayError("TIMEOUT", "The API did not answer in time", { unsure: true, cause: error });
    // Node says why; a browser says nothing, so that the request may have arrived.
    const code = String(((error as Error).cause as { code?: string } | undefined)?.code ?? "");
    const unsure = !/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(code);
    return new SlipwayError("NETWORK", `The API can't be reached${code && ` (${code})`}`, { unsure, cause: error });
  }

  // ── Sessions ───────────────────────────────────────────────────────────────────────────────────────
  /** An API key, or an access token that is still good for a while; null for a caller without any. */
  async bearer(): Promise<string | null> {
    if (this.options.bearer) return this.options.bearer;
    const session = await this.options.store.load();
    if (session && isFresh(session, this.clock.now())) return session.accessToken;
    if (!session && !this.options.wallet) return null;
    return (await this.renewed(session))?.accessToken ?? null;
  }

  /** Whether there is another token now than the one that was refused. */
  private async replaced(refused: string): Promise<boolean> {
    let session = await this.options.store.load();
    if (this.options.bearer || !session) return false;
    if (session.accessToken === refused) session = await this.renewed(session);
    return session !== null && session.accessToken !== refused;
  }

  /** Renew a session, unless somebody else just did; sign in where that is possible and it is over. */
  private renewed(old: Session | null): Promise<Session | null> {
    this.renewing ??= this.exclusively(async () => {
      const { store, wallet } = this.options;
      const kept = await store.load();
      if (kept && kept.accessToken !== old?.accessToken && isFresh(kept, this.clock.now())) return kept;
      const renewed = kept ? await this.refreshed(kept) : null;
      if (!renewed && wallet) return this.signedIn(wallet);
      if (!renewed) await store.save(null);
      return renewed;
    }).finally(() => (this.renewing = null));
    return this.renewing;
  }

  private exclusively<T>(task: () => Promise<T>): Promise<T> {
    const { store } = this.options;
    return store.exclusively ? store.exclusively(task) : task();
  }

  /** Use the refresh token; null when the session has ended. */
  private async refreshed(session: Session): Promise<Session | null> {
    const askedAt = this.clock.now();
    if (session.refreshExpiresAt <= askedAt) return null;
    try {
      const answer = await this.call<VerifyAnswer>("POST /api/auth/refresh", { body: { refresh_token: session.refreshToken } });
      const renewed = sessionOf(answer, askedAt);
      await this.options.store.save(renewed);
      return renewed;
    } catch (error) {
      // A blocked wallet's session may serve it again.
      if (error instanceof SlipwayError && !error.passes && error.status !== 403) return null;
      throw error;
    }
  }

  /** Begin a session; the old one is forgotten. */
  signIn(wallet: Wallet): Promise<Session> {
    return this.exclusively(() => this.signedIn(wallet));
  }

  private async signedIn(wallet: Wallet): Promise<Session> {
    for (let attempt = 1; ; attempt++) {
      // Each try has a nonce of its own: of one whose answer was lost, it is not known whether it was used.
      const message = await this.signInText(await wallet.address());
      const signature = await wallet.signMessage(message);
      try {
        return await this.verified(message, signature);
      } catch (error) {
        const pause = error instanceof SlipwayError && error.passes ? pauseAfter(this.options.retries, attempt, error) : null;
        if (pause === null) throw error;
        await this.clock.sleep(pause);
      }
    }
  }

  /** The text that a wallet has to sign, with a new nonce. */
  async signInText(address: string): Promise<string> {
    const answer = await this.call<NonceAnswer>("GET /api/auth/nonce");
    const chainId = this.options.chainId ?? answer.chain_id;
    return signInMessage({ address, nonce: answer.nonce, chainId, uri: this.options.uri });
  }

  /** Exchange a signed text for a session, and keep it. */
  async verified(message: string, signature: string): Promise<Session> {
    const askedAt = this.clock.now();
    const session = sessionOf(await this.call<VerifyAnswer>("POST /api/auth/verify", { body: { message, signature } }), askedAt);
    await this.options.store.save(session);
    return session;
  }

  /** End the session, or all of its wallet; forget it in any case. */
  async signOut(everywhere: boolean): Promise<void> {
    const session = await this.options.store.load();
    if (!session) return;
    await this.options.store.save(null);
    await this.call("POST /api/auth/logout", { body: { refresh_token: session.refreshToken, everywhere } });
  }
}
