// The shapes of the API, from its OpenAPI document. Written by `make openapi`; do not edit.

export const TAKES_KEY: ReadonlySet<string> = new Set([
  "POST /api/deployments",
  "POST /api/deployments/{id}/retry",
  "POST /api/stacks/{environment}/api/restart",
  "POST /api/stacks/{environment}/node/restart",
  "POST /api/v1/builds",
  "POST /api/v1/builds/{build_id}/deploy",
  "POST /api/v1/builds/{build_id}/deployments/{chain_id}",
  "POST /api/v1/builds/{build_id}/retry",
  "POST /deployments",
  "POST /payments",
  "PUT /api/stacks/{environment}/api",
  "PUT /api/stacks/{environment}/node",
]);

/** US dollars to add to a workload's escrow account. */
export interface AkashDepositRequest {
  amount: string;
}

/** Where a workload stands. `pending` lasts until its services are available; it is closed for good otherwise. */
export type AkashStatus = "pending" | "active" | "closed" | "error";

/** What one address gets of the initial supply, in whole tokens. */
export interface Allocation {
  address: string;
  amount: string;
}

/** How much of a resource is free, and how much there is; None where the provider does not report it. */
export interface Amount {
  available: number | null;
  total: number | null;
}

/** What the API service gets. */
export interface ApiResources {
  cpu?: string;
  memory?: string;
  storage?: string;
}

/** What an API stack shall be. Everything has a default. */
export interface ApiSpec {
  image?: string | null;
  env?: Record<string, string>;
  resources?: ApiResources;
  preferences?: Preferences;
  keep?: boolean;
  follow?: boolean;
}

/** One try to deliver; `response` is the answer's first 500 bytes, or why there was none. */
export interface AttemptView {
  at: string;
  response_status: number | null;
  duration_ms: number;
  response: string;
}

/** One attempt: who, from where, what, on what, and how it ended (`accepted`, `completed` or an error code). */
export interface AuditEntry {
  at: string;
  user: string | null;
  source_ip: string | null;
  action: string;
  subject: string | null;
  outcome: string;
  message: string | null;
  request_id: string | null;
}

/** A page of the audit trail, newest first. A page may be short, or empty, and still have a `next_cursor`. */
export interface AuditPage {
  events: AuditEntry[];
  next_cursor?: string | null;
}

/** What a provider has free. */
export interface Availability {
  cpu_cores: Amount;
  memory_bytes: Amount;
  storage_bytes: StorageAvailability;
  gpus: Amount;
}

/** The bids for a workload whose owner chooses, in the order in which they would be taken; none for any other. */
export interface BidList {
  deployment_id: string;
  choice?: ChoiceState | null;
  groups: number;
  max_price?: string | null;
  updated_at?: string | null;
  bids?: OfferedBid[];
}

/** Why a wallet is blocked or unblocked. */
export interface BlockRequest {
  reason: string;
}

/** One budget. */
export interface BudgetView {
  name: string;
  unit: Unit;
  limit: string;
  used: string;
  open: string;
  left: string;
  resets_at: string | null;
}

/** All budgets of this installation. */
export interface BudgetsAnswer {
  budgets: BudgetView[];
}

/** New ceilings by name; null goes back to the template's parameter. */
export type BudgetsChange = Record<string, string | number | null>;

/** A build with all that came of it. `code`, `abi`, `audit_report` and `costs` are in a build's own answer, not in lists. `bytecode_hash` is the Keccak-256 hash of the creation code with its arguments, as it was audited. `total_cost` is in whole units of the chains' currency, `total_cost_wei` the same exactly; both are null where the chains' currencies differ. `not_honoured` is what of the request the contract does not have (only where `strict` is false), `assumed` what was chosen where the request left it open, and `powers` who can do what to holders. */
export interface BuildDetail {
  build_id: string;
  status: BuildsStatus;
  prompt: string;
  chains: ChainTarget[];
  template: string | null;
  options?: Record<string, unknown> | null;
  created_at: string;
  updated_at: string;
  completed_at?: string | null;
  progress: number;
  step: string;
  sequence: number;
  stream_url?: string | null;
  code?: string | null;
  audit_report?: Record<string, unknown> | null;
  abi?: Record<string, unknown>[] | null;
  bytecode_hash?: string | null;
  costs?: ChainCost[] | null;
  deployments?: ChainDeployment[] | null;
  engine?: string | null;
  usage?: ModelUsage | null;
  kind?: string | null;
  title?: string | null;
  contract_name?: string | null;
  constructor_arguments?: ConstructorArgument[] | null;
  effective_options?: Record<string, unknown> | null;
  assumed?: string[];
  not_honoured?: NotHonoured[];
  powers?: string[];
  strict?: boolean;
  signer?: "slipway" | "wallet";
  generation_time?: number | null;
  audit_time?: number | null;
  deploy_time?: number | null;
  total_cost?: number | null;
  total_cost_wei?: string | null;
  gas_used?: string | null;
  error?: string | null;
  error_code?: string | null;
  error_details?: Record<string, unknown> | null;
}

/** A page of a caller's builds, newest first. `total` counts all that match. */
export interface BuildList {
  builds: BuildDetail[];
  total: number;
  page: number;
  page_size: number;
}

/** Why a build of the same request would be refused. */
export interface BuildRefusal {
  code: string;
  message: string;
}

/** A contract is to be written, audited and deployed. `options` take precedence over the prompt. */
export interface BuildRequest {
  prompt: string;
  chains: number[];
  template?: string | null;
  options?: Record<string, unknown> | null;
  auth_token?: string | null;
}

/** A build that was accepted. `estimated_time` is in seconds; `stream_url` is where its progress is sent. */
export interface BuildResponse {
  build_id: string;
  status: BuildsStatus;
  created_at: string;
  estimated_time: number;
  stream_url?: string | null;
}

/** Where a build stands, in the words of specification 003, and `cancelled`. */
export type BuildsStatus = "pending" | "generating" | "auditing" | "deploying" | "complete" | "failed" | "cancelled";

/** A build was cancelled; nothing of it is sent to a chain any more. */
export interface Cancelled {
  status: "cancelled";
}

/** What the deployment on a chain cost, in wei of its currency; a decimal text. */
export interface ChainCost {
  chain_id: number;
  currency: string;
  cost: string;
}

