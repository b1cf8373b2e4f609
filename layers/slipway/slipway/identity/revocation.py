"""What holds for a wallet besides its credentials: whether it is blocked, and which of its sessions have ended.

Keys in the control table:

- ``STANDING#<wallet>`` / ``STANDING``: blocked or not, and how often all sessions were ended (``generation``);
- ``ENDED#<session id>`` / ``ENDED``: a session that has ended, kept as long as one of its access tokens may live.

A request that changes something reads both as they are now, and the limits that were set for the caller. One that only
reads relies on what this process saw within the last 45 seconds.
"""

import time
from collections import OrderedDict

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from slipway.errors import AuthenticationFailedError, ForbiddenError
from slipway.identity.models import Caller, StandingAnswer
from slipway.identity.rules import ACCESS_TOKEN_SECONDS
from slipway.jobs.store import RequestContext
from slipway.limits import overrides as limits
from slipway.limits.overrides import Limits
from slipway.store import ControlItem, read_item, read_items, upstream_errors
from slipway.times import Clock, epoch_seconds, now_text

_TTL_SECONDS = 45.0
_MAX_KEPT = 10_000


class Standing(ControlItem):
    """A wallet's standing; a wallet without an item is in good standing, at generation 0."""

    blocked = BooleanAttribute(default=False)
    generation = NumberAttribute(default=0)
    reason = UnicodeAttribute(null=True)
    changed_by = UnicodeAttribute(null=True)
    changed_at = UnicodeAttribute(null=True)


class EndedSession(ControlItem):
    """A session that has ended."""

    expires_at = NumberAttribute()


def _standing_key(wallet: str) -> tuple[str, str]:
    return f"STANDING#{wallet}", "STANDING"


def _ended_key(session_id: str) -> tuple[str, str]:
    return f"ENDED#{session_id}", "ENDED"


_good_at: OrderedDict[tuple[str, str, str | None, int | None], tuple[float, Limits]] = OrderedDict()


def require_good_standing(caller: Caller, *, changes: bool, clock: Clock = time) -> Limits:
    """Refuse a caller whose wallet is blocked or whose session has ended.

    Args:
        caller: With verified credentials.
        changes: Whether the request changes something.
        clock: Passes the time.

    Returns:
        The limits that an administrator set for the caller.

    Raises:
        ForbiddenError: The wallet is blocked.
        AuthenticationFailedError: The session has ended.
        UpstreamUnavailableError: The table did not answer.
    """
    if caller.wallet is None:
        return {}
    known = caller.wallet, caller.tier, caller.session_id, caller.generation
    now = clock.monotonic()
    seen = _good_at.get(known)
    if seen and not changes and now - seen[0] < _TTL_SECONDS:
        return seen[1]
    standing, ended, *changed = read_items(
        (Standing, _standing_key(caller.wallet)),
        (EndedSession, _ended_key(caller.session_id or "-")),
        *limits.keys(caller.wallet, caller.tier),
    )
    _good_at.pop(known, None)
    _require(standing, caller.generation)
    if ended:
        raise AuthenticationFailedError("The session has ended; sign in again")
    _good_at[known] = now, limits.merged(*changed)
    while len(_good_at) > _MAX_KEPT:
        _good_at.popitem(last=False)
    return _good_at[known][1]


def require_not_blocked(wallet: str, generation: int | None = None) -> int:
    """Return how often all sessions of a wallet were ended; raises as ``require_good_standing``."""
    standing = read_item(Standing, _standing_key(wallet))
    _require(standing, generation)
    return int(standing.generation) if standing else 0


def _require(standing: Standing | None, generation: int | None) -> None:
    if standing is None:
        return
    if standing.blocked:
        raise ForbiddenError("This wallet is blocked; ask the administrator of this installation")
    if generation is not None and generation < standing.generation:
        raise AuthenticationFailedError("The session has ended; sign in again")


def end_session(session_id: str) -> None:
    """Let no access token of a session be accepted any more."""
    # A token that is made just now by a race lives as long; a minute covers clocks that differ.
    with upstream_errors():
        EndedSession(*_ended_key(session_id), expires_at=epoch_seconds() + ACCESS_TOKEN_SECONDS + 60).save()


def end_all_sessions(wallet: str) -> None:
    """Let no token of a wallet that was made until now be accepted any more."""
    with upstream_errors():
        Standing(*_standing_key(wallet)).update(actions=[Standing.generation.set((Standing.generation | 0) + 1)])


def end_sessions_of(context: RequestContext, administrator: Caller, wallet: str) -> StandingAnswer:
    """End all sessions of a wallet in the name of an administrator."""
    context.record_accepted(administrator.wallet, wallet)
    end_all_sessions(wallet)
    return standing_of(wallet)


def block(context: RequestContext, administrator: Caller, wallet: str, reason: str, *, blocked: bool) -> StandingAnswer:
    """Block a wallet, or unblock it; what it has running goes on."""
    context.record_accepted(administrator.wallet, wallet)
    standing = Standing(*_standing_key(wallet))
    with upstream_errors():
        standing.update(
            actions=[
                Standing.blocked.set(blocked),
                Standing.reason.set(reason),
                Standing.changed_by.set(administrator.subject),
                Standing.changed_at.set(now_text()),
            ]
        )
    return _answer(wallet, standing)


def standing_of(wallet: str) -> StandingAnswer:
    """Return what was decided about a wallet."""
    return _answer(wallet, read_item(Standing, _standing_key(wallet)))


def _answer(wallet: str, standing: Standing | None) -> StandingAnswer:
    return StandingAnswer(
        wallet=wallet,
        blocked=bool(standing and standing.blocked),
        reason=standing.reason if standing else None,
        changed_by=standing.changed_by if standing else None,
        changed_at=standing.changed_at if standing else None,
    )
