"""The shapes of the API, from its OpenAPI document. Written by `make openapi`; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class AkashDepositRequest(TypedDict):
    """US dollars to add to a workload's escrow account."""

    amount: str


AkashStatus: TypeAlias = Literal["pending", "active", "closed", "error"]


class Allocation(TypedDict):
    """What one address gets of the initial supply, in whole tokens."""

    address: str
    amount: str


class Amount(TypedDict):
    """How much of a resource is free, and how much there is; None where the provider does not report it."""

    available: float | None
    total: float | None


class ApiResources(TypedDict):
    """What the API service gets."""

    cpu: NotRequired[str]
    memory: NotRequired[str]
    storage: NotRequired[str]


class ApiSpec(TypedDict):
    """What an API stack shall be. Everything has a default."""

    image: NotRequired[str | None]
    env: NotRequired[dict[str, str]]
    resources: NotRequired[ApiResources]
    preferences: NotRequired[Preferences]
    keep: NotRequired[bool]
    follow: NotRequired[bool]


class AttemptView(TypedDict):
    """One try to deliver; `response` is the answer's first 500 bytes, or why there was none."""

    at: str
    response_status: int | None
    duration_ms: int
    response: str


class AuditEntry(TypedDict):
    """One attempt: who, from where, what, on what, and how it ended (`accepted`, `completed` or an error code)."""

    at: str
    user: str | None
    source_ip: str | None
    action: str
    subject: str | None
    outcome: str
    message: str | None
    request_id: str | None


class AuditPage(TypedDict):
    """A page of the audit trail, newest first. A page may be short, or empty, and still have a `next_cursor`."""

    events: list[AuditEntry]
    next_cursor: NotRequired[str | None]


class Availability(TypedDict):
    """What a provider has free."""

    cpu_cores: Amount
    memory_bytes: Amount
    storage_bytes: StorageAvailability
    gpus: Amount


class BidList(TypedDict):
    """The bids for a workload whose owner chooses, in the order in which they would be taken; none for any other."""

    deployment_id: str
    choice: NotRequired[ChoiceState | None]
    groups: int
    max_price: NotRequired[str | None]
    updated_at: NotRequired[str | None]
    bids: NotRequired[list[OfferedBid]]


class BlockRequest(TypedDict):
    """Why a wallet is blocked or unblocked."""

    reason: str


class BudgetView(TypedDict):
    """One budget."""

    name: str
    unit: Unit
    limit: str
    used: str
    open: str
    left: str
    resets_at: str | None


class BudgetsAnswer(TypedDict):
    """All budgets of this installation."""

    budgets: list[BudgetView]


BudgetsChange: TypeAlias = "dict[str, str | int | float | None]"


class BuildDetail(TypedDict):
    """A build with all that came of it. `code`, `abi`, `audit_report` and `costs` are in a build's own answer, not in
    lists. `bytecode_hash` is the Keccak-256 hash of the creation code with its arguments, as it was audited.
    `total_cost` is in whole units of the chains' currency, `total_cost_wei` the same exactly; both are null where
    the chains' currencies differ. `not_honoured` is what of the request the contract does not have (only where
    `strict` is false), `assumed` what was chosen where the request left it open, and `powers` who can do what to
    holders.
    """

    build_id: str
    status: BuildsStatus
    prompt: str
    chains: list[ChainTarget]
    template: str | None
    options: NotRequired[dict[str, Any] | None]
    created_at: str
    updated_at: str
    completed_at: NotRequired[str | None]
    progress: int
    step: str
    sequence: int
    stream_url: NotRequired[str | None]
    code: NotRequired[str | None]
    audit_report: NotRequired[dict[str, Any] | None]
    abi: NotRequired[list[dict[str, Any]] | None]
    bytecode_hash: NotRequired[str | None]
    costs: NotRequired[list[ChainCost] | None]
    deployments: NotRequired[list[ChainDeployment] | None]
    engine: NotRequired[str | None]
    usage: NotRequired[ModelUsage | None]
    kind: NotRequired[str | None]
    title: NotRequired[str | None]
    contract_name: NotRequired[str | None]
    constructor_arguments: NotRequired[list[ConstructorArgument] | None]
    effective_options: NotRequired[dict[str, Any] | None]
    assumed: NotRequired[list[str]]
    not_honoured: NotRequired[list[NotHonoured]]
    powers: NotRequired[list[str]]
    strict: NotRequired[bool]
    signer: NotRequired[Literal["slipway", "wallet"]]
    generation_time: NotRequired[float | None]
    audit_time: NotRequired[float | None]
    deploy_time: NotRequired[float | None]
    total_cost: NotRequired[float | None]
    total_cost_wei: NotRequired[str | None]
    gas_used: NotRequired[str | None]
    error: NotRequired[str | None]
    error_code: NotRequired[str | None]
    error_details: NotRequired[dict[str, Any] | None]


class BuildList(TypedDict):
    """A page of a caller's builds, newest first. `total` counts all that match."""

    builds: list[BuildDetail]
    total: int
    page: int
    page_size: int


class BuildRefusal(TypedDict):
    """Why a build of the same request would be refused."""

    code: str
    message: str


class BuildRequest(TypedDict):
    """A contract is to be written, audited and deployed. `options` take precedence over the prompt."""

    prompt: str
    chains: list[int]
    template: NotRequired[str | None]
    options: NotRequired[dict[str, Any] | None]
    auth_token: NotRequired[str | None]


class BuildResponse(TypedDict):
    """A build that was accepted. `estimated_time` is in seconds; `stream_url` is where its progress is sent."""

    build_id: str
    status: BuildsStatus
    created_at: str
    estimated_time: int
    stream_url: NotRequired[str | None]


BuildsStatus: TypeAlias = Literal["pending", "generating", "auditing", "deploying", "complete", "failed", "cancelled"]


class Cancelled(TypedDict):
    """A build was cancelled; nothing of it is sent to a chain any more."""

    status: Literal["cancelled"]


class ChainCost(TypedDict):
    """What the deployment on a chain cost, in wei of its currency; a decimal text."""

    chain_id: int
    currency: str
    cost: str


class ChainDeployment(TypedDict):
    """A build's deployment on one chain. `cost` is in wei, `gas_used` in units of gas, both decimal texts.
    `explorer_url` shows the transaction, `explorer_contract_url` the contract; both are null without an explorer.
    `transaction` is there where the caller's wallet signs, once the audit passed and until the contract is there.
    """

    chain_id: int
    chain_name: str
    status: ChainStatus
    address: NotRequired[str | None]
    tx_hash: NotRequired[str | None]
    block_number: NotRequired[int | None]
    gas_used: NotRequired[str | None]
    cost: NotRequired[str | None]
    currency: NotRequired[str | None]
    error: NotRequired[str | None]
    error_code: NotRequired[str | None]
    explorer_url: NotRequired[str | None]
    explorer_contract_url: NotRequired[str | None]
    constructor_arguments_encoded: NotRequired[str | None]
    snippets: NotRequired[Snippets | None]
    verification: NotRequired[Verification | None]
    transaction: NotRequired[UnsignedCreation | None]