/** A build's deployment on one chain. `cost` is in wei, `gas_used` in units of gas, both decimal texts. `explorer_url` shows the transaction, `explorer_contract_url` the contract; both are null without an explorer. `transaction` is there where the caller's wallet signs, once the audit passed and until the contract is there. */
export interface ChainDeployment {
  chain_id: number;
  chain_name: string;
  status: ChainStatus;
  address?: string | null;
  tx_hash?: string | null;
  block_number?: number | null;
  gas_used?: string | null;
  cost?: string | null;
  currency?: string | null;
  error?: string | null;
  error_code?: string | null;
  explorer_url?: string | null;
  explorer_contract_url?: string | null;
  constructor_arguments_encoded?: string | null;
  snippets?: Snippets | null;
  verification?: Verification | null;
  transaction?: UnsignedCreation | null;
}

/** Where a build's deployment on one chain stands. */
export type ChainStatus = "pending" | "signed" | "broadcast" | "deployed" | "failed" | "cancelled";

/** A chain that a build is for. */
export interface ChainTarget {
  chain_id: number;
  chain_name: string;
  testnet?: boolean;
}

/** How the owner's choice among the bids stands. */
export interface ChoiceState {
  status: "awaiting_bids" | "awaiting_choice" | "chosen" | "over";
  until?: string | null;
  unchosen?: "best" | "close";
  by?: "owner" | "deadline" | null;
}

/** The bids to take. */
export interface ChooseBidsRequest {
  providers: string[];
  price?: number | string | null;
}

/** The code that came by e-mail. */
export interface Confirmation {
  code: string;
}

/** One argument of the constructor, in its order. Numbers are decimal texts, bytes are hexadecimal with 0x, addresses have their EIP-55 form. A value that is none of its type is refused, whichever engine wrote it. */
export interface ConstructorArgument {
  name: string;
  type: "address" | "address[]" | "uint256" | "string" | "bytes32";
  value: string | string[];
}

/** A container that a worker runs, and all ports that it publishes, as Docker writes them. */
export interface Container {
  containerName: string;
  port: string;
}

/** A container that a worker runs, and its ports as Docker writes them. */
export interface ContainerView {
  containerName: string;
  port: string;
}

/** What a workload costs. */
export interface Cost {
  price_per_block: Money;
  burn_per_hour: Money;
  burn_per_day: Money;
  spent: Money;
  balance: Money;
  deposited: Money;
  runway_seconds: number | null;
  escrow_state: string | null;
  settled_at_block: number | null;
  estimate: boolean;
}

/** What all of them cost in one day (UTC), by chain. */
export interface DayGas {
  date: string;
  costs: GasCost[];
}

/** How much of a UTC day, so far as it lies in the window and has passed since the enrolment, the worker was up. `percent` is None for a day before the enrolment. */
export interface DayView {
  date: string;
  percent: number | null;
}

/** The latest deliveries, newest first. */
export interface DeliveryList {
  deliveries: DeliveryView[];
}

/** A message of the last seven days and the tries to deliver it. */
export interface DeliveryView {
  id: string;
  type: string;
  attempts: AttemptView[];
}

/** More deployments of a build were accepted. `chains` are those that are now being deployed to. */
export interface DeployAnswer {
  build_id: string;
  status: BuildsStatus;
  chains: number[];
  deployments: ChainDeployment[];
  stream_url?: string | null;
}

/** Chains to deploy to, as a bare list of their ids. */
export type DeployRequest = number[];

/** A launch that was accepted. `estimated_confirmation_time` is in seconds, `estimated_gas_cost` in wei. */
export interface DeployTokenAnswer {
  success: true;
  deployment_id: string;
  kind: "token";
  model_id: string;
  estimated_confirmation_time: number;
  estimated_gas_cost: string;
  currency: string;
  chain_id: number;
  status_url: string;
}

/** A token for a validated model. `auth_token` stands in for the Authorization header. Of `initial_supply` each of `allocations` is given its amount, and the caller the rest. The caller is steward of the token and may later mint up to `max_supply`; without one, nothing is minted after the initial supply. */
export interface DeployTokenRequest {
  model_id: string;
  user_address: string;
  token_name?: string | null;
  token_symbol?: string | null;
  initial_supply?: string | null;
  max_supply?: string | null;
  allocations?: Allocation[] | null;
  auth_token?: string | null;
}

/** A workload that was accepted. */
export interface DeployWorkloadAnswer {
  success: true;
  deployment_id: string;
  kind: "akash";
  status: "pending";
  services: string[];
  deposit: string;
  currency: "USD";
  status_url: string;
}

/** A workload for Akash. `auth_token` stands in for the Authorization header. */
export interface DeployWorkloadRequest {
  sdl: string;
  deposit?: string | null;
  preferences?: Preferences;
  name?: string | null;
  choose_bid?: boolean;
  choose_within_seconds?: number | null;
  unchosen?: "best" | "close";
  auth_token?: string | null;
}

/** A deployment with everything Slipway knows of it; `open` is what the chain has not settled yet. `controller` owns the token; `steward` is the wallet that may mint up to `max_supply`, as last seen on chain. */
export interface DeploymentDetail {
  kind: "token";
  deployment_id: string;
  chain_id: number;
  status: TokensStatus;
  model_id: string;
  token_address?: string | null;
  token_name?: string | null;
  token_symbol?: string | null;
  deployment_tx_hash?: string | null;
  registry_tx_hash?: string | null;
  allocation_tx_hash?: string | null;
  initial_supply?: string | null;
  max_supply?: string | null;
  block_number?: number | null;
  explorer_url?: string | null;
  gas_used?: string | null;
  gas_price?: string | null;
  total_cost?: string | null;
  currency?: string | null;
  verification?: Verification | null;
  error?: DeploymentError | null;
  created_at: string;
  updated_at: string;
  user_address: string;
  controller?: string | null;
  steward?: string | null;
  allocations?: Allocation[];
  model?: Record<string, unknown> | null;
  estimated_gas_cost?: string | null;
  transactions?: TransactionDetail[];
  open?: OpenTransaction[];
  events?: EventDetail[];
}

/** A page of deployments, newest first; a page may be short, and still have a next one. */
export interface DeploymentEntries {
  deployments: DeploymentEntry[];
  next_cursor?: string | null;
}

/** A deployment as administrators see it in a list; `model_id` and `token_address` are a token's. */
export interface DeploymentEntry {
  kind: "token" | "akash";
  deployment_id: string;
  user_address: string;
  status: string;
  model_id: string | null;
  token_address: string | null;
  error_code: string | null;
  created_at: string;
  updated_at: string;
}

/** How a launch failed. */
export interface DeploymentError {
  code: string;
  message: string;
  transaction_hash?: string | null;
}

