"""Use cases of the administrator: the limits of tiers and wallets, and new ones."""

from slipway.limits import overrides
from slipway.limits.models import ByName, LimitsAnswer, LimitsChange
from slipway.settings import limit_names, limited_tiers, tier_limit

_TIER, _WALLET = "TIER#", "WALLET#"


def limits() -> LimitsAnswer:
    """Return what holds for each tier, and what was set for wallets."""
    changed = overrides.all_changed()
    tiers = {*limited_tiers(), *(whose.removeprefix(_TIER) for whose in changed if whose.startswith(_TIER))}
    return LimitsAnswer(
        tiers={tier: _of_tier(tier, changed.get(_TIER + tier, {})) for tier in sorted(tiers)},
        wallets={
            whose.removeprefix(_WALLET): of_wallet
            for whose, of_wallet in sorted(changed.items())
            if whose.startswith(_WALLET) and of_wallet
        },
    )


def _of_tier(tier: str, changed: ByName) -> ByName:
    return {name: {**tier_limit(name, tier), **changed.get(name, {})} for name in limit_names()}


def change_limits(change: LimitsChange) -> LimitsAnswer:
    """Set limits, from the next request on; raises as ``overrides.change``."""
    for tier, of_tier in change.tiers.items():
        overrides.change(_TIER + tier, of_tier)
    for wallet, of_wallet in change.wallets.items():
        overrides.change(_WALLET + wallet, of_wallet)
    return limits()