ChainStatus: TypeAlias = Literal["pending", "signed", "broadcast", "deployed", "failed", "cancelled"]


class ChainTarget(TypedDict):
    """A chain that a build is for."""

    chain_id: int
    chain_name: str
    testnet: NotRequired[bool]


class ChoiceState(TypedDict):
    """How the owner's choice among the bids stands."""

    status: Literal["awaiting_bids", "awaiting_choice", "chosen", "over"]
    until: NotRequired[str | None]
    unchosen: NotRequired[Literal["best", "close"]]
    by: NotRequired[Literal["owner", "deadline"] | None]


class ChooseBidsRequest(TypedDict):
    """The bids to take."""

    providers: list[str]
    price: NotRequired[float | str | None]


class Confirmation(TypedDict):
    """The code that came by e-mail."""

    code: str


class ConstructorArgument(TypedDict):
    """One argument of the constructor, in its order. Numbers are decimal texts, bytes are hexadecimal with 0x,
    addresses have their EIP-55 form. A value that is none of its type is refused, whichever engine wrote it.
    """

    name: str
    type: Literal["address", "address[]", "uint256", "string", "bytes32"]
    value: str | list[str]


class Container(TypedDict):
    """A container that a worker runs, and all ports that it publishes, as Docker writes them."""

    containerName: str
    port: str


class ContainerView(TypedDict):
    """A container that a worker runs, and its ports as Docker writes them."""

    containerName: str
    port: str


class Cost(TypedDict):
    """What a workload costs."""

    price_per_block: Money
    burn_per_hour: Money
    burn_per_day: Money
    spent: Money
    balance: Money
    deposited: Money
    runway_seconds: int | None
    escrow_state: str | None
    settled_at_block: int | None
    estimate: bool


class DayGas(TypedDict):
    """What all of them cost in one day (UTC), by chain."""

    date: str
    costs: list[GasCost]


class DayView(TypedDict):
    """How much of a UTC day, so far as it lies in the window and has passed since the enrolment, the worker was up.
    `percent` is None for a day before the enrolment.
    """

    date: str
    percent: float | None


class DeliveryList(TypedDict):
    """The latest deliveries, newest first."""

    deliveries: list[DeliveryView]


class DeliveryView(TypedDict):
    """A message of the last seven days and the tries to deliver it."""

    id: str
    type: str
    attempts: list[AttemptView]


class DeployAnswer(TypedDict):
    """More deployments of a build were accepted. `chains` are those that are now being deployed to."""

    build_id: str
    status: BuildsStatus
    chains: list[int]
    deployments: list[ChainDeployment]
    stream_url: NotRequired[str | None]


DeployRequest: TypeAlias = "list[int]"


class DeployTokenAnswer(TypedDict):
    """A launch that was accepted. `estimated_confirmation_time` is in seconds, `estimated_gas_cost` in wei."""

    success: Literal[True]
    deployment_id: str
    kind: Literal["token"]
    model_id: str
    estimated_confirmation_time: int
    estimated_gas_cost: str
    currency: str
    chain_id: int
    status_url: str


class DeployTokenRequest(TypedDict):
    """A token for a validated model. `auth_token` stands in for the Authorization header. Of `initial_supply` each of
    `allocations` is given its amount, and the caller the rest. The caller is steward of the token and may later
    mint up to `max_supply`; without one, nothing is minted after the initial supply.
    """

    model_id: str
    user_address: str
    token_name: NotRequired[str | None]
    token_symbol: NotRequired[str | None]
    initial_supply: NotRequired[str | None]
    max_supply: NotRequired[str | None]
    allocations: NotRequired[list[Allocation] | None]
    auth_token: NotRequired[str | None]


class DeployWorkloadAnswer(TypedDict):
    """A workload that was accepted."""

    success: Literal[True]
    deployment_id: str
    kind: Literal["akash"]
    status: Literal["pending"]
    services: list[str]
    deposit: str
    currency: Literal["USD"]
    status_url: str


class DeployWorkloadRequest(TypedDict):
    """A workload for Akash. `auth_token` stands in for the Authorization header."""

    sdl: str
    deposit: NotRequired[str | None]
    preferences: NotRequired[Preferences]
    name: NotRequired[str | None]
    choose_bid: NotRequired[bool]
    choose_within_seconds: NotRequired[int | None]
    unchosen: NotRequired[Literal["best", "close"]]
    auth_token: NotRequired[str | None]


class DeploymentDetail(TypedDict):
    """A deployment with everything Slipway knows of it; `open` is what the chain has not settled yet. `controller`
    owns the token; `steward` is the wallet that may mint up to `max_supply`, as last seen on chain.
    """

    kind: Literal["token"]
    deployment_id: str
    chain_id: int
    status: TokensStatus
    model_id: str
    token_address: NotRequired[str | None]
    token_name: NotRequired[str | None]
    token_symbol: NotRequired[str | None]
    deployment_tx_hash: NotRequired[str | None]
    registry_tx_hash: NotRequired[str | None]
    allocation_tx_hash: NotRequired[str | None]
    initial_supply: NotRequired[str | None]
    max_supply: NotRequired[str | None]
    block_number: NotRequired[int | None]
    explorer_url: NotRequired[str | None]
    gas_used: NotRequired[str | None]
    gas_price: NotRequired[str | None]
    total_cost: NotRequired[str | None]
    currency: NotRequired[str | None]
    verification: NotRequired[Verification | None]
    error: NotRequired[DeploymentError | None]
    created_at: str
    updated_at: str
    user_address: str
    controller: NotRequired[str | None]
    steward: NotRequired[str | None]
    allocations: NotRequired[list[Allocation]]
    model: NotRequired[dict[str, Any] | None]
    estimated_gas_cost: NotRequired[str | None]
    transactions: NotRequired[list[TransactionDetail]]
    open: NotRequired[list[OpenTransaction]]
    events: NotRequired[list[EventDetail]]


class DeploymentEntries(TypedDict):
    """A page of deployments, newest first; a page may be short, and still have a next one."""

    deployments: list[DeploymentEntry]
    next_cursor: NotRequired[str | None]


class DeploymentEntry(TypedDict):
    """A deployment as administrators see it in a list; `model_id` and `token_address` are a token's."""

    kind: Literal["token", "akash"]
    deployment_id: str
    user_address: str
    status: str
    model_id: str | None
    token_address: str | None
    error_code: str | None
    created_at: str
    updated_at: str


class DeploymentError(TypedDict):
    """How a launch failed."""

    code: str
    message: str
    transaction_hash: NotRequired[str | None]


