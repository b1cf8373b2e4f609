"""A semaphore for each wallet: how many of a thing it holds at once.

Key in the control table: ``HELD#<what>#<wallet>`` / ``LEASES``. Each permit is one element of a set, so acquiring one
is a single write that is conditional on the set's size, and releasing it a single write that may be repeated. A holder
that dies releases nothing: its permit expires, and the next caller that finds the set full removes the expired ones.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import size

from slipway.errors import RateLimitExceededError, UpstreamUnavailableError
from slipway.store import ControlItem, read_item, update_if, upstream_errors
from slipway.times import Clock, epoch_seconds

_TRIES = 4


class Permits(ControlItem):
    """Permits as ``<expiry, seconds since 1970, 12 digits>#<holder>``."""

    permits = UnicodeSetAttribute(null=True, attr_name="leases")
    expires_at = NumberAttribute(null=True)


@dataclass(frozen=True)
class Semaphore:
    """Permits of one kind.

    Attributes:
        what: The kind, such as ``build_streams``.
        most: How many a wallet may hold at once.
        seconds: After which a permit that was not released expires.
        clock: Gives the time.
    """

    what: str
    most: int
    seconds: int
    clock: Clock = time

    def acquire(self, wallet: str, holder: str) -> str:
        """Acquire a permit.

        Args:
            wallet: The caller's.
            holder: What distinguishes this permit from the wallet's others.

        Returns:
            The permit, for ``release``.

        Raises:
            RateLimitExceededError: The wallet holds ``most`` already.
        """
        for _ in range(_TRIES):
            now = epoch_seconds(self.clock)
            expires_at = now + self.seconds
            permit = f"{expires_at:012d}#{holder}"
            room = Permits.permits.does_not_exist() | (size(Permits.permits) < self.most)  # type: ignore[no-untyped-call]
            actions = [Permits.permits.add({permit}), Permits.expires_at.set(expires_at)]
            if update_if(self._item(wallet), room, actions):
                return permit
            item = read_item(Permits, self._key(wallet))
            held = set(item.permits or ()) if item else set()
            expired = {entry for entry in held if _expiry(entry) <= now}
            if not expired and len(held) >= self.most:
                raise RateLimitExceededError(
                    f"No more than {self.most} at a time are allowed; close one first",
                    retry_after=max(1, min(map(_expiry, held)) - now),
                )
            if expired:
                self._remove(wallet, expired)
        raise RateLimitExceededError(
            f"No more than {self.most} at a time are allowed; too many were opened at once", retry_after=1
        )

    def release(self, wallet: str, permit: str) -> None:
        """Release a permit; nothing happens when it was released or has expired."""
        self._remove(wallet, {permit})

    @contextmanager
    def permit(self, wallet: str, holder: str) -> Iterator[None]:
        """Hold a permit for the time of a block; see ``acquire``."""
        permit = self.acquire(wallet, holder)
        try:
            yield
        finally:
            # A permit that can't be released expires, and must not cost the answer.
            with suppress(UpstreamUnavailableError):
                self.release(wallet, permit)

    def _remove(self, wallet: str, permits: set[str]) -> None:
        with upstream_errors():
            self._item(wallet).update(actions=[Permits.permits.delete(permits)])

    def _key(self, wallet: str) -> tuple[str, str]:
        return f"HELD#{self.what}#{wallet}", "LEASES"

    def _item(self, wallet: str) -> Permits:
        return Permits(*self._key(wallet))


def _expiry(permit: str) -> int:
    return int(permit.partition("#")[0])
