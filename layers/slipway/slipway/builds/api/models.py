"""Shapes of the builds' routes, as specification 003 gives them; what the design adds has a default.

Times are ISO 8601 in UTC, durations seconds. Amounts of wei and gas are decimal texts.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel

from slipway.builds.models import ConstructorArgument, ModelUsage, NotHonoured
from slipway.builds.states import ChainStatus, Status
from slipway.chain.unsigned import UnsignedCreation
from slipway.verification.models import Verification


def _printable_prompt(text: str) -> str:
    if "\x00" in text or any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise ValueError("must be text")
    if len(text.strip()) < MIN_PROMPT:
        raise ValueError(f"must have at least {MIN_PROMPT} characters besides the spaces around it")
    return text


def _distinct(chains: list[int]) -> list[int]:
    if len(set(chains)) != len(chains):
        raise ValueError("must not name a chain twice")
    return chains


ReportFormat = Literal["json", "sarif", "markdown"]
MIN_PROMPT, MAX_PROMPT = 10, 2000
MAX_CHAINS = 10

ChainId = Annotated[int, Field(ge=1, le=2**53, strict=True)]
AnyChainIds = Annotated[list[ChainId], Field(max_length=MAX_CHAINS), AfterValidator(_distinct)]
ChainIds = Annotated[list[ChainId], Field(min_length=1, max_length=MAX_CHAINS), AfterValidator(_distinct)]


class BuildRequest(BaseModel):
    """A contract is to be written, audited and deployed. ``options`` take precedence over the prompt."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "prompt": "Create an ERC-20 token called HyperKit with 1 billion supply",
                "chains": [5001],
                "template": "erc20",
            }
        },
    )

    prompt: Annotated[
        str, Field(min_length=MIN_PROMPT, max_length=MAX_PROMPT, strict=True), AfterValidator(_printable_prompt)
    ]
    chains: Annotated[AnyChainIds, Field(description="At least one, but for `options.deploy: false` and for a preview")]
    template: Annotated[str, Field(max_length=64, strict=True)] | None = None
    options: dict[str, Any] | None = None
    auth_token: Annotated[str, Field(max_length=8192)] | None = None


class PreviewRequest(BuildRequest):
    """What would a prompt become? ``chains`` are those whose gas is wanted, if any."""

    chains: AnyChainIds = []


class GasEstimate(BaseModel):
    """What a contract's creation is estimated to use on a chain.

    ``cost`` is in wei at the chain's present fees, a decimal text, and null while no node of the chain answers.
    """

    chain_id: int
    gas: int
    cost: str | None
    currency: str


class BuildRefusal(BaseModel):
    """Why a build of the same request would be refused."""

    code: str
    message: str


class Preview(BaseModel):
    """What a prompt would become; nothing was written. ``refusals`` is empty when a build would be accepted.

    ``kind``, ``title``, ``source`` and ``options`` are those of the contract as far as the request can be honoured.
    """

    kind: str | None
    title: str
    contract_name: str | None = None
    options: dict[str, Any]
    assumed: list[str]
    not_honoured: list[NotHonoured]
    powers: list[str]
    source: str
    constructor_arguments: list[ConstructorArgument] = []
    gas: list[GasEstimate]
    refusals: list[BuildRefusal]


class BuildResponse(BaseModel):
    """A build that was accepted. ``estimated_time`` is in seconds; ``stream_url`` is where its progress is sent."""

    build_id: str
    status: Status
    created_at: str
    estimated_time: Annotated[int, Field(description="Estimated completion in seconds")]
    stream_url: str | None = None


class ChainTarget(BaseModel):
    """A chain that a build is for."""

    chain_id: int
    chain_name: str
    testnet: bool = True


class Snippets(BaseModel):
    """Programs that read the contract; each wants its ABI in ``abi.json`` and a node's address in ``RPC_URL``."""

    viem: str
    web3_py: str


