"""Taking heartbeats. Nearly all of them are one conditional write; the others move sessions about."""

import hmac
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from slipway.addresses import parse_address
from slipway.envelope import bearer_token
from slipway.errors import AuthenticationFailedError, RateLimitExceededError, SlipwayError, WriteContentionError
from slipway.times import Clock
from slipway.workers.heartbeat_request import Beat
from slipway.workers.rules import HOUR, MAX_LATE_BEATS, Change, Session, is_observed, place
from slipway.workers.session_store import change_sessions, clock_offset, extend_session
from slipway.workers.store import WorkerItem, first_session_after, is_token_known, last_session_before
from slipway.workers.worker_tokens import token_hash

_TRIES = 8
_PAUSE_SECONDS = 0.02
_MAX_PAUSE_SECONDS = 0.4


def authenticate(authorization: str) -> bytes:
    """Return the hash of the worker token in an Authorization header; whose it is, the write decides.

    Raises:
        AuthenticationFailedError: There is no token, or one that can't be a worker's.
    """
    found = token_hash(bearer_token(authorization))
    if found is None:
        raise _not_believed()
    return found


@contextmanager
def token_judged_first(given_hash: bytes) -> Iterator[None]:
    """Let what refuses a beat for its body through only to a worker: anybody else is refused for the token.

    Only a refusal costs a read. An unreadable body names no worker, so the token is looked for by itself.

    Raises:
        AuthenticationFailedError: The body was refused, and no worker has this token.
        UpstreamUnavailableError: The body was refused, and the table did not answer.
    """
    try:
        yield
    except SlipwayError:
        if not is_token_known(given_hash):
            raise _not_believed() from None
        raise


def take_beat(beat: Beat, given_hash: bytes, now: int, clock: Clock = time) -> int | None:
    """Count a beat, in whatever order it comes.

    Args:
        beat: What the worker says.
        given_hash: The hash of the token that came with it.
        now: Milliseconds since 1970.
        clock: Passes the time between tries.

    Returns:
        How far the worker's clock is ahead, in seconds; None for a late beat, from which that can't be known.

    Raises:
        ValidationFailedError: The wallet has a wrong checksum.
        AuthenticationFailedError: The token is not, or no longer, this worker's.
        RateLimitExceededError: Too many late beats of this worker in this hour.
        WriteContentionError: Others kept changing the worker; nothing was written.
        UpstreamUnavailableError: The table did not answer.
    """
    offset = clock_offset(beat, now) if is_observed(beat.at, now) else None
    for attempt in range(_TRIES):
        if attempt:
            pause = min(_PAUSE_SECONDS * 2**attempt, _MAX_PAUSE_SECONDS)
            clock.sleep(random.uniform(0, pause))  # noqa: S311 (jitter, not a secret)
        try:
            missed = extend_session(beat, given_hash, now)
        except WriteContentionError:
            continue
        if missed is None:
            return offset
        worker = missed.worker
        if worker is None:
            with token_judged_first(given_hash):
                parse_address(beat.wallet, "walletAddress")
        if worker is None or not hmac.compare_digest(worker.token_hash or b"", given_hash):
            raise _not_believed()
        change = _change(beat, worker, now)
        if change is None or change_sessions(worker, beat, change, now):
            return offset
    raise WriteContentionError("Too many beats of this worker at once; try again", retry_after=2)


def _change(beat: Beat, worker: WorkerItem, now: int) -> Change | None:
    """Return what the beat changes. Records are read only where one can matter.

    Raises:
        RateLimitExceededError: It is late, and the hour's late beats are used up.
    """
    hour = now // HOUR
    if not is_observed(beat.at, now) and worker.late_hour == hour and (worker.late_beats or 0) >= MAX_LATE_BEATS:
        raise RateLimitExceededError(
            "Too many late heartbeats of this worker within an hour",
            retry_after=((hour + 1) * HOUR - now) // 1000 + 1,
        )
    start, last = worker.session_start, worker.last_seen
    before: Session | None = None
    after: Session | None = None
    if last is not None and (start is None or beat.at < start):
        before = last_session_before(beat.wallet, beat.at)
        if beat.at <= last:
            after = first_session_after(beat.wallet, beat.at)
    return place(beat.at, start, last, before, after)


def _not_believed() -> AuthenticationFailedError:
    return AuthenticationFailedError("The token is not, or no longer, this worker's")
