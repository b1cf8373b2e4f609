"""Wallets that users of an external issuer have proved to be theirs.

Key in the control table: ``LINK#<hash>`` / ``LINK``. The hash is of the issuer and its
subject, which may be longer than a key.
"""

import hashlib
from dataclasses import replace

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute

from slipway.identity.models import Caller
from slipway.store import ControlItem, read_item, upstream_errors


class Link(ControlItem):
    """The wallets of one user of one issuer; ``latest`` is the one that stands in for a claim that is not there."""

    wallets = UnicodeSetAttribute()
    latest = UnicodeAttribute()


def _key(issuer: str, subject: str) -> tuple[str, str]:
    return f"LINK#{hashlib.sha256(f'{len(issuer)}:{issuer}{subject}'.encode()).hexdigest()}", "LINK"


def add(issuer: str, subject: str, wallet: str) -> None:
    """Link a wallet that has signed."""
    with upstream_errors():
        Link(*_key(issuer, subject)).update(actions=[Link.wallets.add({wallet}), Link.latest.set(wallet)])


def with_linked_wallet(caller: Caller) -> Caller:
    """Return the caller of an external issuer with the wallet that counts: the claimed one if it is linked.

    Without a claim it is the one that was linked last; a claim that is not linked makes a caller without a wallet.
    """
    link = read_item(Link, _key(str(caller.issuer), caller.subject))
    linked = set(link.wallets or ()) if link else set()
    if caller.wallet is None:
        return replace(caller, wallet=link.latest if link else None)
    return caller if caller.wallet in linked else replace(caller, wallet=None)
