"""The states of a build and of its deployments, and the order of its work. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where a build stands, in the words of specification 003, and ``cancelled``."""

    PENDING = "pending"
    GENERATING = "generating"
    AUDITING = "auditing"
    DEPLOYING = "deploying"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({Status.COMPLETE, Status.FAILED, Status.CANCELLED})
OPEN = frozenset(Status) - FINAL


class Step(StrEnum):
    """What a build's progress event is about."""

    QUEUED = "queued"
    CODE_GENERATION = "code_generation"
    SECURITY_AUDIT = "security_audit"
    FIXING = "fixing"
    DEPLOYMENT = "deployment"
    COMPLETE = "complete"
    ERROR = "error"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """Which task of the state machine is next."""

    GENERATE = "generate"
    COMPILE = "compile"
    AUDIT = "audit"
    FIX = "fix"
    PREPARE = "prepare"
    DEPLOY = "deploy"
    DONE = "done"


class ChainStatus(StrEnum):
    """Where a build's deployment on one chain stands."""

    PENDING = "pending"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    DEPLOYED = "deployed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Progress:
    """A progress event to record. ``progress`` is a percentage; all but a failure's never goes back."""

    status: Status
    progress: int
    step: Step
    message: str


DEPLOYING_FROM, DEPLOYING_TO = 70, 95
# A transaction that no block took for so long is called off, or followed no more.
DEPLOYMENT_SECONDS = 900


def deployment_progress(ended: int, chains: int) -> int:
    """Return the percentage when on ``ended`` of ``chains`` chains the deployment has ended, well or not."""
    return DEPLOYING_FROM + (DEPLOYING_TO - DEPLOYING_FROM) * ended // max(1, chains)