class DeploymentStatus(TypedDict):
    """Specification 004's status body; fields are left out until they are known, in lists and details too.
    `verification` is that of the token's source, once the launch is completed. Costs are in wei of `currency`.
    """

    kind: Literal["token"]
    deployment_id: str
    chain_id: int
    status: TokensStatus
    model_id: str
    token_address: NotRequired[str | None]
    token_name: NotRequired[str | None]
    token_symbol: NotRequired[str | None]
    deployment_tx_hash: NotRequired[str | None]
    registry_tx_hash: NotRequired[str | None]
    allocation_tx_hash: NotRequired[str | None]
    initial_supply: NotRequired[str | None]
    max_supply: NotRequired[str | None]
    block_number: NotRequired[int | None]
    explorer_url: NotRequired[str | None]
    gas_used: NotRequired[str | None]
    gas_price: NotRequired[str | None]
    total_cost: NotRequired[str | None]
    currency: NotRequired[str | None]
    verification: NotRequired[Verification | None]
    error: NotRequired[DeploymentError | None]
    created_at: str
    updated_at: str


class DeploymentSummary(TypedDict):
    """A deployment in a list."""

    kind: Literal["token"]
    deployment_id: str
    chain_id: int
    status: TokensStatus
    model_id: str
    token_address: NotRequired[str | None]
    token_name: NotRequired[str | None]
    token_symbol: NotRequired[str | None]
    deployment_tx_hash: NotRequired[str | None]
    registry_tx_hash: NotRequired[str | None]
    allocation_tx_hash: NotRequired[str | None]
    initial_supply: NotRequired[str | None]
    max_supply: NotRequired[str | None]
    block_number: NotRequired[int | None]
    explorer_url: NotRequired[str | None]
    gas_used: NotRequired[str | None]
    gas_price: NotRequired[str | None]
    total_cost: NotRequired[str | None]
    currency: NotRequired[str | None]
    verification: NotRequired[Verification | None]
    error: NotRequired[DeploymentError | None]
    created_at: str
    updated_at: str


class DepositAnswer(TypedDict):
    """Transactions to send in this order. `permit` is None where the token has none or did not answer in time, and
    when one was given.
    """

    job_id: str
    amount: str
    transactions: list[UnsignedTransaction]
    permit: NotRequired[PermitOffer | None]
    chain_id: int
    currency: Literal["USD"]


class DiscoveryTry(TypedDict):
    """One look for the node's forwarded port."""

    count: int
    at: str
    outcome: Literal["attempt", "success", "failure"]
    cause: NotRequired[str | None]


class EnrolRequest(TypedDict):
    """Nothing: a worker is enrolled for the wallet that signed in."""


class EnrolmentAnswer(TypedDict):
    """A code that is exchanged for the worker's token, once and until `expires_at`, and a command that does so."""

    wallet: str
    enrolment_code: str
    expires_at: str
    setup_command: str


class ErrorEnvelope(TypedDict):
    """Every refusal. The request id finds the request in the logs and in the audit trail."""

    success: Literal[False]
    error: dict[str, Any]
    request_id: str


class EscrowAnswer(TypedDict):
    """What the chain knows of a wallet's deposits for a job, all as of one block. `refundable` is deposited less
    released, refunded and reserved. A reservation ends at `reserved_until`.
    """

    job_id: str
    wallet: str
    chain_id: int
    escrow: str
    token: str
    decimals: int
    currency: Literal["USD"]
    deposited: str
    released: str
    refunded: str
    reserved: str
    reserved_until: str | None
    refundable: str
    balance: str
    allowance: str
    block_number: int


class EscrowDepositRequest(TypedDict):
    """A deposit for a job. With `permit` it takes one transaction, else an approval may have to come first."""

    job_id: str
    amount: str
    permit: NotRequired[Permit | None]


class EstimateAnswer(TypedDict):
    """What a launch would cost and take. `gas` covers all of its transactions; fees and costs are in wei."""

    kind: Literal["token"]
    model_id: str
    token_name: str
    token_symbol: str
    initial_supply: NotRequired[str | None]
    max_supply: NotRequired[str | None]
    gas: int | None
    max_fee_per_gas: str | None
    max_priority_fee_per_gas: str | None
    fee_cap: str
    estimated_gas_cost: str | None
    payer: Literal["account"]
    most_cost: str | None
    expected_cost: str | None
    currency: str
    chain: int
    estimated_confirmation_time: int
    refusals: list[Refusal]


class EventDetail(TypedDict):
    """One thing that happened to a job."""

    event: str
    message: str
    data: NotRequired[dict[str, Any] | None]
    created_at: str


class ExchangeRequest(TypedDict):
    """The enrolment code."""

    enrolment_code: str


class Figures(TypedDict):
    """How busy the machine is, in whole percent."""

    cpu_percent: int
    memory_percent: int
    disk_percent: int


class FiguresView(TypedDict):
    """How busy a worker's machine was at its last beat, in whole percent."""

    cpu_percent: int
    memory_percent: int
    disk_percent: int


class FleetUptime(TypedDict):
    """A worker's days of a list, and the share of all of them that was observed; None when nothing of it counts."""

    days: list[DayView]
    percent: float | None


Format: TypeAlias = Literal["standard", "slack", "discord", "email"]


class GasAnswer(TypedDict):
    """What users' jobs cost on chains, of transactions signed within a span."""

    since: str
    until: str
    wallets: list[WalletGas]
    days: list[DayGas]
    transactions: list[GasTransaction]
    truncated: bool


class GasCost(TypedDict):
    """What was spent on one chain: `cost` is a decimal string in wei of `currency`, `gas_used` units of gas.
    `currency` is null for a chain that this installation has no more.
    """

    chain_id: int
    currency: str | None
    transactions: int
    gas_used: str
    cost: str


class GasEstimate(TypedDict):
    """What a contract's creation is estimated to use on a chain. `cost` is in wei at the chain's present fees, a
    decimal text, and null while no node of the chain answers.
    """

    chain_id: int
    gas: int
    cost: str | None
    currency: str


class GasTransaction(TypedDict):
    """One transaction. `job_id` is the launch, the workload or the build that it served."""

    at: str
    wallet: str
    kind: Literal["token", "akash", "build"]
    job_id: str
    purpose: str
    chain_id: int
    currency: str | None
    gas_used: str
    cost: str
    transaction_hash: str
    explorer_url: str | None


class GpuHourlyPrice(TypedDict):
    """What one GPU costs an hour on the network, decimal strings in US dollars; None where no provider offers one."""

    vendor: str
    model: str
    ram: str | None
    interface: str | None
    min: str | None
    max: str | None
    average: str | None
    weighted_average: str | None
    median: str | None


class GpuSpec(TypedDict):
    """A GPU model of a provider; `count` is None where the provider has several models and reports only their sum."""

    vendor: str
    model: str
    ram: str | None
    interface: str | None
    count: int | None


class Health(TypedDict):
    """What the last probe of a published node found."""

    probed_at: str
    answers: bool
    failures: int
    block_count: NotRequired[int | None]
    peers: NotRequired[int | None]
    reason: NotRequired[str | None]
    withdrawn_at: NotRequired[str | None]


class Healthy(TypedDict):
    """The API answers."""

    status: Literal["ok"]


