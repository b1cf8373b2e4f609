import type { Connection } from "./connection.js";
import { SlipwayError, StillUnderWayError } from "./errors.js";
import { EventParser, type LogEvent, logEvent } from "./events.js";
import { pauses } from "./retries.js";
import type * as types from "./schema.js";
import { sendAll, type TypedData, type Wallet } from "./signing.js";

const FOLLOW_SECONDS = 3600;
// A workload that is active goes on; everything else in these is the end.
const ENDED = new Set<string>(["completed", "failed", "active", "closed", "error"]);
const BUILD_ENDED = new Set<string>(["complete", "failed", "cancelled"]);
const [FIRST_PAUSE, MAX_PAUSE] = [1, 15];
// The API answers after 20 s at the latest.
const LOG_SECONDS = 60;
const PATIENCE_SECONDS = 300;
// An answer ends with the lines that are there; one of this size may have been cut.
const FULL_ANSWER = 200 * 1024;

export type Status = types.DeploymentStatus | types.WorkloadStatus;
export type Detail = types.DeploymentDetail | types.WorkloadDetail;
export type Summary = types.DeploymentSummary | types.WorkloadSummary;
export type Accepted = types.DeployWorkloadAnswer | types.PayWorkloadAnswer;
export type Estimate = types.EstimateAnswer | types.WorkloadEstimate;
export type DeploymentRef = string | { deployment_id: string };
export type BuildRef = string | { build_id: string };
export interface Keyed {
  /** The same key and arguments never do it twice, in this process or another. */
  idempotencyKey?: string;
}
export interface FollowOptions<T> {
  /** Called with each state that differs from the one before. */
  onChange?: (state: T) => void;
  /** Seconds; an hour by default. */
  timeout?: number;
  signal?: AbortSignal;
}
export interface BuildEvent {
  sequence: number;
  status: types.BuildsStatus;
  progress: number;
  step: string;
  message: string;
}
/** The part of a token's request that has defaults. */
export type LaunchOptions = Partial<Omit<types.DeployTokenRequest, "model_id" | "auth_token">> & Keyed;
export type WorkloadOptions = Omit<types.DeployWorkloadRequest, "sdl" | "auth_token"> & Keyed;

export class Resource {
  constructor(protected readonly api: Connection) {}
}

/** `/api/deployments`: tokens and workloads. */
export class Deployments extends Resource {
  /** Launch the token of a validated model; `user_address` is the signer's by default. */
  async launchToken(modelId: string, { idempotencyKey, ...request }: LaunchOptions = {}): Promise<types.DeployTokenAnswer> {
    const user_address = request.user_address ?? (await this.api.wallet?.address());
    const body = { ...request, model_id: modelId, user_address };
    return this.api.call("POST /api/deployments", { body, idempotencyKey });
  }

  /** Run a workload on Akash. An answer with `payment` waits for the wallet's deposit: give it to `escrow.send`. */
  deploy(sdl: string, { idempotencyKey, ...request }: WorkloadOptions = {}): Promise<Accepted> {
    return this.api.call("POST /api/deployments", { body: { ...request, sdl }, idempotencyKey });
  }

  /** What a request would cost, and every refusal that it would get; changes nothing. */
  estimate(request: types.DeployTokenRequest | types.DeployWorkloadRequest): Promise<Estimate> {
    return this.api.call("POST /api/deployments/estimate", { body: request });
  }

  /** The caller's deployments, newest first; `limit` is the size of a page. */
  list(query: { kind?: "token" | "akash"; status?: string; model_id?: string; limit?: number } = {}): AsyncGenerator<Summary, void> {
    return this.api.pages("GET /api/deployments", "deployments", { query });
  }

  /** A deployment with its events, transactions or leases. */
  get(id: string): Promise<Detail> {
    return this.api.call("GET /api/deployments/{id}", { path: { id } });
  }

