"""How often a caller may do things."""

from slipway.identity.models import Caller
from slipway.limits.store import Quota
from slipway.settings import tier_limit


def quota_of(caller: Caller, name: str) -> Quota:
    """Return what a caller with a wallet may do of one thing, by the limit of its wallet, its tier or the template."""
    limit = {**tier_limit(name, caller.tier), **caller.limits.get(name, {})}
    return Quota(name, str(caller.wallet), limit)