class Heartbeat(TypedDict):
    """What a worker says: its wallet, the time (ISO 8601, at most 5 minutes ahead and 24 hours old), what it runs.
    `boot_id` names the running system that sends it, by which a cloned machine is noticed.
    """

    walletAddress: str
    timestamp: str
    containers: list[Container]
    boot_id: NotRequired[str | None]
    figures: NotRequired[Figures | None]


class HeartbeatAnswer(TypedDict):
    """The heartbeat counts. `clock_offset_seconds` is how far the worker's clock is ahead, and null for a heartbeat
    over ten minutes old.
    """

    success: Literal[True]
    clock_offset_seconds: int | None


class JobDetail(TypedDict):
    """What is being done to a stack, or was last."""

    job_id: str
    operation: Operation
    generation: int
    started_at: str
    ended_at: NotRequired[str | None]


class KeyAnswer(TypedDict):
    """A new API key."""

    id: str
    name: str
    scopes: list[
        Literal[
            "admin:read",
            "admin:write",
            "admin:*",
            "builds:read",
            "builds:write",
            "builds:*",
            "deployments:read",
            "deployments:write",
            "deployments:*",
            "escrow:read",
            "escrow:write",
            "escrow:*",
            "models:read",
            "models:write",
            "models:*",
            "payments:read",
            "payments:write",
            "payments:*",
            "projects:read",
            "projects:write",
            "projects:*",
            "stacks:read",
            "stacks:write",
            "stacks:*",
            "tokens:read",
            "tokens:write",
            "tokens:*",
            "webhooks:read",
            "webhooks:write",
            "webhooks:*",
            "workers:read",
            "workers:write",
            "workers:*",
        ]
    ]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    key: str


class KeyFacts(TypedDict):
    """An API key as its owner sees it; the key itself is shown once, when it is made."""

    id: str
    name: str
    scopes: list[
        Literal[
            "admin:read",
            "admin:write",
            "admin:*",
            "builds:read",
            "builds:write",
            "builds:*",
            "deployments:read",
            "deployments:write",
            "deployments:*",
            "escrow:read",
            "escrow:write",
            "escrow:*",
            "models:read",
            "models:write",
            "models:*",
            "payments:read",
            "payments:write",
            "payments:*",
            "projects:read",
            "projects:write",
            "projects:*",
            "stacks:read",
            "stacks:write",
            "stacks:*",
            "tokens:read",
            "tokens:write",
            "tokens:*",
            "webhooks:read",
            "webhooks:write",
            "webhooks:*",
            "workers:read",
            "workers:write",
            "workers:*",
        ]
    ]
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class KeyList(TypedDict):
    """All API keys of the caller's wallet that were not deleted, oldest first."""

    keys: list[KeyFacts]


class KeyRequest(TypedDict):
    """An API key to make. `expires_at` is a moment in the future; without one the key does not expire."""

    name: str
    scopes: list[
        Literal[
            "admin:read",
            "admin:write",
            "admin:*",
            "builds:read",
            "builds:write",
            "builds:*",
            "deployments:read",
            "deployments:write",
            "deployments:*",
            "escrow:read",
            "escrow:write",
            "escrow:*",
            "models:read",
            "models:write",
            "models:*",
            "payments:read",
            "payments:write",
            "payments:*",
            "projects:read",
            "projects:write",
            "projects:*",
            "stacks:read",
            "stacks:write",
            "stacks:*",
            "tokens:read",
            "tokens:write",
            "tokens:*",
            "webhooks:read",
            "webhooks:write",
            "webhooks:*",
            "workers:read",
            "workers:write",
            "workers:*",
        ]
    ]
    expires_at: NotRequired[str | None]


Kind: TypeAlias = Literal["node", "api"]


class LeaseDetail(TypedDict):
    """One provider's part of a workload. `price` is uact a block; `gpu` is what its bid offered."""

    dseq: str
    gseq: int
    oseq: int
    provider: str
    price: str
    usd_per_hour: str
    gpu: NotRequired[str | None]
    host: NotRequired[str | None]


class LimitsAnswer(TypedDict):
    """The limits of each tier as they hold, and those of wallets that have limits of their own."""

    tiers: dict[str, dict[str, dict[str, int]]]
    wallets: dict[str, dict[str, dict[str, int]]]


class LimitsChange(TypedDict):
    """New limits of tiers and wallets by name and span; null goes back to the template's, or to the tier's."""

    tiers: NotRequired[dict[str, dict[str, dict[str, int] | None] | None]]
    wallets: NotRequired[dict[str, dict[str, dict[str, int] | None] | None]]


class LinkAnswer(TypedDict):
    """The wallet that an external issuer's user has proved to be theirs."""

    issuer: str
    subject: str
    wallet: str


class LiveLease(TypedDict):
    """A lease: `active`, `insufficient_funds` or `closed`. `reachable` is whether its provider answered."""

    provider: str
    gseq: int
    oseq: int
    state: str
    price_per_block: Money
    reachable: bool


class LiveService(TypedDict):
    """A service by its name, with its ports."""

    available: int
    total: int
    uris: NotRequired[list[str]]
    name: str
    ports: list[Port]
    ips: list[Port]


class LiveStatus(TypedDict):
    """What Akash reported of a workload, and how long ago."""

    as_of: NotRequired[str | None]
    age_seconds: NotRequired[float | None]
    stale: NotRequired[bool]
    state: NotRequired[str | None]
    leases: NotRequired[list[LiveLease]]
    services: NotRequired[list[LiveService] | None]
    cost: NotRequired[Cost | None]


Liveness: TypeAlias = Literal["new", "healthy", "late", "down", "retired"]


class LogoutAnswer(TypedDict):
    """Which sessions have ended."""

    ended: Literal["session", "everywhere"]


class LogoutRequest(TypedDict):
    """The session's refresh token; `everywhere` ends all sessions of its wallet."""

    refresh_token: str
    everywhere: NotRequired[bool]


class MetricsAnswer(TypedDict):
    """How a service did between two moments. Durations in seconds, cost a decimal string in wei of `currency`.
    `success_rate` is None when nothing ended. Launches that were refused at the request are in the audit trail
    only.
    """

    service: str
    since: str
    until: str
    completed: int
    failed: int
    success_rate: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    gas_used: str
    total_cost: str
    currency: str | None
    chain_id: int | None
    errors: dict[str, int]
    in_flight: int
    paused: bool
    breaker: dict[str, Any]
    truncated: bool


class MintAnswer(TypedDict):
    """Transactions for the steward's wallet to send, in this order."""

    transactions: list[UnsignedTransaction]


class MintRequest(TypedDict):
    """What a token's steward wants minted, in whole tokens; `chain_id` is the chain that the wallet is on."""

    to: str
    amount: str
    chain_id: NotRequired[int | None]


