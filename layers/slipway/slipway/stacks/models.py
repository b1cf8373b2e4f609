"""Shapes of requests for stacks and of what is answered of them. Times are ISO 8601 in UTC."""

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from slipway.akash.bidding.preferences import Preferences
from slipway.akash.sdl.parser import parse_cpu, parse_size
from slipway.akash.status.models import Cost
from slipway.jobs.models import EventDetail

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_RESERVED = re.compile(r"SLIPWAY_.*|BANANO_RPC_ENDPOINT")
_MAX_VARIABLES = 100


class Kind(StrEnum):
    """Which of an environment's two stacks."""

    NODE = "node"
    API = "api"


class Status(StrEnum):
    """Where a stack stands."""

    DEPLOYING = "deploying"
    ACTIVE = "active"
    FAILED = "failed"
    DELETING = "deleting"
    DELETED = "deleted"


RUNNING = frozenset({Status.DEPLOYING, Status.DELETING})


class Operation(StrEnum):
    """What a job does to a stack. ``FOLLOW`` rolls an API stack after its node."""

    DEPLOY = "deploy"
    UPDATE = "update"
    RESTART = "restart"
    FOLLOW = "follow"
    DELETE = "delete"


def _cores(value: Any) -> str:
    parse_cpu(value)
    return str(value)


def _size(value: Any) -> Any:
    parse_size(value)
    return value


def _environment(variables: dict[str, str]) -> dict[str, str]:
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name[:40]!r} is not the name of a variable")
        if _RESERVED.fullmatch(name):
            raise ValueError(f"{name} is set by Slipway")
        if len(value) > 8192 or "\0" in value or "\n" in value or "\r" in value:
            raise ValueError(f"{name} must be one line of at most 8192 characters")
    return variables


Cores = Annotated[str, BeforeValidator(_cores), Field(examples=["2", "500m"])]
Size = Annotated[str, BeforeValidator(_size), Field(examples=["4Gi"])]
Image = Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._/:@-]{0,254}$", examples=["bananocoin/banano:V26.1"])]
Variables = Annotated[dict[str, str], Field(max_length=_MAX_VARIABLES), AfterValidator(_environment)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NodeResources(_Request):
    """What the node gets. ``data`` is the persistent volume that holds the ledger."""

    cpu: Cores = "2"
    memory: Size = "4Gi"
    storage: Size = "8Gi"
    data: Size = "64Gi"


class ApiResources(_Request):
    """What the API service gets."""

    cpu: Cores = "1"
    memory: Size = "1Gi"
    storage: Size = "4Gi"


class NodeSpec(_Request):
    """What a node stack shall be. Everything has a default.

    Attributes:
        image: The container's image. The installation's by default, where that names a version or a digest.
        env: Further environment variables.
        resources: What it gets.
        preferences: Which providers will do.
        keep: Leave a failed deployment open for a look, instead of closing it.
        restart: Whether a published node that stopped answering is restarted.
    """

    image: Image | None = None
    env: Variables = {}
    resources: NodeResources = NodeResources()
    preferences: Preferences = Preferences()
    keep: bool = False
    restart: Literal["never", "on_failure"] = "never"


class ApiSpec(_Request):
    """What an API stack shall be. Everything has a default.

    Attributes:
        image: The container's image. The installation's by default, where that names a version or a digest.
        env: Further environment variables.
        resources: What it gets.
        preferences: Which providers will do.
        keep: Leave a failed deployment open for a look, instead of closing it.
        follow: Roll the stack by itself when its node's endpoint moves.
    """

    image: Image | None = None
    env: Variables = {}
    resources: ApiResources = ApiResources()
    preferences: Preferences = Preferences()
    keep: bool = False
    follow: bool = False


Spec = NodeSpec | ApiSpec
# What a stack does after its deployment is not part of what is deployed.
FLAGS = frozenset({"keep", "follow", "restart"})


def spec_class(kind: Kind) -> type[NodeSpec] | type[ApiSpec]:
    """Return the shape of a kind's specification."""
    return NodeSpec if kind is Kind.NODE else ApiSpec


def stored(spec: Spec) -> dict[str, Any]:
    """Return a specification as it is stored: JSON from which ``restored`` makes it again."""
    return spec.model_dump(mode="json", by_alias=True)


def restored(kind: Kind, value: dict[str, Any]) -> Spec:
    """Return the inverse of ``stored``."""
    return spec_class(kind).model_validate(value)


def is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two stored specifications deploy the same."""
    return {**one, **dict.fromkeys(FLAGS)} == {**other, **dict.fromkeys(FLAGS)}


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────


class JobDetail(BaseModel):
    """What is being done to a stack, or was last."""

    job_id: str
    operation: Operation
    generation: int
    started_at: str
    ended_at: str | None = None


class StackError(BaseModel):
    """Why the last job failed."""

    code: str
    message: str


class DiscoveryTry(BaseModel):
    """One look for the node's forwarded port."""

    count: int
    at: str
    outcome: Literal["attempt", "success", "failure"]
    cause: str | None = None


class Health(BaseModel):
    """What the last probe of a published node found.

    Attributes:
        probed_at: When it was.
        answers: Whether the node answered.
        failures: How many probes in a row it did not answer.
        block_count: Its height, when it last answered.
        peers: How many peers it named then; None if it names none.
        reason: Why it did not.
        withdrawn_at: Since when its endpoint is withdrawn for that.
    """

    probed_at: str
    answers: bool
    failures: int
    block_count: int | None = None
    peers: int | None = None
    reason: str | None = None
    withdrawn_at: str | None = None


class StackAnswer(BaseModel):
    """A stack.

    Attributes:
        generation: Raised by every job that changes or restarts it.
        spec: What it shall be.
        deployment_id: Its workload; ``GET /api/deployments/{id}`` has more for the operator who asked for it.
        dseq: The workload's number on Akash.
        endpoint: Of a node, what is published; of an API stack, the node's endpoint that it uses.
        stale_endpoint: Of an API stack: what it uses is not what its node publishes.
        discovery: Looks for the node's port in the last job.
        node_version: What the node said of itself.
        health: Of a published node: what its last probe found.
        unchanged: In the answer to a PUT that changes nothing.
    """

    environment: str
    kind: Kind
    status: Status
    generation: int
    spec: dict[str, Any]
    job: JobDetail
    deployment_id: str | None = None
    dseq: str | None = None
    provider: str | None = None
    uris: list[str] = []
    endpoint: str | None = None
    stale_endpoint: bool | None = None
    discovery: list[DiscoveryTry] = []
    node_version: str | None = None
    health: Health | None = None
    error: StackError | None = None
    unchanged: bool | None = None
    created_at: str
    updated_at: str


class StackDetail(StackAnswer):
    """A stack with its events, oldest first, the last two hundred."""

    events: list[EventDetail] = []


class StackSummary(StackAnswer):
    """A stack in a list; ``cost`` is None while it is not known."""

    cost: Cost | None = None


class StackPage(BaseModel):
    """A page of all environments' stacks, the one made last first. It may be short and have a ``next_cursor``."""

    stacks: list[StackSummary]
    next_cursor: str | None = None
