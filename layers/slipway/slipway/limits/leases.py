"""How many of a thing a caller holds at a time. Key in the control table: ``HELD#<what>#<wallet>`` / ``LEASES``.

Each holding is one element of a set, so taking one is a single write that is conditional on the set's size, and giving
it back a single write that may be done twice. A holder that dies gives nothing back: its lease ends by itself, and the
next caller who finds the set full takes the ended ones out.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pynamodb.attributes import NumberAttribute, UnicodeSetAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import size
from pynamodb.expressions.update import Action

from slipway.errors import RateLimitExceededError, UpstreamUnavailableError
from slipway.store import ControlItem, condition_held, upstream_errors
from slipway.times import epoch_seconds

_TRIES = 4


class Holdings(ControlItem):
    """Leases as ``<end, seconds since 1970, 12 digits>#<holder>``."""

    leases = UnicodeSetAttribute(null=True)
    expires_at = NumberAttribute(null=True)


def _key(what: str, wallet: str) -> tuple[str, str]:
    return f"HELD#{what}#{wallet}", "LEASES"


def take(what: str, wallet: str, holder: str, *, seconds: int, most: int) -> str:
    """Hold one more.

    Args:
        what: Kind of thing, such as ``build_streams``.
        wallet: The caller's.
        holder: What tells this one from the caller's others.
        seconds: After which it counts no longer, if nobody gives it back.
        most: How many a caller may hold at once.

    Returns:
        The lease, for ``give_back``.

    Raises:
        RateLimitExceededError: The caller holds ``most`` already.
    """
    for _ in range(_TRIES):
        now = epoch_seconds()
        lease = f"{now + seconds:012d}#{holder}"
        if _add(what, wallet, lease, now + seconds, most):
            return lease
        present = _held(what, wallet)
        ended = {entry for entry in present if _end(entry) <= now}
        if not ended and len(present) >= most:
            raise RateLimitExceededError(
                f"No more than {most} at a time are allowed; close one first",
                retry_after=max(1, min(map(_end, present)) - now),
            )
        if ended:
            _remove(what, wallet, ended)
    raise RateLimitExceededError(
        f"No more than {most} at a time are allowed; too many were opened at once", retry_after=1
    )


@contextmanager
def held(what: str, wallet: str, holder: str, *, seconds: int, most: int) -> Iterator[None]:
    """Hold one more for the time of a block; see ``take``."""
    lease = take(what, wallet, holder, seconds=seconds, most=most)
    try:
        yield
    finally:
        # What can't be given back ends by itself, and must not cost the answer.
        with suppress(UpstreamUnavailableError):
            give_back(what, wallet, lease)


def give_back(what: str, wallet: str, lease: str) -> None:
    """End a lease early; nothing happens when it has ended."""
    _remove(what, wallet, {lease})


def _add(what: str, wallet: str, lease: str, ends_at: int, most: int) -> bool:
    actions: list[Action] = [Holdings.leases.add({lease}), Holdings.expires_at.set(ends_at)]
    few = Holdings.leases.does_not_exist() | (size(Holdings.leases) < most)  # type: ignore[no-untyped-call]
    return condition_held(lambda: Holdings(*_key(what, wallet)).update(actions=actions, condition=few))


def _remove(what: str, wallet: str, leases: set[str]) -> None:
    with upstream_errors():
        Holdings(*_key(what, wallet)).update(actions=[Holdings.leases.delete(leases)])


def _held(what: str, wallet: str) -> set[str]:
    with upstream_errors():
        try:
            return set(Holdings.get(*_key(what, wallet), consistent_read=True).leases or ())
        except DoesNotExist:
            return set()


def _end(lease: str) -> int:
    return int(lease.partition("#")[0])
