"""Limits that an administrator changed. Key in the control table: ``LIMITS`` / ``TIER#<tier>`` or ``WALLET#<wallet>``.

A wallet's own limit goes before that of its tier, which goes before the template's.
"""

from collections.abc import Mapping

from pynamodb.attributes import JSONAttribute

from slipway.errors import ConflictError
from slipway.store import ControlItem, ItemKey, read_item, update_if, upstream_errors

_PARTITION = "LIMITS"
_TRIES = 5
# By name and span, as in {"launches": {"hour": 5}}.
type Limits = dict[str, dict[str, int]]


class LimitsItem(ControlItem):
    """What was changed for a tier or a wallet."""

    limits = JSONAttribute(null=True)


def keys(wallet: str, tier: str) -> tuple[ItemKey[LimitsItem], ItemKey[LimitsItem]]:
    """Return what is to be read for a caller: its tier's item and its wallet's."""
    return (LimitsItem, _key(f"TIER#{tier}")), (LimitsItem, _key(f"WALLET#{wallet}"))


def _key(whose: str) -> tuple[str, str]:
    return _PARTITION, whose


def merged(*items: LimitsItem | None) -> Limits:
    """Return the limits of items, where each goes before those in front of it."""
    found: Limits = {}
    for item in items:
        for name, spans in ((item.limits if item else None) or {}).items():
            found[name] = {**found.get(name, {}), **spans}
    return found


def all_changed() -> dict[str, Limits]:
    """Return everything that is changed, by ``TIER#<tier>`` and ``WALLET#<wallet>``."""
    with upstream_errors():
        return {item.sk: dict(item.limits or {}) for item in LimitsItem.query(_PARTITION)}


def change(whose: str, limits: Mapping[str, Mapping[str, int] | None] | None) -> None:
    """Set limits of a tier or a wallet by name; None takes one back, or all of them.

    Raises:
        ConflictError: Somebody else keeps changing them.
        UpstreamUnavailableError: The table did not answer.
    """
    key = _key(whose)
    for _ in range(_TRIES):
        item = read_item(LimitsItem, key)
        before = item.limits if item else None
        given = {**(before or {}), **limits} if limits is not None else {}
        after = {name: dict(spans) for name, spans in given.items() if spans is not None}
        unchanged = LimitsItem.limits == before if before is not None else LimitsItem.limits.does_not_exist()
        if update_if(LimitsItem(*key), unchanged, [LimitsItem.limits.set(after)]):
            return
    raise ConflictError("The limits are being changed by somebody else; try again", retry_after=1)