class ModelAnswer(TypedDict):
    """A model as the catalogue holds it."""

    owner: str
    contributors: NotRequired[list[str]]
    state: ModelState
    validated_at: NotRequired[str | None]
    run_id: NotRequired[str | None]
    metrics: NotRequired[dict[str, int | float]]
    improvement: NotRequired[float | None]
    model_id: str


class ModelEntry(TypedDict):
    """What the catalogue stores of a model (`PUT /api/admin/models/{id}`)."""

    owner: str
    contributors: NotRequired[list[str]]
    state: ModelState
    validated_at: NotRequired[str | None]
    run_id: NotRequired[str | None]
    metrics: NotRequired[dict[str, float]]
    improvement: NotRequired[float | None]


class ModelPage(TypedDict):
    """A page of models by their ids; `next_cursor` is None on the last one."""

    models: list[ModelView]
    next_cursor: NotRequired[str | None]


ModelState: TypeAlias = Literal["registered", "validated", "rejected"]


class ModelToken(TypedDict):
    """The token of a model, once it is on chain; `deployment_id` is its launch."""

    address: str
    symbol: str
    deployment_id: str


class ModelUsage(TypedDict):
    """What of a language model was used: all calls that were answered, whether the answers were of use or not.
    `prompt` is what was sent beside our standing instructions, `calls` how often it was asked. `cost` is in US
    dollars, a decimal text, and None where the installation does not know the model's prices.
    """

    model_id: str
    prompt: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost: str | None


class ModelView(TypedDict):
    """A model as its owner and its contributors see it."""

    model_id: str
    owner: str | None
    contributors: list[str]
    state: ModelState
    validated_at: str | None
    metrics: dict[str, int | float]
    token: ModelToken | None
    refusals: list[Refusal]


class Money(TypedDict):
    """An amount in the chain's unit (uact, a millionth of an ACT), and in US dollars where the unit has a price."""

    amount: str
    unit: str
    usd: str | None


class NewPayment(TypedDict):
    """A payment to record. `creator` is the caller's wallet, whether it is given or not."""

    name: str
    amount: str
    creator: NotRequired[str | None]


class NewProject(TypedDict):
    """A project to record. Specification 001 also calls `name` app_name and `github` github_repo; either is taken.
    `creator` is the caller's wallet, whether it is given or not.
    """

    name: str
    github: str
    port: NotRequired[int]
    replicas: NotRequired[int]
    url: NotRequired[str | None]
    creator: NotRequired[str | None]


class NodeResources(TypedDict):
    """What the node gets. `data` is the persistent volume that holds the ledger."""

    cpu: NotRequired[str]
    memory: NotRequired[str]
    storage: NotRequired[str]
    data: NotRequired[str]


class NodeSpec(TypedDict):
    """What a node stack shall be. Everything has a default."""

    image: NotRequired[str | None]
    env: NotRequired[dict[str, str]]
    resources: NotRequired[NodeResources]
    preferences: NotRequired[Preferences]
    keep: NotRequired[bool]
    restart: NotRequired[Literal["never", "on_failure"]]


class NonceAnswer(TypedDict):
    """A value to put in a sign-in message, good once and for five minutes, and a chain that it may name."""

    nonce: str
    chain_id: int


class NotHonoured(TypedDict):
    """A part of the request that the contract does not have, in the request's words, and why."""

    text: str
    reason: str


class Observation(TypedDict):
    """What a workload's providers reported of it, and when."""

    observed_at: str
    services: NotRequired[dict[str, ServiceState]]
    forwarded_ports: NotRequired[dict[str, list[Port]]]
    ips: NotRequired[dict[str, list[Port]]]


class OfferedBid(TypedDict):
    """A provider's bid. `price` is uact a block, `uptime` a share from 0 to 1 of the last week, None where unknown."""

    provider: str
    name: NotRequired[str | None]
    group: int
    price: str
    usd_per_hour: str
    usd_per_month: str
    region: NotRequired[str | None]
    country: NotRequired[str | None]
    uptime: NotRequired[float | None]
    audited: bool
    gpu: NotRequired[str | None]
    acceptable: bool
    why_not: NotRequired[str | None]
    chosen: NotRequired[bool]


class OpenTransaction(TypedDict):
    """A transaction that is signed and not settled: it may still be mined, and until then later ones have to wait.
    `refusal` is why no node takes it at present, in a node's words.
    """

    purpose: Literal["deploy", "register", "distribute"]
    signer: str
    nonce: int
    transaction_hash: str
    refusal: NotRequired[str | None]


Operation: TypeAlias = Literal["deploy", "update", "restart", "follow", "delete"]


class Page(TypedDict):
    """A page of deployments, newest first; `next_cursor` is None on the last one."""

    deployments: list[DeploymentSummary | WorkloadSummary]
    next_cursor: NotRequired[str | None]


class PatchWorkloadRequest(TypedDict):
    """What else can be changed; null takes a name away."""

    name: NotRequired[str | None]
    auto_top_up: NotRequired[bool]


class PauseRequest(TypedDict):
    """Why a service is paused or resumed; refused callers read it."""

    reason: str


class PayWorkloadAnswer(TypedDict):
    """A workload that was accepted and waits for the deposit of the caller, who pays for it."""

    success: Literal[True]
    deployment_id: str
    kind: Literal["akash"]
    status: Literal["pending"]
    services: list[str]
    deposit: str
    currency: Literal["USD"]
    status_url: str
    payment: PaymentAnswer


class Payment(TypedDict):
    """A payment. `amount` is exactly what was given."""

    id: str
    name: str
    amount: str
    creator: str
    createdAt: str


class PaymentAnswer(TypedDict):
    """What the caller's wallet has to send before the workload is created."""

    status: Literal["awaiting_deposit"]
    job_id: str
    amount: str
    currency: Literal["USD"]
    chain_id: int
    expires_at: str
    transactions: list[UnsignedTransaction]


class PaymentPage(TypedDict):
    """Payments, newest first."""

    payments: list[Payment]
    next_cursor: NotRequired[str | None]


class PaymentState(TypedDict):
    """How far the payment of a workload is. Amounts are whole tokens of the escrow."""

    status: Literal["awaiting_deposit", "deposited", "reserving", "reserved", "settling", "settled"]
    amount: str
    reserved: NotRequired[str | None]
    released: NotRequired[str]
    most_per_hour: NotRequired[str | None]
    currency: Literal["USD"]
    chain_id: NotRequired[int | None]
    expires_at: str
    spent: NotRequired[str | None]


class Permit(TypedDict):
    """A signature of the typed data that an earlier answer gave (EIP-2612); `deadline` in seconds since 1970."""

    deadline: int
    signature: str


class PermitOffer(TypedDict):
    """Typed data to sign (EIP-712, `eth_signTypedData_v4`), by which the deposit takes one transaction."""

    deadline: int
    typed_data: dict[str, Any]


class Port(TypedDict):
    """`external_port` of a provider's host, or of an IP address of its own, that leads to a container's `port`.
    `host` is None where the provider does not report it. Those stored before 2026-11-29 may have it as `ip`.
    """

    host: str | None
    port: int
    external_port: int
    protocol: str


