"""The chains that contracts can be deployed to, as callers name them."""

from collections.abc import Sequence

from slipway.chain.models import Chain
from slipway.errors import ValidationFailedError
from slipway.settings import chain_settings


def supported_chains() -> tuple[Chain, ...]:
    """Every chain of this installation, by id."""
    chains = chain_settings().chains
    return tuple(chains[chain_id] for chain_id in sorted(chains))


def known_chain(chain_id: int) -> Chain | None:
    """A chain by its id; None for one that this installation does not have, or has no more."""
    return chain_settings().chains.get(chain_id)


def chosen_chains(chain_ids: Sequence[int], field: str = "chains") -> tuple[Chain, ...]:
    """The chains that a caller chose, in its order.

    Args:
        chain_ids: Their ids.
        field: What the request calls them.

    Raises:
        ValidationFailedError: One is named twice, or is unknown; the message names those and the chains there are.
    """
    repeated = sorted({chain_id for chain_id in chain_ids if chain_ids.count(chain_id) > 1})
    if repeated:
        raise ValidationFailedError.of_field(field, f"{_listed(repeated)} is named more than once")
    known = chain_settings().chains
    unknown = [chain_id for chain_id in chain_ids if chain_id not in known]
    if unknown:
        there_are = _listed([f"{chain.chain_id} ({chain.name})" for chain in supported_chains()])
        raise ValidationFailedError.of_field(field, f"no such chain: {_listed(unknown)}; there are {there_are}")
    return tuple(known[chain_id] for chain_id in chain_ids)


def _listed(parts: Sequence[object]) -> str:
    return ", ".join(str(part) for part in parts)
