"""The cached list of providers, for all functions.

Keys in the control table:

- ``PROVIDERS`` / ``COPY``: which version is the newest, and until when its revalidation is claimed;
- ``PROVIDERS`` / ``PART#<version>#<number>``: the version's compressed JSON, in parts that fit an item.
"""

import uuid
import zlib

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from slipway.akash.providers.models import Market
from slipway.akash.stale_while_revalidate import CacheEntry, claim_revalidation, put_entry
from slipway.store import ControlItem, read_item, upstream_errors
from slipway.times import epoch_seconds

# An item holds 400 KB at most, its names included.
PART_BYTES = 300_000
# A list that could not be revalidated for so long is of no use.
_TTL_SECONDS = 7 * 86400
_KEY = ("PROVIDERS", "COPY")


class ProviderVersion(ControlItem):
    """The newest version. Moments in seconds since 1970."""

    version = UnicodeAttribute(null=True)
    as_of = NumberAttribute(null=True)
    took = NumberAttribute(null=True)
    claimed_until = NumberAttribute(null=True)


class ProviderPart(ControlItem):
    """A part of a version."""

    body = BinaryAttribute(legacy_encoding=False)
    expires_at = NumberAttribute()


class ProviderCache:
    """The cache of the list of providers; see ``stale_while_revalidate.Cache``."""

    def read(self) -> CacheEntry[Market] | None:
        """Return the entry, if there is one; the newest version is written after its parts."""
        item = read_item(ProviderVersion, _KEY)
        if item is None or item.version is None:
            return None
        with upstream_errors():
            parts = ProviderPart.query(
                _KEY[0], ProviderPart.sk.startswith(f"PART#{item.version}#"), consistent_read=True
            )
            body = b"".join(part.body for part in parts)
        return CacheEntry(parse_market(zlib.decompress(body)), float(item.as_of), float(item.took)) if body else None

    def claim(self, now: float, until: float) -> bool:
        """Claim the revalidation."""
        return claim_revalidation(ProviderVersion(*_KEY), now, until)

    def put(self, entry: CacheEntry[Market]) -> None:
        """Keep an entry unless a newer one is there."""
        version = uuid.uuid4().hex
        body = zlib.compress(market_json(entry.value))
        with upstream_errors():
            for number, start in enumerate(range(0, len(body), PART_BYTES)):
                ProviderPart(
                    _KEY[0],
                    f"PART#{version}#{number:03}",
                    body=body[start : start + PART_BYTES],
                    expires_at=epoch_seconds() + _TTL_SECONDS,
                ).save()
        put_entry(ProviderVersion(*_KEY), entry, [ProviderVersion.version.set(version)])


def market_json(market: Market) -> bytes:
    """Return a market as JSON that still shows which fields upstream left out."""
    return market.model_dump_json(by_alias=True, exclude_unset=True).encode()


def parse_market(text: bytes) -> Market:
    """Read what ``market_json`` wrote."""
    return Market.model_validate_json(text)