  /** How a deployment stands. */
  status(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<Status> {
    return this.api.call("GET /api/deployments/{id}/status", { path: { id }, signal });
  }

  /**
   * Wait until a launch has ended, or a workload is active or has ended; return its last status.
   *
   * @throws StillUnderWayError It has not ended in time; it goes on without anybody following it.
   */
  follow(deployment: DeploymentRef, options: FollowOptions<Status> = {}): Promise<Status> {
    const id = typeof deployment === "string" ? deployment : deployment.deployment_id;
    return polled(this.api, () => this.status(id, options), ({ status }) => ENDED.has(status), options);
  }

  /** The bids for a workload that waits for its owner to choose, best first. */
  bids(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<types.BidList> {
    return this.api.call("GET /api/deployments/{id}/bids", { path: { id }, signal });
  }

  /**
   * Take the bids of these providers, one for each placement; the same choice again changes nothing.
   *
   * `price` is what their bids cost together, in uact a block as `bids` showed it; another price is refused.
   */
  choose(id: string, providers: string | string[], { price }: { price?: string } = {}): Promise<types.WorkloadStatus> {
    return this.api.call("POST /api/deployments/{id}/bids", { path: { id }, body: { providers: [providers].flat(), price } });
  }

  /** Run another SDL in a workload's lease, or with `replace` in a new one where it has to be another. */
  update(id: string, sdl: string, { replace = false } = {}): Promise<types.WorkloadStatus> {
    return this.api.call("PUT /api/deployments/{id}", { path: { id }, body: { sdl, replace } });
  }

  /** Name a workload, or keep its runway up. */
  change(id: string, change: types.PatchWorkloadRequest): Promise<types.WorkloadStatus> {
    return this.api.call("PATCH /api/deployments/{id}", { path: { id }, body: change });
  }

  /** Add US dollars to a workload's escrow account on Akash. Not repeated by itself: it is not idempotent. */
  topUp(id: string, amount: string): Promise<types.WorkloadStatus> {
    return this.api.call("POST /api/deployments/{id}/deposit", { path: { id }, body: { amount } });
  }

  /** Take up a launch that failed half done. */
  retry(id: string, { idempotencyKey }: Keyed = {}): Promise<types.DeploymentStatus> {
    return this.api.call("POST /api/deployments/{id}/retry", { path: { id }, idempotencyKey });
  }

  /** Close a workload, or cancel a launch that is not signed yet. */
  close(id: string): Promise<Status> {
    return this.api.call("DELETE /api/deployments/{id}", { path: { id } });
  }

  /** The SDL of a workload; secrets are masked unless they are to be revealed, which is audited. */
  sdl(id: string, { reveal }: { reveal?: boolean } = {}): Promise<types.SdlAnswer> {
    return this.api.call("GET /api/deployments/{id}/sdl", { path: { id }, query: { reveal } });
  }

  /**
   * A workload's log until it is closed, without a gap or a repeat whatever happens to the connection.
   *
   * @param options `after` is the `id` of the last event that is known; `follow: false` returns the lines that are there.
   */
  async *logs(
    deployment: DeploymentRef,
    { service, tail, after, follow = true, signal }: { service?: string; tail?: number; after?: string; follow?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<LogEvent, void> {
    const path = { id: typeof deployment === "string" ? deployment : deployment.deployment_id };
    const { clock } = this.api;
    let failures = pauses(FIRST_PAUSE, MAX_PAUSE, 2);
    let silentSince = clock.now();
    for (;;) {
      const parser = new EventParser();
      let [size, pause] = [0, 0.2];
      const headers = { accept: "text/event-stream", ...(after && { "last-event-id": after }) };
      try {
        const asked = { path, query: { service, tail }, headers, signal };
        const response = await this.api.open("GET /api/deployments/{id}/logs", asked, { timeout: LOG_SECONDS });
        if (response.status === 204) return;
        for await (const piece of pieces(response, (error) => this.api.unreachable(error, { signal }))) {
          size += piece.length;
          for (const event of parser.push(piece)) {
            after = event.id ?? after;
            yield logEvent(event);
            if (event.name === "end") return;
          }
        }
        if (!follow && size < FULL_ANSWER) return;
        pause = parser.retry ?? pause;
        failures = pauses(FIRST_PAUSE, MAX_PAUSE, 2);
        silentSince = clock.now();
      } catch (error) {
        if (!(error instanceof SlipwayError) || !error.passes || clock.now() - silentSince > PATIENCE_SECONDS) throw error;
        pause = Math.max(failures.next().value, error.retryAfter ?? 0);
      }
      await clock.sleep(pause, signal);
    }
  }
}

/** `/api/escrow`: money that the caller's wallet holds for a job. */
export class Escrow extends Resource {
  /** What is deposited, reserved, released and refundable, as of a block. */
  status(jobId: string): Promise<types.EscrowAnswer> {
    return this.api.call("GET /api/escrow", { query: { job_id: jobId } });
  }

  /** The transactions of a deposit, for the wallet to sign; `amount` is in whole tokens. */
  deposit(jobId: string, amount: string, { permit }: { permit?: types.Permit } = {}): Promise<types.DepositAnswer> {
    return this.api.call("POST /api/escrow", { body: { job_id: jobId, amount, permit } });
  }

  /** The transactions that take back what is free. */
  refund(jobId: string): Promise<types.RefundAnswer> {
    return this.api.call("DELETE /api/escrow", { query: { job_id: jobId } });
  }

  /** Deposit for a job by the signer, with a permit where the token takes one; return how the escrow stands then. */
  async pay(jobId: string, amount: string): Promise<types.EscrowAnswer> {
    const wallet = this.wallet();
    let offer = await this.deposit(jobId, amount);
    if (offer.permit && offer.transactions.length > 1 && wallet.signTypedData) {
      const signature = await wallet.signTypedData(offer.permit.typed_data as unknown as TypedData);
      offer = await this.deposit(jobId, amount, { permit: { deadline: offer.permit.deadline, signature } });
    }
    await sendAll(wallet, offer.transactions);
    return this.status(jobId);
  }

  /** Sign and send transactions of the API by the signer; return their hashes. */
  send({ transactions }: { transactions: readonly types.UnsignedTransaction[] }): Promise<string[]> {
    return sendAll(this.wallet(), transactions);
  }

  private wallet(): Wallet {
    if (!this.api.wallet) throw new TypeError("There is no signer to pay with");
    return this.api.wallet;
  }
}

export type BuildOptions = Omit<types.BuildRequest, "prompt" | "chains" | "auth_token">;

/** `/api/v1/builds`: contracts from prompts. */
export class Builds extends Resource {
  constructor(api: Connection, private readonly WebSocket: typeof globalThis.WebSocket | undefined) {
    super(api);
  }

  /** What a prompt would become: kind, options, powers, source, gas; changes nothing. */
  preview(prompt: string, chains: readonly number[] = [], options: BuildOptions = {}): Promise<types.Preview> {
    return this.api.call("POST /api/v1/builds/preview", { body: { ...options, prompt, chains } });
  }

  /** Write, compile, audit and deploy a contract from a prompt. */
  start(prompt: string, chains: readonly number[], { idempotencyKey, ...options }: BuildOptions & Keyed = {}): Promise<types.BuildResponse> {
    return this.api.call("POST /api/v1/builds", { body: { ...options, prompt, chains }, idempotencyKey });
  }

  /** The caller's builds, newest first. */
  async *list({ status, pageSize }: { status?: types.BuildsStatus; pageSize?: number } = {}): AsyncGenerator<types.BuildDetail, void> {
    for (let page = 1; ; page++) {
      const query = { status, page, page_size: pageSize };
      const found = await this.api.call<types.BuildList>("GET /api/v1/builds", { query });
      yield* found.builds;
      if (!found.builds.length || page * found.page_size >= found.total) return;
    }
  }

  /** A build with what is known of it. */
  get(buildId: string, { signal }: { signal?: AbortSignal } = {}): Promise<types.BuildDetail> {
    return this.api.call("GET /api/v1/builds/{build_id}", { path: { build_id: buildId }, signal });
  }

  /** Wait until a build has ended. */
  follow(build: BuildRef, options: FollowOptions<types.BuildDetail> = {}): Promise<types.BuildDetail> {
    const id = buildIdOf(build);
    return polled(this.api, () => this.get(id, options), ({ status }) => BUILD_ENDED.has(status), options);
  }

  /**
   * A build's progress from its first event, or the one after `after`, to its end, over WebSocket. When the connection
   * ends before the build does, it connects again and goes on: no event is missed or repeated.
   */
  async *events(build: BuildRef, { after = 0, signal }: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<BuildEvent, void> {
    const id = buildIdOf(build);
    if (!this.WebSocket) throw new TypeError("There is no WebSocket here: Node 22 has one, or give new Slipway({ WebSocket }); follow needs none");
    let detail = await this.get(id, { signal });
    const url = detail.stream_url;
    if (!url) throw new SlipwayError("NOT_FOUND", "This installation has no streams of builds: use follow");
    const { clock } = this.api;
    let failures = pauses(FIRST_PAUSE, MAX_PAUSE, 2);
    let silentSince = clock.now();
    while (detail.sequence > after || !BUILD_ENDED.has(detail.status)) {
      const before = after;
      const address = `${url}${url.includes("?") ? "&" : "?"}after=${after}`;
      for await (const event of messages(new this.WebSocket(address, ["bearer", (await this.api.bearer()) ?? ""]), signal)) {
        // An answer to a ping has no number.
        if (!(event.sequence > after)) continue;
        after = event.sequence;
        yield event;
      }
      if (after > before) {
        failures = pauses(FIRST_PAUSE, MAX_PAUSE, 2);
        silentSince = clock.now();
      } else if (clock.now() - silentSince > PATIENCE_SECONDS) throw new SlipwayError("NETWORK", "The stream can't be reached");
      // A browser says nothing of why a stream was refused; this does.
      detail = await this.get(id, { signal });
      if (after === before) await clock.sleep(failures.next().value, signal);
    }
  }

  /** The contract's source. */
  code(buildId: string): Promise<string> {
    return this.api.call("GET /api/v1/builds/{build_id}/code", { path: { build_id: buildId }, text: true });
  }

  /** The contract's ABI. */
  abi(buildId: string): Promise<Record<string, unknown>[]> {
    return this.api.call("GET /api/v1/builds/{build_id}/abi", { path: { build_id: buildId } });
  }

  /** The report of the last audit, also as SARIF 2.1.0. */
  audit(buildId: string, { format = "json" }: { format?: "json" | "sarif" } = {}): Promise<Record<string, unknown>> {
    return this.api.call("GET /api/v1/builds/{build_id}/audit", { path: { build_id: buildId }, query: { format } });
  }

  /** The report of the last audit for people. */
  auditMarkdown(buildId: string): Promise<string> {
    const asked = { path: { build_id: buildId }, query: { format: "markdown" }, text: true };
    return this.api.call("GET /api/v1/builds/{build_id}/audit", asked);
  }

  /** The compiler's input, with which anybody can verify the contract. */
  metadata(buildId: string): Promise<Record<string, unknown>> {
    return this.api.call("GET /api/v1/builds/{build_id}/metadata", { path: { build_id: buildId } });
  }

  /** Deploy an audited contract to chains that do not have it. */
  deploy(buildId: string, chains: readonly number[], { idempotencyKey }: Keyed = {}): Promise<types.DeployAnswer> {
    return this.api.call("POST /api/v1/builds/{build_id}/deploy", { path: { build_id: buildId }, body: chains, idempotencyKey });
  }

  /** Have the transaction followed by which the caller's wallet creates the contract on a chain. */
  report(buildId: string, chainId: number, txHash: string, { idempotencyKey }: Keyed = {}): Promise<types.DeployAnswer> {
    const asked = { path: { build_id: buildId, chain_id: chainId }, body: { tx_hash: txHash }, idempotencyKey };
    return this.api.call("POST /api/v1/builds/{build_id}/deployments/{chain_id}", asked);
  }

  /** Create an audited contract on a chain by the signer, for a build with the option `signer: "wallet"`. */
  async create(build: BuildRef, chainId: number): Promise<types.DeployAnswer> {
    const id = buildIdOf(build);
    const deployment = (await this.get(id)).deployments?.find((one) => one.chain_id === chainId);
    const unsigned = deployment?.transaction;
    const wallet = this.api.wallet;
    if (!wallet?.sendTransaction) throw new TypeError("There is no signer that sends transactions");
    if (!unsigned || deployment.tx_hash) throw new SlipwayError("CONFLICT", `Nothing is left to sign for chain ${chainId}`);
    // Reported before it is in a block: should this page be closed, nobody sends a second one.
    return this.report(id, chainId, await wallet.sendTransaction(unsigned));
  }

  /** Begin a build again that failed before its audit. */
  retry(buildId: string, { idempotencyKey }: Keyed = {}): Promise<types.BuildResponse> {
    return this.api.call("POST /api/v1/builds/{build_id}/retry", { path: { build_id: buildId }, idempotencyKey });
  }

  /** Cancel a build; what is on a chain stays there. */
  cancel(buildId: string): Promise<types.Cancelled> {
    return this.api.call("DELETE /api/v1/builds/{build_id}", { path: { build_id: buildId } });
  }

  /** A ticket that opens the build's stream once, within a minute. */
  ticket(buildId: string): Promise<types.Ticket> {
    return this.api.call("POST /api/v1/builds/{build_id}/ticket", { path: { build_id: buildId } });
  }
}

function buildIdOf(build: BuildRef): string {
  return typeof build === "string" ? build : build.build_id;
}

/** Read until it is over; what differs from before is reported. An API that is down meanwhile is waited for. */
async function polled<T>(
  { clock }: Connection, read: () => Promise<T>, isOver: (found: T) => boolean, { onChange, timeout = FOLLOW_SECONDS, signal }: FollowOptions<T>,
): Promise<T> {
  const endsAt = clock.now() + timeout;
  let shown = "";
  for (let pause of pauses(FIRST_PAUSE, MAX_PAUSE)) {
    try {
      const found = await read();
      if (JSON.stringify(found) !== shown) onChange?.(found);
      shown = JSON.stringify(found);
      if (isOver(found)) return found;
    } catch (error) {
      if (!(error instanceof SlipwayError) || !error.passes || clock.now() + pause > endsAt) throw error;
      pause = Math.max(pause, error.retryAfter ?? 0);
    }
    if (clock.now() + pause > endsAt) throw new StillUnderWayError(timeout);
    await clock.sleep(pause, signal);
  }
  throw new Error("pauses never end");
}

/** An answer's text as it comes. */
async function* pieces(response: Response, failed: (error: unknown) => unknown): AsyncGenerator<string, void> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => Promise.reject(failed(error) as Error));
      if (done) return;
      yield value;
    }
  } finally {
    // Who reads no further closes the connection.
    await reader.cancel().catch(() => undefined);
  }
}

/** What a WebSocket brings until it is closed, by either side. */
async function* messages(socket: WebSocket, signal: AbortSignal | undefined): AsyncGenerator<BuildEvent, void> {
  const arrived: BuildEvent[] = [];
  let isClosed = false;
  let wake = () => {};
  socket.onmessage = ({ data }) => {
    arrived.push(JSON.parse(String(data)) as BuildEvent);
    wake();
  };
  socket.onclose = socket.onerror = () => {
    isClosed = true;
    wake();
  };
  const stop = () => socket.close();
  signal?.addEventListener("abort", stop);
  try {
    for (;;) {
      while (arrived.length) yield arrived.shift()!;
      signal?.throwIfAborted();
      if (isClosed) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    socket.close();
  }
}