class Preferences(TypedDict):
    """What the caller wants of a provider; whatever is left out does not matter. Case does not matter anywhere."""

    region: NotRequired[str | None]
    gpuType: NotRequired[str | None]
    maxPrice: NotRequired[float | str | None]
    providers: NotRequired[list[str]]
    auditedOnly: NotRequired[bool]


class Preview(TypedDict):
    """What a prompt would become; nothing was written. `refusals` is empty when a build would be accepted. `kind`,
    `title`, `source` and `options` are those of the contract as far as the request can be honoured.
    """

    kind: str | None
    title: str
    contract_name: NotRequired[str | None]
    options: dict[str, Any]
    assumed: list[str]
    not_honoured: list[NotHonoured]
    powers: list[str]
    source: str
    constructor_arguments: NotRequired[list[ConstructorArgument]]
    gas: list[GasEstimate]
    refusals: list[BuildRefusal]


class PreviewRequest(TypedDict):
    """What would a prompt become? `chains` are those whose gas is wanted, if any."""

    prompt: str
    chains: NotRequired[list[int]]
    template: NotRequired[str | None]
    options: NotRequired[dict[str, Any] | None]
    auth_token: NotRequired[str | None]


class Pricing(TypedDict):
    """What a workload may cost there: an estimate from the network's prices, for providers name theirs only in bids.
    `hourly` is what `maxPrice` is compared with: the cheapest of the GPUs that were asked for (or that the
    provider has), or the standard unit where it has none; None where unknown.
    """

    currency: Literal["USD"]
    estimate: Literal[True]
    hourly: str | None
    gpus: list[GpuHourlyPrice]
    standard_unit: UnitPrice | None


class Project(TypedDict):
    """A project. `url` is None until a request sets it."""

    id: str
    name: str
    url: str | None
    port: int
    status: ProjectStatus
    github: str
    replicas: int
    creator: str
    createdAt: str


class ProjectPage(TypedDict):
    """Projects, newest first; with a filter a page may be short, or empty, and still have a `next_cursor`."""

    deployments: list[Project]
    next_cursor: NotRequired[str | None]


ProjectStatus: TypeAlias = Literal["pending", "processing", "success", "failed"]


class ProviderEntry(TypedDict):
    """One provider."""

    address: str
    name: str | None
    organization: str | None
    host_uri: str | None
    region: str | None
    country: str | None
    country_code: str | None
    city: str | None
    online: bool
    audited: bool
    specs: Specs
    availability: Availability
    uptime: Uptime
    pricing: Pricing


class ProviderPage(TypedDict):
    """A page of providers by name, and how old the list is. `total` counts all that match."""

    providers: list[ProviderEntry]
    total: int
    next_cursor: NotRequired[str | None]
    as_of: str
    cached_age_seconds: float
    stale: bool
    prices_as_of: str | None


class RefreshRequest(TypedDict):
    """A refresh token, which is used up: the answer has the next one."""

    refresh_token: str


class RefundAnswer(TypedDict):
    """The transaction that gives back what is unspent; `amount` is what that would be now."""

    job_id: str
    amount: str
    transactions: list[UnsignedTransaction]
    chain_id: int
    currency: Literal["USD"]


class Refusal(TypedDict):
    """Why a request would be refused now."""

    code: str
    message: str


class SdlAnswer(TypedDict):
    """The SDL of a workload. Unless it is `revealed`, what looks secret is masked and comments are left out."""

    deployment_id: str
    sdl: str
    revealed: bool


class SecretAnswer(TypedDict):
    """A new secret; the one before signs as well for 24 hours."""

    secret: str


class SeriesAnswer(TypedDict):
    """A service over time, oldest point first; `truncated` where it had more ends of jobs than are counted."""

    service: str
    since: str
    until: str
    step: Step
    currency: str | None
    chain_id: int | None
    points: list[SeriesPoint]
    truncated: bool


class SeriesPoint(TypedDict):
    """What happened from `at` on, for the length of a step."""

    at: str
    requests: int | None
    server_errors: int | None
    p50_milliseconds: float | None
    p95_milliseconds: float | None
    completed: int
    failed: int
    success_rate: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    gas_used: str
    total_cost: str


class ServiceState(TypedDict):
    """How many replicas of a service are available, and where it is reached."""

    available: int
    total: int
    uris: NotRequired[list[str]]


class SessionView(TypedDict):
    """The first and the last beat of a session."""

    timeFrom: str
    timeTo: str


class Snippets(TypedDict):
    """Programs that read the contract; each wants its ABI in `abi.json` and a node's address in `RPC_URL`."""

    viem: str
    web3_py: str


class Specs(TypedDict):
    """What a provider has in all."""

    cpu_cores: float | None
    memory_bytes: float | None
    storage_bytes: float | None
    gpu_count: int | None
    gpus: list[GpuSpec]


class StackAnswer(TypedDict):
    """A stack."""

    environment: str
    kind: Kind
    status: StacksStatus
    generation: int
    spec: dict[str, Any]
    job: JobDetail
    deployment_id: NotRequired[str | None]
    dseq: NotRequired[str | None]
    provider: NotRequired[str | None]
    uris: NotRequired[list[str]]
    endpoint: NotRequired[str | None]
    stale_endpoint: NotRequired[bool | None]
    discovery: NotRequired[list[DiscoveryTry]]
    node_version: NotRequired[str | None]
    health: NotRequired[Health | None]
    error: NotRequired[StackError | None]
    unchanged: NotRequired[bool | None]
    created_at: str
    updated_at: str


class StackDetail(TypedDict):
    """A stack with its events, oldest first, the last two hundred."""

    environment: str
    kind: Kind
    status: StacksStatus
    generation: int
    spec: dict[str, Any]
    job: JobDetail
    deployment_id: NotRequired[str | None]
    dseq: NotRequired[str | None]
    provider: NotRequired[str | None]
    uris: NotRequired[list[str]]
    endpoint: NotRequired[str | None]
    stale_endpoint: NotRequired[bool | None]
    discovery: NotRequired[list[DiscoveryTry]]
    node_version: NotRequired[str | None]
    health: NotRequired[Health | None]
    error: NotRequired[StackError | None]
    unchanged: NotRequired[bool | None]
    created_at: str
    updated_at: str
    events: NotRequired[list[EventDetail]]


class StackError(TypedDict):
    """Why the last job failed."""

    code: str
    message: str


class StackPage(TypedDict):
    """A page of all environments' stacks, the one made last first. It may be short and have a `next_cursor`."""

    stacks: list[StackSummary]
    next_cursor: NotRequired[str | None]


