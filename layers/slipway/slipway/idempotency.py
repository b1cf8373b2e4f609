"""What was answered to an Idempotency-Key.

Key in the control table: ``IDEMPOTENCY#<what>#<wallet>#<key>`` / ``REQUEST``.

The record is written in the transaction that accepts the request, so key and effect stand or fall together.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from slipway.errors import IdempotencyMismatchError, UpstreamUnavailableError, ValidationFailedError
from slipway.store import ControlItem, Transaction, read_item
from slipway.times import epoch_seconds

_TTL_SECONDS = 24 * 3600
WRITE = "idempotency"


class IdempotencyRecord(ControlItem):
    """An answer, and the fingerprint of the body that it answers; kept for a day."""

    fingerprint = UnicodeAttribute()
    answer = JSONAttribute()
    expires_at = NumberAttribute()


def idempotency_key_of(header: str | None) -> str | None:
    """Read the Idempotency-Key header; it must be 1 to 255 visible ASCII characters (ValidationFailedError)."""
    if header is None:
        return None
    if not 1 <= len(header) <= 255 or not all("!" <= character <= "~" for character in header):
        raise ValidationFailedError.of_field("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
    return header


def body_fingerprint(body: dict[str, Any]) -> str:
    """Hash what an Idempotency-Key is bound to: the body's meaning, without its spelling."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Idempotency:
    """A caller's key with the body that came with it. ``what`` is the resource whose creation it protects."""

    what: str
    wallet: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, what: str, wallet: str, key: str | None, body: dict[str, Any]) -> "Idempotency | None":
        """Read a request's key; None when the caller sent none."""
        return cls(what, wallet, key, body_fingerprint(body)) if key else None

    @property
    def _item_key(self) -> tuple[str, str]:
        return f"IDEMPOTENCY#{self.what}#{self.wallet}#{self.key}", "REQUEST"

    def remember(self, write: Transaction, answer: dict[str, Any]) -> None:
        """Add the record to the accepting transaction, under the name ``WRITE``; it fails when the key is known."""
        write.create(
            WRITE,
            IdempotencyRecord(
                *self._item_key,
                fingerprint=self.fingerprint,
                answer=answer,
                expires_at=epoch_seconds() + _TTL_SECONDS,
            ),
            or_if=IdempotencyRecord.expires_at <= epoch_seconds(),
        )

    def is_known(self) -> bool:
        """Return whether the key was answered within the last day."""
        return self._stored() is not None

    def answer(self) -> dict[str, Any]:
        """Return the answer that was given to the key.

        Raises:
            IdempotencyMismatchError: It was given to another body.
            UpstreamUnavailableError: It has just expired.
        """
        stored = self._stored()
        if stored is None:
            raise UpstreamUnavailableError("The earlier answer has just expired; try again", retry_after=1)
        if stored.fingerprint != self.fingerprint:
            raise IdempotencyMismatchError("This Idempotency-Key was used with another body")
        found: dict[str, Any] = stored.answer
        return found

    def _stored(self) -> IdempotencyRecord | None:
        found = read_item(IdempotencyRecord, self._item_key)
        return found if found and found.expires_at > epoch_seconds() else None
