"""Taking heartbeats. Nearly all of them are one conditional write; the others move sessions about."""

import hmac
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from slipway.addresses import parse_address
from slipway.envelope import bearer_token
from slipway.errors import AuthenticationFailedError, SlipwayError, WriteContentionError
from slipway.workers.heartbeat_request import Beat
from slipway.workers.rules import Change, Session, place
from slipway.workers.session_store import change_sessions, extend_session
from slipway.workers.store import WorkerItem, first_session_after, is_token_known, last_session_before
from slipway.workers.worker_tokens import token_hash

_TRIES = 8
_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.4


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


def take_beat(beat: Beat, given_hash: bytes, now: int) -> None:
    """Count a beat, in whatever order it comes.

    Args:
        beat: What the worker says.
        given_hash: The hash of the token that came with it.
        now: Milliseconds since 1970.

    Raises:
        ValidationFailedError: The wallet has a wrong checksum.
        AuthenticationFailedError: The token is not, or no longer, this worker's.
        WriteContentionError: Others kept changing the worker; nothing was written.
        UpstreamUnavailableError: The table did not answer.
    """
    for attempt in range(_TRIES):
        if attempt:
            pause = min(_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
            time.sleep(random.uniform(0, pause))  # noqa: S311 (jitter, not a secret)
        try:
            missed = extend_session(beat, given_hash, now)
        except WriteContentionError:
            continue
        if missed is None:
            return
        worker = missed.worker
        if worker is None:
            with token_judged_first(given_hash):
                parse_address(beat.wallet, "walletAddress")
        if worker is None or not hmac.compare_digest(worker.token_hash or b"", given_hash):
            raise _not_believed()
        change = _change(beat, worker)
        if change is None or change_sessions(worker, beat, change, now):
            return
    raise WriteContentionError("Too many beats of this worker at once; try again", retry_after=2)


def _change(beat: Beat, worker: WorkerItem) -> Change | None:
    """Return what the beat changes. Records are read only where one can matter."""
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