/** Specification 004's status body; fields are left out until they are known, in lists and details too. `verification` is that of the token's source, once the launch is completed. Costs are in wei of `currency`. */
export interface DeploymentStatus {
  kind: "token";
  deployment_id: string;
  chain_id: number;
  status: TokensStatus;
  model_id: string;
  token_address?: string | null;
  token_name?: string | null;
  token_symbol?: string | null;
  deployment_tx_hash?: string | null;
  registry_tx_hash?: string | null;
  allocation_tx_hash?: string | null;
  initial_supply?: string | null;
  max_supply?: string | null;
  block_number?: number | null;
  explorer_url?: string | null;
  gas_used?: string | null;
  gas_price?: string | null;
  total_cost?: string | null;
  currency?: string | null;
  verification?: Verification | null;
  error?: DeploymentError | null;
  created_at: string;
  updated_at: string;
}

/** A deployment in a list. */
export interface DeploymentSummary {
  kind: "token";
  deployment_id: string;
  chain_id: number;
  status: TokensStatus;
  model_id: string;
  token_address?: string | null;
  token_name?: string | null;
  token_symbol?: string | null;
  deployment_tx_hash?: string | null;
  registry_tx_hash?: string | null;
  allocation_tx_hash?: string | null;
  initial_supply?: string | null;
  max_supply?: string | null;
  block_number?: number | null;
  explorer_url?: string | null;
  gas_used?: string | null;
  gas_price?: string | null;
  total_cost?: string | null;
  currency?: string | null;
  verification?: Verification | null;
  error?: DeploymentError | null;
  created_at: string;
  updated_at: string;
}

/** Transactions to send in this order. `permit` is None where the token has none or did not answer in time, and when one was given. */
export interface DepositAnswer {
  job_id: string;
  amount: string;
  transactions: UnsignedTransaction[];
  permit?: PermitOffer | null;
  chain_id: number;
  currency: "USD";
}

/** One look for the node's forwarded port. */
export interface DiscoveryTry {
  count: number;
  at: string;
  outcome: "attempt" | "success" | "failure";
  cause?: string | null;
}

/** Nothing: a worker is enrolled for the wallet that signed in. */
export type EnrolRequest = Record<string, unknown>;

/** A code that is exchanged for the worker's token, once and until `expires_at`, and a command that does so. */
export interface EnrolmentAnswer {
  wallet: string;
  enrolment_code: string;
  expires_at: string;
  setup_command: string;
}

/** Every refusal. The request id finds the request in the logs and in the audit trail. */
export interface ErrorEnvelope {
  success: false;
  error: {
  code: string;
  message: string;
  details?: Record<string, unknown>;
};
  request_id: string;
}

/** What the chain knows of a wallet's deposits for a job, all as of one block. `refundable` is deposited less released, refunded and reserved. A reservation ends at `reserved_until`. */
export interface EscrowAnswer {
  job_id: string;
  wallet: string;
  chain_id: number;
  escrow: string;
  token: string;
  decimals: number;
  currency: "USD";
  deposited: string;
  released: string;
  refunded: string;
  reserved: string;
  reserved_until: string | null;
  refundable: string;
  balance: string;
  allowance: string;
  block_number: number;
}

/** A deposit for a job. With `permit` it takes one transaction, else an approval may have to come first. */
export interface EscrowDepositRequest {
  job_id: string;
  amount: string;
  permit?: Permit | null;
}

/** What a launch would cost and take. `gas` covers all of its transactions; fees and costs are in wei. */
export interface EstimateAnswer {
  kind: "token";
  model_id: string;
  token_name: string;
  token_symbol: string;
  initial_supply?: string | null;
  max_supply?: string | null;
  gas: number | null;
  max_fee_per_gas: string | null;
  max_priority_fee_per_gas: string | null;
  fee_cap: string;
  estimated_gas_cost: string | null;
  payer: "account";
  most_cost: string | null;
  expected_cost: string | null;
  currency: string;
  chain: number;
  estimated_confirmation_time: number;
  refusals: Refusal[];
}

/** One thing that happened to a job. */
export interface EventDetail {
  event: string;
  message: string;
  data?: Record<string, unknown> | null;
  created_at: string;
}

/** The enrolment code. */
export interface ExchangeRequest {
  enrolment_code: string;
}

/** How busy the machine is, in whole percent. */
export interface Figures {
  cpu_percent: number;
  memory_percent: number;
  disk_percent: number;
}

/** How busy a worker's machine was at its last beat, in whole percent. */
export interface FiguresView {
  cpu_percent: number;
  memory_percent: number;
  disk_percent: number;
}

/** A worker's days of a list, and the share of all of them that was observed; None when nothing of it counts. */
export interface FleetUptime {
  days: DayView[];
  percent: number | null;
}

/** What a message is: Standard Webhooks, what Slack's or Discord's incoming webhooks take, or a mail. */
export type Format = "standard" | "slack" | "discord" | "email";

/** What users' jobs cost on chains, of transactions signed within a span. */
export interface GasAnswer {
  since: string;
  until: string;
  wallets: WalletGas[];
  days: DayGas[];
  transactions: GasTransaction[];
  truncated: boolean;
}

/** What was spent on one chain: `cost` is a decimal string in wei of `currency`, `gas_used` units of gas. `currency` is null for a chain that this installation has no more. */
export interface GasCost {
  chain_id: number;
  currency: string | null;
  transactions: number;
  gas_used: string;
  cost: string;
}

/** What a contract's creation is estimated to use on a chain. `cost` is in wei at the chain's present fees, a decimal text, and null while no node of the chain answers. */
export interface GasEstimate {
  chain_id: number;
  gas: number;
  cost: string | null;
  currency: string;
}

/** One transaction. `job_id` is the launch, the workload or the build that it served. */
export interface GasTransaction {
  at: string;
  wallet: string;
  kind: "token" | "akash" | "build";
  job_id: string;
  purpose: string;
  chain_id: number;
  currency: string | null;
  gas_used: string;
  cost: string;
  transaction_hash: string;
  explorer_url: string | null;
}

/** What one GPU costs an hour on the network, decimal strings in US dollars; None where no provider offers one. */
export interface GpuHourlyPrice {
  vendor: string;
  model: string;
  ram: string | null;
  interface: string | null;
  min: string | null;
  max: string | null;
  average: string | null;
  weighted_average: string | null;
  median: string | null;
}

/** A GPU model of a provider; `count` is None where the provider has several models and reports only their sum. */
export interface GpuSpec {
  vendor: string;
  model: string;
  ram: string | null;
  interface: string | null;
  count: number | null;
}