class StackSummary(TypedDict):
    """A stack in a list; `cost` is None while it is not known."""

    environment: str
    kind: Kind
    status: StacksStatus
    generation: int
    spec: dict[str, Any]
    job: JobDetail
    deployment_id: NotRequired[str | None]
    dseq: NotRequired[str | None]
    provider: NotRequired[str | None]
    uris: NotRequired[list[str]]
    endpoint: NotRequired[str | None]
    stale_endpoint: NotRequired[bool | None]
    discovery: NotRequired[list[DiscoveryTry]]
    node_version: NotRequired[str | None]
    health: NotRequired[Health | None]
    error: NotRequired[StackError | None]
    unchanged: NotRequired[bool | None]
    created_at: str
    updated_at: str
    cost: NotRequired[Cost | None]


StacksStatus: TypeAlias = Literal["deploying", "active", "failed", "deleting", "deleted"]


class StandingAnswer(TypedDict):
    """What an administrator decided about a wallet."""

    wallet: str
    blocked: bool
    reason: str | None
    changed_by: str | None
    changed_at: str | None


StatusInput: TypeAlias = Literal["pending", "generating", "auditing", "deploying", "complete", "failed", "cancelled"]


class StatusChange(TypedDict):
    """Where a project has got to, and where it can be reached if that is known now."""

    status: ProjectStatus
    url: NotRequired[str | None]


Step: TypeAlias = Literal["hour", "day"]


class StorageAvailability(TypedDict):
    """Bytes by kind of storage."""

    ephemeral: Amount
    persistent: Amount


class SwitchAnswer(TypedDict):
    """A service's switch as it is now."""

    service: str
    paused: bool
    reason: str | None
    changed_by: str
    changed_at: str


class TestAnswer(TypedDict):
    """The id of the test message that is on its way."""

    id: str


class Ticket(TypedDict):
    """Opens a build's stream once, within `expires_in` seconds, as `?ticket=`."""

    ticket: str
    expires_in: int
    stream_url: NotRequired[str | None]


class TokenTransaction(TypedDict):
    """One of the transactions that made a token."""

    purpose: Literal["deploy", "register", "distribute"]
    transaction_hash: str
    block_number: int
    explorer_url: str | None


class TokenView(TypedDict):
    """A launched token. Supplies are whole tokens as decimal text."""

    address: str
    chain_id: int
    model_id: str
    name: str
    symbol: str
    decimals: int
    total_supply: str | None
    max_supply: str | None
    steward: str | None
    owner: str | None
    transactions: list[TokenTransaction]
    verification: Verification
    explorer_url: str | None
    wallet_asset: WalletAsset


TokensStatus: TypeAlias = Literal["pending", "deploying", "registering", "completed", "failed"]


class TransactionDetail(TypedDict):
    """One of a launch's transactions. `gas_price` is the effective price, `cost` what it paid, in wei."""

    purpose: Literal["deploy", "register", "distribute"]
    transaction_hash: str
    block_number: NotRequired[int | None]
    gas_used: NotRequired[str | None]
    gas_price: NotRequired[str | None]
    cost: NotRequired[str | None]
    currency: NotRequired[str | None]
    chain_id: int
    explorer_url: NotRequired[str | None]


Unit: TypeAlias = Literal["USD", "USD/hour", "wei"]


class UnitPrice(TypedDict):
    """What a standard unit costs on the network, decimal strings in US dollars."""

    cpu_cores: int
    memory_bytes: int
    storage_bytes: int
    hourly: str
    monthly: str
    estimate: Literal[True]


class UnsignedCreation(TypedDict):
    """The creation of a contract that lacks nonce, fees and signature, in the forms that wallets and libraries take.
    `value` is a hexadecimal quantity in wei, `gas` a limit with head-room.
    """

    data: str
    value: NotRequired[str]
    chainId: int
    gas: int
    description: str


class UnsignedTransaction(TypedDict):
    """A call of a contract, likewise."""

    data: str
    value: NotRequired[str]
    chainId: int
    gas: int
    description: str
    to: str


class UpdateWorkloadRequest(TypedDict):
    """Another SDL for a running workload. `replace` allows to close its lease and take another where it has to be."""

    sdl: str
    replace: NotRequired[bool]


Uptime = TypedDict("Uptime", {"1d": "float | None", "7d": "float | None", "30d": "float | None"})


class UptimeAnswer(TypedDict):
    """Sessions that reach into the window, whole, oldest first, and percentages of its time since the enrolment.
    `percent` and `days` count what Slipway observed; `reported_percent` adds what was reported later. They are
    None when nothing of the window counts.
    """

    records: list[UptimeRecordView]
    days: list[DayView]
    percent: float | None
    reported_percent: float | None


class UptimeRecordView(TypedDict):
    """A session; `open` is there, and true, while further beats may lengthen it. `reported` is true when Slipway did
    not see more than ten minutes of it as they passed, or nothing of it.
    """

    timeFrom: str
    timeTo: str
    reported: bool
    open: NotRequired[Literal[True] | None]


Verdict: TypeAlias = Literal["pending", "verified", "partial", "failed", "off"]


class Verification(TypedDict):
    """Whether the source of a contract is verified, and where anyone can see that."""

    status: Verdict
    urls: NotRequired[list[str]]


class VerifyAnswer(TypedDict):
    """An access token and the refresh token that renews it once; times are in seconds from now."""

    access_token: str
    token_type: NotRequired[str]
    expires_in: int
    refresh_token: str
    refresh_expires_in: int


class VerifyRequest(TypedDict):
    """A Sign-In with Ethereum message (EIP-4361) and the wallet's signature of it (EIP-191)."""

    message: str
    signature: str


class WalletAsset(TypedDict):
    """The parameters of `wallet_watchAsset` (EIP-747), which adds a token to a wallet."""

    type: Literal["ERC20"]
    options: WalletAssetOptions


class WalletAssetOptions(TypedDict):
    """What a wallet shows of a token."""

    address: str
    symbol: str
    decimals: int


class WalletGas(TypedDict):
    """What the jobs of one wallet cost, by chain."""

    wallet: str
    costs: list[GasCost]


class WalletTransaction(TypedDict):
    """The transaction by which the caller's wallet creates the contract on a chain."""

    tx_hash: str


class WebhookCreated(TypedDict):
    """A new webhook with its secret, which appears only here; an e-mail address has none."""

    id: str
    url: str
    events: list[str]
    format: Format
    all: bool
    confirmed: bool
    created_at: str
    disabled_at: NotRequired[str | None]
    disabled_reason: NotRequired[str | None]
    secret: str | None


class WebhookList(TypedDict):
    """A caller's webhooks, at most twenty."""

    webhooks: list[WebhookView]


class WebhookRequest(TypedDict):
    """Where to send which events."""

    url: str
    events: list[
        Literal[
            "build.*",
            "build.auditing",
            "build.cancelled",
            "build.complete",
            "build.deploying",
            "build.failed",
            "build.generating",
            "build.pending",
            "deployment.*",
            "deployment.active",
            "deployment.closed",
            "deployment.completed",
            "deployment.deploying",
            "deployment.error",
            "deployment.failed",
            "deployment.pending",
            "deployment.registering",
            "key.*",
            "key.created",
            "key.deleted",
            "payment.*",
            "payment.exhausted",
            "payment.low",
            "payment.recorded",
            "project.*",
            "project.failed",
            "project.pending",
            "project.processing",
            "project.success",
            "session.*",
            "session.ended",
            "session.reused",
            "session.started",
            "stack.*",
            "stack.failed",
            "stack.published",
            "stack.withdrawn",
            "worker.*",
            "worker.down",
            "worker.late",
            "worker.up",
        ]
    ]
    format: NotRequired[Format]
    all: NotRequired[bool]


