"""Pure decisions about token requests."""

import hashlib
import re
from collections.abc import Iterator

from slipway.errors import ForbiddenError, ModelNotFoundError, ModelNotValidatedError, SlipwayError
from slipway.tokens.models import ModelMetadata, ModelState

_SYMBOL_LENGTH = 10
_SYMBOL_TRIES = 6
_PREFIX = "HKS"
_LEAST_OWN_CHARACTERS = 2


def default_name(model_id: str) -> str:
    """The name of a token whose owner gave none (specification 004)."""
    return f"Hokusai {model_id}"


def symbol_candidates(model_id: str) -> Iterator[str]:
    """Symbols to try for a model, best first: its own letters and digits, then shorter with a fingerprint.

    All match ``^[A-Z0-9-]{1,10}$``, and the same model always gives the same ones.
    """
    own = re.sub(r"[^A-Z0-9]", "", model_id.upper().encode("ascii", "ignore").decode())
    base = own if len(own) >= _LEAST_OWN_CHARACTERS else _PREFIX + own
    if base != _PREFIX:
        yield base[:_SYMBOL_LENGTH]
    for attempt in range(_SYMBOL_TRIES):
        fingerprint = hashlib.sha256(f"{attempt}:{model_id}".encode()).hexdigest()[:5].upper()
        yield f"{base[: _SYMBOL_LENGTH - 6]}-{fingerprint}"


def model_refusal(model: ModelMetadata | None, wallet: str) -> SlipwayError | None:
    """Why this wallet may not launch a token for this model, or None.

    A stranger is told that it is a stranger before it is told how far the model is.
    """
    if model is None:
        return ModelNotFoundError("The model does not exist")
    if wallet != model.owner and wallet not in model.contributors:
        return ForbiddenError("Only the model's owner or a contributor may launch its token")
    if model.state is not ModelState.VALIDATED:
        return ModelNotValidatedError("The model is not validated", details={"state": str(model.state)})
    return None


def total_cost(parts: list[tuple[int, int]]) -> int:
    """Wei paid for transactions given as (gas used, effective gas price)."""
    return sum(gas * price for gas, price in parts)
