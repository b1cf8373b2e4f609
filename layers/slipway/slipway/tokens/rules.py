"""Pure decisions about token requests and launches."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from slipway.amounts import base_units
from slipway.chain.models import FINAL, Progress, TransactionState
from slipway.errors import ForbiddenError, ModelNotFoundError, ModelNotValidatedError, SlipwayError, TokenExistsError
from slipway.tokens.models import DECIMALS, ModelMetadata, ModelState, Purpose

_SYMBOL_LENGTH = 10
_SYMBOL_TRIES = 6
_PREFIX = "HKS"
_MIN_OWN_CHARACTERS = 2
# A launch that needed more executions is given up: something is wrong that starting again does not mend.
MAX_EXECUTIONS = 20
# A launch that has not ended by then is called off, or one that reconcile checks.
LAUNCH_SECONDS = 900
# How soon reconcile first checks one, and how often then.
RECONCILE_AFTER_SECONDS = 90
# How soon a launch that failed half done is taken up again, twice as long after each try.
_RESUME_SECONDS = 30
_MAX_RESUME_SECONDS = 3600


class Step(StrEnum):
    """What is due for a launch."""

    CHECK = "check"
    SIGN = "sign"
    BROADCAST = "broadcast"
    CONFIRM = "confirm"
    BUMP = "bump"
    CANCEL = "cancel"
    DONE = "done"


# Steps that the signer does.
SIGNING = frozenset({Step.SIGN, Step.BUMP, Step.CANCEL})


def default_name(model_id: str) -> str:
    """Return the name of a token whose owner gave none (specification 004)."""
    return f"Hokusai {model_id}"


def shares(initial_supply: str, allocations: Iterable[Mapping[str, str]], wallet: str) -> dict[str, int]:
    """Return how much each address gets of a first supply, in base units: what is allocated, and ``wallet`` the rest.

    Args:
        initial_supply: In whole tokens.
        allocations: Each an ``address`` and its ``amount`` in whole tokens; together no more than the supply.
        wallet: Whose launch it is.
    """
    found = {entry["address"]: base_units(entry["amount"], DECIMALS) for entry in allocations}
    if rest := base_units(initial_supply, DECIMALS) - sum(found.values()):
        found[wallet] = found.get(wallet, 0) + rest
    return found


def symbol_candidates(model_id: str) -> Iterator[str]:
    """Symbols to try for a model, best first: its own letters and digits, then shorter with a fingerprint.

    All match ``^[A-Z0-9-]{1,10}$``, and the same model always gives the same ones.
    """
    own = re.sub(r"[^A-Z0-9]", "", model_id.upper().encode("ascii", "ignore").decode())
    base = own if len(own) >= _MIN_OWN_CHARACTERS else _PREFIX + own
    if base != _PREFIX:
        yield base[:_SYMBOL_LENGTH]
    for attempt in range(_SYMBOL_TRIES):
        fingerprint = hashlib.sha256(f"{attempt}:{model_id}".encode()).hexdigest()[:5].upper()
        yield f"{base[: _SYMBOL_LENGTH - 6]}-{fingerprint}"


def model_refusal(model: ModelMetadata | None, wallet: str | None) -> SlipwayError | None:
    """Return why this wallet may not launch a token for this model, or None.

    That a stranger is one comes before how far the model is.
    """
    if model is None:
        return ModelNotFoundError("The model does not exist")
    problems = "; ".join(f"{name} {problem}" for name, problem in model.problems.items())
    if model.owner is None:
        return ForbiddenError(f"The model's owner is unknown: {problems}", details={"tags": model.problems})
    if not model.is_shared_with(wallet):
        return ForbiddenError("Only the model's owner or a contributor may launch its token")
    if problems:
        message = f"Tags of the model make no sense: {problems}"
        return ModelNotValidatedError(message, details={"tags": model.problems})
    if model.state is not ModelState.VALIDATED:
        return ModelNotValidatedError("The model is not validated", details={"state": str(model.state)})
    return None


def cost_of(gas: float | None, price: str | None, cost: str | None) -> int | None:
    """Return the wei paid for a transaction by what a launch keeps of it: those of before 2026-11-29 keep no cost."""
    if cost is not None:
        return int(cost)
    return None if gas is None or price is None else int(gas) * int(price)


def to_sign(states: Mapping[str, TransactionState], purposes: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
    """Return the purposes for which a launch has to sign, for the first time or anew.

    While any of its transactions is open there is nothing to sign: a purpose gets another nonce only once all that was
    signed is final, so no two transactions for it can ever be mined. Each depends on those before it, so what had no
    effect is signed anew together: a registration is bound to the token's address, a distribution to the registration.

    Args:
        states: How far each transaction is that is signed.
        purposes: What the launch takes, in the order of the nonces.
    """
    if any(found.progress not in FINAL for found in states.values()):
        return ()
    progress = {purpose: states[purpose].progress if purpose in states else None for purpose in purposes}
    if progress["deploy"] is not Progress.CONFIRMED:
        # A launch whose creation was called off has ended.
        return purposes if progress["deploy"] in (None, Progress.VOID) else ()
    missing = tuple(purpose for purpose in purposes if progress[purpose] is not Progress.CONFIRMED)
    without_effect = (None, Progress.VOID, Progress.CANCELLED)
    return missing if missing and progress[missing[0]] in without_effect else ()


def next_step(
    states: Mapping[str, TransactionState],
    purposes: tuple[Purpose, ...],
    *,
    late: bool,
    called_off: bool,
    asked: bool,
    refused: bool = False,
) -> Step:
    """Return what is due for a launch by how far its transactions are.

    Args:
        states: How far each transaction is.
        purposes: What the launch takes.
        late: Whether the launch's deadline has passed: then what no block took is called off, unless the token is
            mined.
        called_off: Whether that was signed already.
        asked: Whether the signer was asked just now; it is not asked again without a pause.
        refused: Whether nodes refused just now to take what they miss; it is not sent again without a pause.
    """
    open_states = [found for found in states.values() if found.progress not in FINAL]
    progress = {found.progress for found in open_states}
    deploy = states.get("deploy")
    if not open_states:
        step = Step.SIGN if to_sign(states, purposes) else Step.DONE
    elif late and not called_off and deploy in open_states and deploy.receipt is None:
        step = Step.CANCEL
    elif Progress.MISSING in progress and not refused:
        step = Step.BROADCAST
    else:
        step = Step.BUMP if Progress.STUCK in progress else Step.CONFIRM
    return Step.CONFIRM if asked and step in SIGNING else step


@dataclass(frozen=True)
class FailureOutcome:
    """What is left of a launch that has failed.

    Attributes:
        resume: Whether it is taken up again, because something of it is, or may still come to be, on chain.
        release: Whether its model is free: nothing of it is open, and it is not taken up again.
    """

    resume: bool
    release: bool


def failure_outcome(
    states: Mapping[str, TransactionState], *, sent: bool, called_off: bool, executions: int, code: str
) -> FailureOutcome:
    """Return what is left of a failed launch.

    Args:
        states: How far each transaction is.
        sent: Whether any was sent.
        called_off: Whether any was called off: then its nonce is closed, and the chain decides.
        executions: How many executions it has had.
        code: Why it failed. A model that has another token never gets this one.
    """
    is_open = any(found.progress not in FINAL for found in states.values())
    has_token = "deploy" in states and states["deploy"].progress is Progress.CONFIRMED
    may = executions < MAX_EXECUTIONS and code != TokenExistsError.code
    resume = may and (has_token or (is_open and sent and not called_off))
    return FailureOutcome(resume, release=not is_open and not resume)


def can_resume(states: Mapping[str, TransactionState], *, called_off: bool, code: str | None) -> bool:
    """Return whether anything of a failed launch is left to finish, by what is written down of its transactions.

    Args:
        states: What is written down of each transaction.
        called_off: Whether an open one was called off: then only the chain decides.
        code: Why it failed.
    """
    is_open = any(found.progress not in FINAL for found in states.values())
    has_token = "deploy" in states and states["deploy"].progress is Progress.CONFIRMED
    return code != TokenExistsError.code and (has_token or (is_open and not called_off))


def resume_pause(executions: int) -> int:
    """Return the seconds after which a launch that failed half done is taken up again."""
    return int(min(_RESUME_SECONDS * 2 ** min(executions - 1, 10), _MAX_RESUME_SECONDS))