class ChainDeployment(BaseModel):
    """A build's deployment on one chain. ``cost`` is in wei, ``gas_used`` in units of gas, both decimal texts.

    ``explorer_url`` shows the transaction, ``explorer_contract_url`` the contract; both are null without an explorer.

    ``transaction`` is there where the caller's wallet signs, once the audit passed and until the contract is there.
    """

    chain_id: int
    chain_name: str
    status: ChainStatus
    address: str | None = None
    tx_hash: str | None = None
    block_number: int | None = None
    gas_used: str | None = None
    cost: str | None = None
    currency: str | None = None
    error: str | None = None
    error_code: str | None = None
    explorer_url: str | None = None
    explorer_contract_url: str | None = None
    constructor_arguments_encoded: str | None = None
    snippets: Snippets | None = None
    verification: Verification | None = None
    transaction: UnsignedCreation | None = None


class ChainCost(BaseModel):
    """What the deployment on a chain cost, in wei of its currency; a decimal text."""

    chain_id: int
    currency: str
    cost: str


class BuildDetail(BaseModel):
    """A build with all that came of it.

    ``code``, ``abi``, ``audit_report`` and ``costs`` are in a build's own answer, not in lists. ``bytecode_hash`` is
    the Keccak-256 hash of the creation code with its arguments, as it was audited. ``total_cost`` is in whole units of
    the chains' currency, ``total_cost_wei`` the same exactly; both are null where the chains' currencies differ.
    ``not_honoured`` is what of the request the contract does not have (only where ``strict`` is false), ``assumed``
    what was chosen where the request left it open, and ``powers`` who can do what to holders.
    """

    build_id: str
    status: Status
    prompt: str
    chains: list[ChainTarget]
    template: str | None
    options: dict[str, Any] | None = None
    created_at: str
    updated_at: str
    completed_at: str | None = None
    progress: int
    step: str
    sequence: int
    stream_url: str | None = None

    code: str | None = None
    audit_report: dict[str, Any] | None = None
    abi: list[dict[str, Any]] | None = None
    bytecode_hash: str | None = None
    costs: list[ChainCost] | None = None
    deployments: list[ChainDeployment] | None = None

    engine: str | None = None
    usage: ModelUsage | None = None
    kind: str | None = None
    title: str | None = None
    contract_name: str | None = None
    constructor_arguments: list[ConstructorArgument] | None = None
    effective_options: dict[str, Any] | None = None
    assumed: list[str] = []
    not_honoured: list[NotHonoured] = []
    powers: list[str] = []
    strict: bool = True
    signer: Literal["slipway", "wallet"] = "slipway"

    generation_time: float | None = None
    audit_time: float | None = None
    deploy_time: float | None = None
    total_cost: float | None = None
    total_cost_wei: str | None = None
    gas_used: str | None = None

    error: str | None = None
    error_code: str | None = None
    error_details: dict[str, Any] | None = None


class BuildList(BaseModel):
    """A page of a caller's builds, newest first. ``total`` counts all that match."""

    builds: list[BuildDetail]
    total: int
    page: int
    page_size: int


class Cancelled(BaseModel):
    """A build was cancelled; nothing of it is sent to a chain any more."""

    status: Literal["cancelled"] = "cancelled"


class DeployRequest(RootModel[ChainIds]):
    """Chains to deploy to, as a bare list of their ids."""


class WalletTransaction(BaseModel):
    """The transaction by which the caller's wallet creates the contract on a chain."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"tx_hash": "0x" + "5c" * 32}})

    tx_hash: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$", strict=True), AfterValidator(str.lower)]


class DeployAnswer(BaseModel):
    """More deployments of a build were accepted. ``chains`` are those that are now being deployed to."""

    build_id: str
    status: Status
    chains: list[int]
    deployments: list[ChainDeployment]
    stream_url: str | None = None


class Ticket(BaseModel):
    """Opens a build's stream once, within ``expires_in`` seconds, as ``?ticket=``."""

    ticket: str
    expires_in: int
    stream_url: str | None = None
