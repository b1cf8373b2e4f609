"""The copy of the list of providers, for all functions.

Keys in the control table:

- ``PROVIDERS`` / ``COPY``: which version is the newest, and who refreshes it;
- ``PROVIDERS`` / ``PART#<version>#<number>``: the version's compressed JSON, in parts that fit an item.
"""

import uuid
import zlib

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from slipway.akash.providers.models import Market
from slipway.akash.stale_while_revalidate import Copy
from slipway.store import ControlItem, condition_held, upstream_errors
from slipway.times import epoch_seconds

# An item holds 400 KB at most, its names included.
PART_BYTES = 300_000
# A list that nobody could refresh for so long is of no use.
_KEPT_SECONDS = 7 * 86400
_KEY = ("PROVIDERS", "COPY")


class ProviderCopy(ControlItem):
    """The newest version. Moments in seconds since 1970."""

    version = UnicodeAttribute(null=True)
    as_of = NumberAttribute(null=True)
    took = NumberAttribute(null=True)
    claimed_until = NumberAttribute(null=True)


class ProviderPart(ControlItem):
    """A part of a version."""

    body = BinaryAttribute(legacy_encoding=False)
    expires_at = NumberAttribute()


class ProviderShelf:
    """Keeps the copy in the control table (``copies.Shelf``)."""

    def read(self) -> Copy[Market] | None:
        """Return the copy, if there is one; the newest version is written after its parts."""
        with upstream_errors():
            try:
                item = ProviderCopy.get(*_KEY, consistent_read=True)
            except DoesNotExist:
                return None
            if item.version is None:
                return None
            parts = ProviderPart.query(
                _KEY[0], ProviderPart.sk.startswith(f"PART#{item.version}#"), consistent_read=True
            )
            body = b"".join(part.body for part in parts)
        if not body:
            return None
        market = parse_market(zlib.decompress(body))
        return Copy(market, float(item.as_of), float(item.took))

    def claim(self, now: float, until: float) -> bool:
        """Take the refresh."""
        free = ProviderCopy.claimed_until.does_not_exist() | (ProviderCopy.claimed_until < now)
        return condition_held(
            lambda: ProviderCopy(*_KEY).update(actions=[ProviderCopy.claimed_until.set(until)], condition=free)
        )

    def put(self, copy: Copy[Market]) -> None:
        """Keep a copy unless a newer one is there."""
        version = uuid.uuid4().hex
        body = zlib.compress(market_json(copy.value))
        with upstream_errors():
            for number, start in enumerate(range(0, len(body), PART_BYTES)):
                ProviderPart(
                    _KEY[0],
                    f"PART#{version}#{number:03}",
                    body=body[start : start + PART_BYTES],
                    expires_at=epoch_seconds() + _KEPT_SECONDS,
                ).save()
        condition_held(
            lambda: ProviderCopy(*_KEY).update(
                actions=[
                    ProviderCopy.version.set(version),
                    ProviderCopy.as_of.set(copy.as_of),
                    ProviderCopy.took.set(copy.took),
                    ProviderCopy.claimed_until.remove(),
                ],
                condition=ProviderCopy.as_of.does_not_exist() | (ProviderCopy.as_of < copy.as_of),
            )
        )


def market_json(market: Market) -> bytes:
    """Return a market as JSON that still shows which fields upstream left out."""
    return market.model_dump_json(by_alias=True, exclude_unset=True).encode()


def parse_market(text: bytes) -> Market:
    """Read what ``market_json`` wrote."""
    return Market.model_validate_json(text)