/** What the last probe of a published node found. */
export interface Health {
  probed_at: string;
  answers: boolean;
  failures: number;
  block_count?: number | null;
  peers?: number | null;
  reason?: string | null;
  withdrawn_at?: string | null;
}

/** The API answers. */
export interface Healthy {
  status: "ok";
}

/** What a worker says: its wallet, the time (ISO 8601, at most 5 minutes ahead and 24 hours old), what it runs. `boot_id` names the running system that sends it, by which a cloned machine is noticed. */
export interface Heartbeat {
  walletAddress: string;
  timestamp: string;
  containers: Container[];
  boot_id?: string | null;
  figures?: Figures | null;
}

/** The heartbeat counts. `clock_offset_seconds` is how far the worker's clock is ahead, and null for a heartbeat over ten minutes old. */
export interface HeartbeatAnswer {
  success: true;
  clock_offset_seconds: number | null;
}

/** What is being done to a stack, or was last. */
export interface JobDetail {
  job_id: string;
  operation: Operation;
  generation: number;
  started_at: string;
  ended_at?: string | null;
}

/** A new API key. */
export interface KeyAnswer {
  id: string;
  name: string;
  scopes: ("admin:read" | "admin:write" | "admin:*" | "builds:read" | "builds:write" | "builds:*" | "deployments:read" | "deployments:write" | "deployments:*" | "escrow:read" | "escrow:write" | "escrow:*" | "models:read" | "models:write" | "models:*" | "payments:read" | "payments:write" | "payments:*" | "projects:read" | "projects:write" | "projects:*" | "stacks:read" | "stacks:write" | "stacks:*" | "tokens:read" | "tokens:write" | "tokens:*" | "webhooks:read" | "webhooks:write" | "webhooks:*" | "workers:read" | "workers:write" | "workers:*")[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  key: string;
}

/** An API key as its owner sees it; the key itself is shown once, when it is made. */
export interface KeyFacts {
  id: string;
  name: string;
  scopes: ("admin:read" | "admin:write" | "admin:*" | "builds:read" | "builds:write" | "builds:*" | "deployments:read" | "deployments:write" | "deployments:*" | "escrow:read" | "escrow:write" | "escrow:*" | "models:read" | "models:write" | "models:*" | "payments:read" | "payments:write" | "payments:*" | "projects:read" | "projects:write" | "projects:*" | "stacks:read" | "stacks:write" | "stacks:*" | "tokens:read" | "tokens:write" | "tokens:*" | "webhooks:read" | "webhooks:write" | "webhooks:*" | "workers:read" | "workers:write" | "workers:*")[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

/** All API keys of the caller's wallet that were not deleted, oldest first. */
export interface KeyList {
  keys: KeyFacts[];
}

/** An API key to make. `expires_at` is a moment in the future; without one the key does not expire. */
export interface KeyRequest {
  name: string;
  scopes: ("admin:read" | "admin:write" | "admin:*" | "builds:read" | "builds:write" | "builds:*" | "deployments:read" | "deployments:write" | "deployments:*" | "escrow:read" | "escrow:write" | "escrow:*" | "models:read" | "models:write" | "models:*" | "payments:read" | "payments:write" | "payments:*" | "projects:read" | "projects:write" | "projects:*" | "stacks:read" | "stacks:write" | "stacks:*" | "tokens:read" | "tokens:write" | "tokens:*" | "webhooks:read" | "webhooks:write" | "webhooks:*" | "workers:read" | "workers:write" | "workers:*")[];
  expires_at?: string | null;
}

/** Which of an environment's two stacks. */
export type Kind = "node" | "api";

/** One provider's part of a workload. `price` is uact a block; `gpu` is what its bid offered. */
export interface LeaseDetail {
  dseq: string;
  gseq: number;
  oseq: number;
  provider: string;
  price: string;
  usd_per_hour: string;
  gpu?: string | null;
  host?: string | null;
}

/** The limits of each tier as they hold, and those of wallets that have limits of their own. */
export interface LimitsAnswer {
  tiers: Record<string, Record<string, Record<string, number>>>;
  wallets: Record<string, Record<string, Record<string, number>>>;
}

/** New limits of tiers and wallets by name and span; null goes back to the template's, or to the tier's. */
export interface LimitsChange {
  tiers?: Record<string, Record<string, Record<string, number> | null> | null>;
  wallets?: Record<string, Record<string, Record<string, number> | null> | null>;
}

/** The wallet that an external issuer's user has proved to be theirs. */
export interface LinkAnswer {
  issuer: string;
  subject: string;
  wallet: string;
}

/** A lease: `active`, `insufficient_funds` or `closed`. `reachable` is whether its provider answered. */
export interface LiveLease {
  provider: string;
  gseq: number;
  oseq: number;
  state: string;
  price_per_block: Money;
  reachable: boolean;
}

/** A service by its name, with its ports. */
export interface LiveService {
  available: number;
  total: number;
  uris?: string[];
  name: string;
  ports: Port[];
  ips: Port[];
}

/** What Akash reported of a workload, and how long ago. */
export interface LiveStatus {
  as_of?: string | null;
  age_seconds?: number | null;
  stale?: boolean;
  state?: string | null;
  leases?: LiveLease[];
  services?: LiveService[] | null;
  cost?: Cost | null;
}

/** What is known of a worker: `new` until a beat arrives after its enrolment, then what its silence says. */
export type Liveness = "new" | "healthy" | "late" | "down" | "retired";

/** Which sessions have ended. */
export interface LogoutAnswer {
  ended: "session" | "everywhere";
}

/** The session's refresh token; `everywhere` ends all sessions of its wallet. */
export interface LogoutRequest {
  refresh_token: string;
  everywhere?: boolean;
}

/** How a service did between two moments. Durations in seconds, cost a decimal string in wei of `currency`. `success_rate` is None when nothing ended. Launches that were refused at the request are in the audit trail only. */
export interface MetricsAnswer {
  service: string;
  since: string;
  until: string;
  completed: number;
  failed: number;
  success_rate: number | null;
  p50_seconds: number | null;
  p95_seconds: number | null;
  gas_used: string;
  total_cost: string;
  currency: string | null;
  chain_id: number | null;
  errors: Record<string, number>;
  in_flight: number;
  paused: boolean;
  breaker: Record<string, unknown>;
  truncated: boolean;
}

/** Transactions for the steward's wallet to send, in this order. */
export interface MintAnswer {
  transactions: UnsignedTransaction[];
}

/** What a token's steward wants minted, in whole tokens; `chain_id` is the chain that the wallet is on. */
export interface MintRequest {
  to: string;
  amount: string;
  chain_id?: number | null;
}

/** A model as the catalogue holds it. */
export interface ModelAnswer {
  owner: string;
  contributors?: string[];
  state: ModelState;
  validated_at?: string | null;
  run_id?: string | null;
  metrics?: Record<string, number>;
  improvement?: number | null;
  model_id: string;
}

/** What the catalogue stores of a model (`PUT /api/admin/models/{id}`). */
export interface ModelEntry {
  owner: string;
  contributors?: string[];
  state: ModelState;
  validated_at?: string | null;
  run_id?: string | null;
  metrics?: Record<string, number>;
  improvement?: number | null;
}

/** A page of models by their ids; `next_cursor` is None on the last one. */
export interface ModelPage {
  models: ModelView[];
  next_cursor?: string | null;
}

/** How far a model is with its validation. */
export type ModelState = "registered" | "validated" | "rejected";

/** The token of a model, once it is on chain; `deployment_id` is its launch. */
export interface ModelToken {
  address: string;
  symbol: string;
  deployment_id: string;
}

/** What of a language model was used: all calls that were answered, whether the answers were of use or not. `prompt` is what was sent beside our standing instructions, `calls` how often it was asked. `cost` is in US dollars, a decimal text, and None where the installation does not know the model's prices. */
export interface ModelUsage {
  model_id: string;
  prompt: string;
  calls: number;
  input_tokens: number;
  output_tokens: number;
  cost: string | null;
}

/** A model as its owner and its contributors see it. */
export interface ModelView {
  model_id: string;
  owner: string | null;
  contributors: string[];
  state: ModelState;
  validated_at: string | null;
  metrics: Record<string, number>;
  token: ModelToken | null;
  refusals: Refusal[];
}

/** An amount in the chain's unit (uact, a millionth of an ACT), and in US dollars where the unit has a price. */
export interface Money {
  amount: string;
  unit: string;
  usd: string | null;
}

/** A payment to record. `creator` is the caller's wallet, whether it is given or not. */
export interface NewPayment {
  name: string;
  amount: string;
  creator?: string | null;
}

/** A project to record. Specification 001 also calls `name` app_name and `github` github_repo; either is taken. `creator` is the caller's wallet, whether it is given or not. */
export interface NewProject {
  name: string;
  github: string;
  port?: number;
  replicas?: number;
  url?: string | null;
  creator?: string | null;
}

/** What the node gets. `data` is the persistent volume that holds the ledger. */
export interface NodeResources {
  cpu?: string;
  memory?: string;
  storage?: string;
  data?: string;
}

/** What a node stack shall be. Everything has a default. */
export interface NodeSpec {
  image?: string | null;
  env?: Record<string, string>;
  resources?: NodeResources;
  preferences?: Preferences;
  keep?: boolean;
  restart?: "never" | "on_failure";
}

/** A value to put in a sign-in message, good once and for five minutes, and a chain that it may name. */
export interface NonceAnswer {
  nonce: string;
  chain_id: number;
}

/** A part of the request that the contract does not have, in the request's words, and why. */
export interface NotHonoured {
  text: string;
  reason: string;
}

/** What a workload's providers reported of it, and when. */
export interface Observation {
  observed_at: string;
  services?: Record<string, ServiceState>;
  forwarded_ports?: Record<string, Port[]>;
  ips?: Record<string, Port[]>;
}

/** A provider's bid. `price` is uact a block, `uptime` a share from 0 to 1 of the last week, None where unknown. */
export interface OfferedBid {
  provider: string;
  name?: string | null;
  group: number;
  price: string;
  usd_per_hour: string;
  usd_per_month: string;
  region?: string | null;
  country?: string | null;
  uptime?: number | null;
  audited: boolean;
  gpu?: string | null;
  acceptable: boolean;
  why_not?: string | null;
  chosen?: boolean;
}

/** A transaction that is signed and not settled: it may still be mined, and until then later ones have to wait. `refusal` is why no node takes it at present, in a node's words. */
export interface OpenTransaction {
  purpose: "deploy" | "register" | "distribute";
  signer: string;
  nonce: number;
  transaction_hash: string;
  refusal?: string | null;
}

/** What a job does to a stack. `FOLLOW` rolls an API stack after its node. */
export type Operation = "deploy" | "update" | "restart" | "follow" | "delete";

/** A page of deployments, newest first; `next_cursor` is None on the last one. */
export interface Page {
  deployments: (DeploymentSummary | WorkloadSummary)[];
  next_cursor?: string | null;
}

/** What else can be changed; null takes a name away. */
export interface PatchWorkloadRequest {
  name?: string | null;
  auto_top_up?: boolean;
}

/** Why a service is paused or resumed; refused callers read it. */
export interface PauseRequest {
  reason: string;
}

/** A workload that was accepted and waits for the deposit of the caller, who pays for it. */
export interface PayWorkloadAnswer {
  success: true;
  deployment_id: string;
  kind: "akash";
  status: "pending";
  services: string[];
  deposit: string;
  currency: "USD";
  status_url: string;
  payment: PaymentAnswer;
}

/** A payment. `amount` is exactly what was given. */
export interface Payment {
  id: string;
  name: string;
  amount: string;
  creator: string;
  createdAt: string;
}

/** What the caller's wallet has to send before the workload is created. */
export interface PaymentAnswer {
  status: "awaiting_deposit";
  job_id: string;
  amount: string;
  currency: "USD";
  chain_id: number;
  expires_at: string;
  transactions: UnsignedTransaction[];
}

/** Payments, newest first. */
export interface PaymentPage {
  payments: Payment[];
  next_cursor?: string | null;
}

/** How far the payment of a workload is. Amounts are whole tokens of the escrow. */
export interface PaymentState {
  status: "awaiting_deposit" | "deposited" | "reserving" | "reserved" | "settling" | "settled";
  amount: string;
  reserved?: string | null;
  released?: string;
  most_per_hour?: string | null;
  currency: "USD";
  chain_id?: number | null;
  expires_at: string;
  spent?: string | null;
}

/** A signature of the typed data that an earlier answer gave (EIP-2612); `deadline` in seconds since 1970. */
export interface Permit {
  deadline: number;
  signature: string;
}

/** Typed data to sign (EIP-712, `eth_signTypedData_v4`), by which the deposit takes one transaction. */
export interface PermitOffer {
  deadline: number;
  typed_data: Record<string, unknown>;
}

/** `external_port` of a provider's host, or of an IP address of its own, that leads to a container's `port`. `host` is None where the provider does not report it. Those stored before 2026-11-29 may have it as `ip`. */
export interface Port {
  host: string | null;
  port: number;
  external_port: number;
  protocol: string;
}

/** What the caller wants of a provider; whatever is left out does not matter. Case does not matter anywhere. */
export interface Preferences {
  region?: string | null;
  gpuType?: string | null;
  maxPrice?: number | string | null;
  providers?: string[];
  auditedOnly?: boolean;
}

/** What a prompt would become; nothing was written. `refusals` is empty when a build would be accepted. `kind`, `title`, `source` and `options` are those of the contract as far as the request can be honoured. */
export interface Preview {
  kind: string | null;
  title: string;
  contract_name?: string | null;
  options: Record<string, unknown>;
  assumed: string[];
  not_honoured: NotHonoured[];
  powers: string[];
  source: string;
  constructor_arguments?: ConstructorArgument[];
  gas: GasEstimate[];
  refusals: BuildRefusal[];
}

/** What would a prompt become? `chains` are those whose gas is wanted, if any. */
export interface PreviewRequest {
  prompt: string;
  chains?: number[];
  template?: string | null;
  options?: Record<string, unknown> | null;
  auth_token?: string | null;
}

/** What a workload may cost there: an estimate from the network's prices, for providers name theirs only in bids. `hourly` is what `maxPrice` is compared with: the cheapest of the GPUs that were asked for (or that the provider has), or the standard unit where it has none; None where unknown. */
export interface Pricing {
  currency: "USD";
  estimate: true;
  hourly: string | null;
  gpus: GpuHourlyPrice[];
  standard_unit: UnitPrice | null;
}

/** A project. `url` is None until a request sets it. */
export interface Project {
  id: string;
  name: string;
  url: string | null;
  port: number;
  status: ProjectStatus;
  github: string;
  replicas: number;
  creator: string;
  createdAt: string;
}

/** Projects, newest first; with a filter a page may be short, or empty, and still have a `next_cursor`. */
export interface ProjectPage {
  deployments: Project[];
  next_cursor?: string | null;
}

/** Where a project stands. */
export type ProjectStatus = "pending" | "processing" | "success" | "failed";

/** One provider. */
export interface ProviderEntry {
  address: string;
  name: string | null;
  organization: string | null;
  host_uri: string | null;
  region: string | null;
  country: string | null;
  country_code: string | null;
  city: string | null;
  online: boolean;
  audited: boolean;
  specs: Specs;
  availability: Availability;
  uptime: Uptime;
  pricing: Pricing;
}

/** A page of providers by name, and how old the list is. `total` counts all that match. */
export interface ProviderPage {
  providers: ProviderEntry[];
  total: number;
  next_cursor?: string | null;
  as_of: string;
  cached_age_seconds: number;
  stale: boolean;
  prices_as_of: string | null;
}

/** A refresh token, which is used up: the answer has the next one. */
export interface RefreshRequest {
  refresh_token: string;
}

/** The transaction that gives back what is unspent; `amount` is what that would be now. */
export interface RefundAnswer {
  job_id: string;
  amount: string;
  transactions: UnsignedTransaction[];
  chain_id: number;
  currency: "USD";
}

/** Why a request would be refused now. */
export interface Refusal {
  code: string;
  message: string;
}

/** The SDL of a workload. Unless it is `revealed`, what looks secret is masked and comments are left out. */
export interface SdlAnswer {
  deployment_id: string;
  sdl: string;
  revealed: boolean;
}

/** A new secret; the one before signs as well for 24 hours. */
export interface SecretAnswer {
  secret: string;
}

/** A service over time, oldest point first; `truncated` where it had more ends of jobs than are counted. */
export interface SeriesAnswer {
  service: string;
  since: string;
  until: string;
  step: Step;
  currency: string | null;
  chain_id: number | null;
  points: SeriesPoint[];
  truncated: boolean;
}

/** What happened from `at` on, for the length of a step. */
export interface SeriesPoint {
  at: string;
  requests: number | null;
  server_errors: number | null;
  p50_milliseconds: number | null;
  p95_milliseconds: number | null;
  completed: number;
  failed: number;
  success_rate: number | null;
  p50_seconds: number | null;
  p95_seconds: number | null;
  gas_used: string;
  total_cost: string;
}

/** How many replicas of a service are available, and where it is reached. */
export interface ServiceState {
  available: number;
  total: number;
  uris?: string[];
}

/** The first and the last beat of a session. */
export interface SessionView {
  timeFrom: string;
  timeTo: string;
}

/** Programs that read the contract; each wants its ABI in `abi.json` and a node's address in `RPC_URL`. */
export interface Snippets {
  viem: string;
  web3_py: string;
}

/** What a provider has in all. */
export interface Specs {
  cpu_cores: number | null;
  memory_bytes: number | null;
  storage_bytes: number | null;
  gpu_count: number | null;
  gpus: GpuSpec[];
}

/** A stack. */
export interface StackAnswer {
  environment: string;
  kind: Kind;
  status: StacksStatus;
  generation: number;
  spec: Record<string, unknown>;
  job: JobDetail;
  deployment_id?: string | null;
  dseq?: string | null;
  provider?: string | null;
  uris?: string[];
  endpoint?: string | null;
  stale_endpoint?: boolean | null;
  discovery?: DiscoveryTry[];
  node_version?: string | null;
  health?: Health | null;
  error?: StackError | null;
  unchanged?: boolean | null;
  created_at: string;
  updated_at: string;
}

/** A stack with its events, oldest first, the last two hundred. */
export interface StackDetail {
  environment: string;
  kind: Kind;
  status: StacksStatus;
  generation: number;
  spec: Record<string, unknown>;
  job: JobDetail;
  deployment_id?: string | null;
  dseq?: string | null;
  provider?: string | null;
  uris?: string[];
  endpoint?: string | null;
  stale_endpoint?: boolean | null;
  discovery?: DiscoveryTry[];
  node_version?: string | null;
  health?: Health | null;
  error?: StackError | null;
  unchanged?: boolean | null;
  created_at: string;
  updated_at: string;
  events?: EventDetail[];
}

/** Why the last job failed. */
export interface StackError {
  code: string;
  message: string;
}

/** A page of all environments' stacks, the one made last first. It may be short and have a `next_cursor`. */
export interface StackPage {
  stacks: StackSummary[];
  next_cursor?: string | null;
}

/** A stack in a list; `cost` is None while it is not known. */
export interface StackSummary {
  environment: string;
  kind: Kind;
  status: StacksStatus;
  generation: number;
  spec: Record<string, unknown>;
  job: JobDetail;
  deployment_id?: string | null;
  dseq?: string | null;
  provider?: string | null;
  uris?: string[];
  endpoint?: string | null;
  stale_endpoint?: boolean | null;
  discovery?: DiscoveryTry[];
  node_version?: string | null;
  health?: Health | null;
  error?: StackError | null;
  unchanged?: boolean | null;
  created_at: string;
  updated_at: string;
  cost?: Cost | null;
}

/** Where a stack stands. */
export type StacksStatus = "deploying" | "active" | "failed" | "deleting" | "deleted";

/** What an administrator decided about a wallet. */
export interface StandingAnswer {
  wallet: string;
  blocked: boolean;
  reason: string | null;
  changed_by: string | null;
  changed_at: string | null;
}

/** Where a build stands, in the words of specification 003, and `cancelled`. */
export type StatusInput = "pending" | "generating" | "auditing" | "deploying" | "complete" | "failed" | "cancelled";

/** Where a project has got to, and where it can be reached if that is known now. */
export interface StatusChange {
  status: ProjectStatus;
  url?: string | null;
}

/** How long each point of a series is, in UTC. */
export type Step = "hour" | "day";

/** Bytes by kind of storage. */
export interface StorageAvailability {
  ephemeral: Amount;
  persistent: Amount;
}

/** A service's switch as it is now. */
export interface SwitchAnswer {
  service: string;
  paused: boolean;
  reason: string | null;
  changed_by: string;
  changed_at: string;
}

/** The id of the test message that is on its way. */
export interface TestAnswer {
  id: string;
}

/** Opens a build's stream once, within `expires_in` seconds, as `?ticket=`. */
export interface Ticket {
  ticket: string;
  expires_in: number;
  stream_url?: string | null;
}

/** One of the transactions that made a token. */
export interface TokenTransaction {
  purpose: "deploy" | "register" | "distribute";
  transaction_hash: string;
  block_number: number;
  explorer_url: string | null;
}

/** A launched token. Supplies are whole tokens as decimal text. */
export interface TokenView {
  address: string;
  chain_id: number;
  model_id: string;
  name: string;
  symbol: string;
  decimals: number;
  total_supply: string | null;
  max_supply: string | null;
  steward: string | null;
  owner: string | null;
  transactions: TokenTransaction[];
  verification: Verification;
  explorer_url: string | null;
  wallet_asset: WalletAsset;
}

/** Where a token's launch stands. */
export type TokensStatus = "pending" | "deploying" | "registering" | "completed" | "failed";

/** One of a launch's transactions. `gas_price` is the effective price, `cost` what it paid, in wei. */
export interface TransactionDetail {
  purpose: "deploy" | "register" | "distribute";
  transaction_hash: string;
  block_number?: number | null;
  gas_used?: string | null;
  gas_price?: string | null;
  cost?: string | null;
  currency?: string | null;
  chain_id: number;
  explorer_url?: string | null;
}

/** In what a budget is counted. */
export type Unit = "USD" | "USD/hour" | "wei";

/** What a standard unit costs on the network, decimal strings in US dollars. */
export interface UnitPrice {
  cpu_cores: number;
  memory_bytes: number;
  storage_bytes: number;
  hourly: string;
  monthly: string;
  estimate: true;
}

/** The creation of a contract that lacks nonce, fees and signature, in the forms that wallets and libraries take. `value` is a hexadecimal quantity in wei, `gas` a limit with head-room. */
export interface UnsignedCreation {
  data: string;
  value?: string;
  chainId: number;
  gas: number;
  description: string;
}

/** A call of a contract, likewise. */
export interface UnsignedTransaction {
  data: string;
  value?: string;
  chainId: number;
  gas: number;
  description: string;
  to: string;
}

/** Another SDL for a running workload. `replace` allows to close its lease and take another where it has to be. */
export interface UpdateWorkloadRequest {
  sdl: string;
  replace?: boolean;
}

/** Shares from 0 to 1 of the last day, week and month; None where unknown. */
export interface Uptime {
  "1d": number | null;
  "7d": number | null;
  "30d": number | null;
}

/** Sessions that reach into the window, whole, oldest first, and percentages of its time since the enrolment. `percent` and `days` count what Slipway observed; `reported_percent` adds what was reported later. They are None when nothing of the window counts. */
export interface UptimeAnswer {
  records: UptimeRecordView[];
  days: DayView[];
  percent: number | null;
  reported_percent: number | null;
}

/** A session; `open` is there, and true, while further beats may lengthen it. `reported` is true when Slipway did not see more than ten minutes of it as they passed, or nothing of it. */
export interface UptimeRecordView {
  timeFrom: string;
  timeTo: string;
  reported: boolean;
  open?: true | null;
}

/** How far a verification is: `partial` is a match of the code without its metadata, `off` is nobody to ask. */
export type Verdict = "pending" | "verified" | "partial" | "failed" | "off";

/** Whether the source of a contract is verified, and where anyone can see that. */
export interface Verification {
  status: Verdict;
  urls?: string[];
}

/** An access token and the refresh token that renews it once; times are in seconds from now. */
export interface VerifyAnswer {
  access_token: string;
  token_type?: string;
  expires_in: number;
  refresh_token: string;
  refresh_expires_in: number;
}

/** A Sign-In with Ethereum message (EIP-4361) and the wallet's signature of it (EIP-191). */
export interface VerifyRequest {
  message: string;
  signature: string;
}

/** The parameters of `wallet_watchAsset` (EIP-747), which adds a token to a wallet. */
export interface WalletAsset {
  type: "ERC20";
  options: WalletAssetOptions;
}

/** What a wallet shows of a token. */
export interface WalletAssetOptions {
  address: string;
  symbol: string;
  decimals: number;
}

/** What the jobs of one wallet cost, by chain. */
export interface WalletGas {
  wallet: string;
  costs: GasCost[];
}

/** The transaction by which the caller's wallet creates the contract on a chain. */
export interface WalletTransaction {
  tx_hash: string;
}

/** A new webhook with its secret, which appears only here; an e-mail address has none. */
export interface WebhookCreated {
  id: string;
  url: string;
  events: string[];
  format: Format;
  all: boolean;
  confirmed: boolean;
  created_at: string;
  disabled_at?: string | null;
  disabled_reason?: string | null;
  secret: string | null;
}

/** A caller's webhooks, at most twenty. */
export interface WebhookList {
  webhooks: WebhookView[];
}

/** Where to send which events. */
export interface WebhookRequest {
  url: string;
  events: ("build.*" | "build.auditing" | "build.cancelled" | "build.complete" | "build.deploying" | "build.failed" | "build.generating" | "build.pending" | "deployment.*" | "deployment.active" | "deployment.closed" | "deployment.completed" | "deployment.deploying" | "deployment.error" | "deployment.failed" | "deployment.pending" | "deployment.registering" | "key.*" | "key.created" | "key.deleted" | "payment.*" | "payment.exhausted" | "payment.low" | "payment.recorded" | "project.*" | "project.failed" | "project.pending" | "project.processing" | "project.success" | "session.*" | "session.ended" | "session.reused" | "session.started" | "stack.*" | "stack.failed" | "stack.published" | "stack.withdrawn" | "worker.*" | "worker.down" | "worker.late" | "worker.up")[];
  format?: Format;
  all?: boolean;
}

/** A webhook; `disabled_reason` says why it was switched off. Only an e-mail address has to be confirmed. */
export interface WebhookView {
  id: string;
  url: string;
  events: string[];
  format: Format;
  all: boolean;
  confirmed: boolean;
  created_at: string;
  disabled_at?: string | null;
  disabled_reason?: string | null;
}

/** Whether anyone may see the worker's badge and status page. */
export interface WorkerChange {
  public: boolean;
}

/** A page of the fleet, newest enrolment first. It may be short, or empty, and still have a `next_cursor`. `uptime` has each worker's days by its wallet when `days` are asked for. */
export interface WorkerPage {
  workers: WorkerView[];
  next_cursor?: string | null;
  uptime?: Record<string, FleetUptime> | null;
}

/** The worker's token; it appears only here. */
export interface WorkerTokenAnswer {
  token: string;
}

/** A worker. `session` is None when none is open, `containers` and `figures` for callers who may not see them. `figures` is None, too, for a worker that does not send them. `last_seen` is when its last beat arrived. `clock_offset_seconds` is how far its clock was ahead then. `clone_noticed_at` is when two machines were last seen to use its token. `public` is whether it has a badge. */
export interface WorkerView {
  wallet: string;
  status: Liveness;
  last_seen: string | null;
  clock_offset_seconds: number | null;
  clone_noticed_at: string | null;
  retired_at: string | null;
  public: boolean;
  enrolled_at: string;
  session: SessionView | null;
  containers: ContainerView[] | null;
  figures: FiguresView | null;
}

/** A workload with everything that Slipway knows of it. */
export interface WorkloadDetail {
  deployment_id: string;
  kind: "akash";
  name?: string | null;
  status: AkashStatus;
  dseq?: string | null;
  provider?: string | null;
  price?: string | null;
  usd_per_hour?: string | null;
  services?: Record<string, ServiceState>;
  forwarded_ports?: Record<string, Port[]>;
  ips?: Record<string, Port[]>;
  observed_at?: string | null;
  error?: WorkloadError | null;
  close_requested_at?: string | null;
  close_reason?: string | null;
  closed_at?: string | null;
  active_at?: string | null;
  auto_top_up?: boolean;
  update_requested_at?: string | null;
  top_up?: string | null;
  final_cost?: string | null;
  currency: "USD";
  chain_id?: number | null;
  last_seen?: Observation | null;
  created_at: string;
  updated_at: string;
  payment?: PaymentState | null;
  choice?: ChoiceState | null;
  live?: LiveStatus | null;
  deposit: string;
  preferences: Record<string, unknown>;
  leases?: LeaseDetail[];
  events?: EventDetail[];
}

/** How a workload failed. */
export interface WorkloadError {
  code: string;
  message: string;
}

/** What a workload would probably cost; bids decide. `gpu_usd_per_hour` is a part of `usd_per_hour`. The prices are None where the network has none for such a GPU. */
export interface WorkloadEstimate {
  kind: "akash";
  estimate: true;
  services: string[];
  resources: WorkloadResources;
  usd_per_hour: string | null;
  usd_per_month: string | null;
  gpu_usd_per_hour: string | null;
  deposit: string;
  payer: "escrow" | "account";
  most_cost: string;
  expected_cost: string | null;
  currency: "USD";
  chain: number | null;
  refusals: Refusal[];
}

/** Everything that a workload asks for, over all replicas. */
export interface WorkloadResources {
  cpu_millicores: number;
  memory_bytes: number;
  storage_bytes: number;
  gpus: number;
}

/** Where a workload stands. Fields are None until they are known. */
export interface WorkloadStatus {
  deployment_id: string;
  kind: "akash";
  name?: string | null;
  status: AkashStatus;
  dseq?: string | null;
  provider?: string | null;
  price?: string | null;
  usd_per_hour?: string | null;
  services?: Record<string, ServiceState>;
  forwarded_ports?: Record<string, Port[]>;
  ips?: Record<string, Port[]>;
  observed_at?: string | null;
  error?: WorkloadError | null;
  close_requested_at?: string | null;
  close_reason?: string | null;
  closed_at?: string | null;
  active_at?: string | null;
  auto_top_up?: boolean;
  update_requested_at?: string | null;
  top_up?: string | null;
  final_cost?: string | null;
  currency: "USD";
  chain_id?: number | null;
  last_seen?: Observation | null;
  created_at: string;
  updated_at: string;
  payment?: PaymentState | null;
  choice?: ChoiceState | null;
  live?: LiveStatus | null;
}

/** A workload in a list. */
export interface WorkloadSummary {
  deployment_id: string;
  kind: "akash";
  name?: string | null;
  status: AkashStatus;
  dseq?: string | null;
  provider?: string | null;
  price?: string | null;
  usd_per_hour?: string | null;
  services?: Record<string, ServiceState>;
  forwarded_ports?: Record<string, Port[]>;
  ips?: Record<string, Port[]>;
  observed_at?: string | null;
  error?: WorkloadError | null;
  close_requested_at?: string | null;
  close_reason?: string | null;
  closed_at?: string | null;
  active_at?: string | null;
  auto_top_up?: boolean;
  update_requested_at?: string | null;
  top_up?: string | null;
  final_cost?: string | null;
  currency: "USD";
  chain_id?: number | null;
  last_seen?: Observation | null;
  created_at: string;
  updated_at: string;
  payment?: PaymentState | null;
  choice?: ChoiceState | null;
  live?: LiveStatus | null;
}