class WebhookView(TypedDict):
    """A webhook; `disabled_reason` says why it was switched off. Only an e-mail address has to be confirmed."""

    id: str
    url: str
    events: list[str]
    format: Format
    all: bool
    confirmed: bool
    created_at: str
    disabled_at: NotRequired[str | None]
    disabled_reason: NotRequired[str | None]


class WorkerChange(TypedDict):
    """Whether anyone may see the worker's badge and status page."""

    public: bool


class WorkerPage(TypedDict):
    """A page of the fleet, newest enrolment first. It may be short, or empty, and still have a `next_cursor`.
    `uptime` has each worker's days by its wallet when `days` are asked for.
    """

    workers: list[WorkerView]
    next_cursor: NotRequired[str | None]
    uptime: NotRequired[dict[str, FleetUptime] | None]


class WorkerTokenAnswer(TypedDict):
    """The worker's token; it appears only here."""

    token: str


class WorkerView(TypedDict):
    """A worker. `session` is None when none is open, `containers` and `figures` for callers who may not see them.
    `figures` is None, too, for a worker that does not send them. `last_seen` is when its last beat arrived.
    `clock_offset_seconds` is how far its clock was ahead then. `clone_noticed_at` is when two machines were last
    seen to use its token. `public` is whether it has a badge.
    """

    wallet: str
    status: Liveness
    last_seen: str | None
    clock_offset_seconds: int | None
    clone_noticed_at: str | None
    retired_at: str | None
    public: bool
    enrolled_at: str
    session: SessionView | None
    containers: list[ContainerView] | None
    figures: FiguresView | None


class WorkloadDetail(TypedDict):
    """A workload with everything that Slipway knows of it."""

    deployment_id: str
    kind: Literal["akash"]
    name: NotRequired[str | None]
    status: AkashStatus
    dseq: NotRequired[str | None]
    provider: NotRequired[str | None]
    price: NotRequired[str | None]
    usd_per_hour: NotRequired[str | None]
    services: NotRequired[dict[str, ServiceState]]
    forwarded_ports: NotRequired[dict[str, list[Port]]]
    ips: NotRequired[dict[str, list[Port]]]
    observed_at: NotRequired[str | None]
    error: NotRequired[WorkloadError | None]
    close_requested_at: NotRequired[str | None]
    close_reason: NotRequired[str | None]
    closed_at: NotRequired[str | None]
    active_at: NotRequired[str | None]
    auto_top_up: NotRequired[bool]
    update_requested_at: NotRequired[str | None]
    top_up: NotRequired[str | None]
    final_cost: NotRequired[str | None]
    currency: Literal["USD"]
    chain_id: NotRequired[int | None]
    last_seen: NotRequired[Observation | None]
    created_at: str
    updated_at: str
    payment: NotRequired[PaymentState | None]
    choice: NotRequired[ChoiceState | None]
    live: NotRequired[LiveStatus | None]
    deposit: str
    preferences: dict[str, Any]
    leases: NotRequired[list[LeaseDetail]]
    events: NotRequired[list[EventDetail]]


class WorkloadError(TypedDict):
    """How a workload failed."""

    code: str
    message: str


class WorkloadEstimate(TypedDict):
    """What a workload would probably cost; bids decide. `gpu_usd_per_hour` is a part of `usd_per_hour`. The prices
    are None where the network has none for such a GPU.
    """

    kind: Literal["akash"]
    estimate: Literal[True]
    services: list[str]
    resources: WorkloadResources
    usd_per_hour: str | None
    usd_per_month: str | None
    gpu_usd_per_hour: str | None
    deposit: str
    payer: Literal["escrow", "account"]
    most_cost: str
    expected_cost: str | None
    currency: Literal["USD"]
    chain: int | None
    refusals: list[Refusal]


class WorkloadResources(TypedDict):
    """Everything that a workload asks for, over all replicas."""

    cpu_millicores: int
    memory_bytes: int
    storage_bytes: int
    gpus: int


class WorkloadStatus(TypedDict):
    """Where a workload stands. Fields are None until they are known."""

    deployment_id: str
    kind: Literal["akash"]
    name: NotRequired[str | None]
    status: AkashStatus
    dseq: NotRequired[str | None]
    provider: NotRequired[str | None]
    price: NotRequired[str | None]
    usd_per_hour: NotRequired[str | None]
    services: NotRequired[dict[str, ServiceState]]
    forwarded_ports: NotRequired[dict[str, list[Port]]]
    ips: NotRequired[dict[str, list[Port]]]
    observed_at: NotRequired[str | None]
    error: NotRequired[WorkloadError | None]
    close_requested_at: NotRequired[str | None]
    close_reason: NotRequired[str | None]
    closed_at: NotRequired[str | None]
    active_at: NotRequired[str | None]
    auto_top_up: NotRequired[bool]
    update_requested_at: NotRequired[str | None]
    top_up: NotRequired[str | None]
    final_cost: NotRequired[str | None]
    currency: Literal["USD"]
    chain_id: NotRequired[int | None]
    last_seen: NotRequired[Observation | None]
    created_at: str
    updated_at: str
    payment: NotRequired[PaymentState | None]
    choice: NotRequired[ChoiceState | None]
    live: NotRequired[LiveStatus | None]


class WorkloadSummary(TypedDict):
    """A workload in a list."""

    deployment_id: str
    kind: Literal["akash"]
    name: NotRequired[str | None]
    status: AkashStatus
    dseq: NotRequired[str | None]
    provider: NotRequired[str | None]
    price: NotRequired[str | None]
    usd_per_hour: NotRequired[str | None]
    services: NotRequired[dict[str, ServiceState]]
    forwarded_ports: NotRequired[dict[str, list[Port]]]
    ips: NotRequired[dict[str, list[Port]]]
    observed_at: NotRequired[str | None]
    error: NotRequired[WorkloadError | None]
    close_requested_at: NotRequired[str | None]
    close_reason: NotRequired[str | None]
    closed_at: NotRequired[str | None]
    active_at: NotRequired[str | None]
    auto_top_up: NotRequired[bool]
    update_requested_at: NotRequired[str | None]
    top_up: NotRequired[str | None]
    final_cost: NotRequired[str | None]
    currency: Literal["USD"]
    chain_id: NotRequired[int | None]
    last_seen: NotRequired[Observation | None]
    created_at: str
    updated_at: str
    payment: NotRequired[PaymentState | None]
    choice: NotRequired[ChoiceState | None]
    live: NotRequired[LiveStatus | None]
