"""Use cases of a worker's token: enrol for a code, exchange the code, revoke.

The token that a worker has keeps working until the code of a further enrolment is exchanged.
"""

import hashlib
import secrets
from datetime import timedelta

from slipway.control.store import Gate, Service, switch_key
from slipway.errors import AuthenticationFailedError, ConflictError, NotFoundError
from slipway.identity.models import Caller
from slipway.identity.quotas import quota_of
from slipway.jobs.store import RequestContext
from slipway.store import ConditionsFailedError, Transaction, read_items
from slipway.times import epoch_milliseconds, epoch_seconds, now, to_text
from slipway.workers import store
from slipway.workers.models import EnrolmentAnswer, WorkerTokenAnswer
from slipway.workers.setup_script import setup_command
from slipway.workers.worker_tokens import new_worker_token, token_hash

CODE_SECONDS = 900
_CODE_BYTES = 24


def enrol(caller: Caller, api: str, context: RequestContext) -> EnrolmentAnswer:
    """Hand out a one-time code; only its hash is kept, and it replaces an earlier one.

    Raises:
        ServicePausedError: No enrolments are taken now.
        RateLimitExceededError: The wallet enrolled as often as it may.
    """
    wallet, quota = str(caller.wallet), quota_of(caller, "enrolments")
    state, log = read_items(switch_key(Service.WORKERS), quota.wanted)
    quota.read(log)
    if refusal := Gate(Service.WORKERS, state).refusal:
        raise refusal
    code = secrets.token_urlsafe(_CODE_BYTES)
    ends_at = now() + timedelta(seconds=CODE_SECONDS)
    write = Transaction()
    known = store.find_worker(wallet)
    store.keep_enrolment(write, wallet, _hash(code), int(ends_at.timestamp()), known.retired_at if known else None)
    write.create("audit", context.audit("accepted", wallet, wallet))
    try:
        quota.commit(write)
    except ConditionsFailedError as error:
        raise ConflictError("Too many requests at once; try again", retry_after=1) from error
    context.headers.update(quota.headers)
    return EnrolmentAnswer(
        wallet=wallet,
        enrolment_code=code,
        expires_at=to_text(ends_at),
        setup_command=setup_command(wallet, api, code),
    )


def exchange(wallet: str, code: str, context: RequestContext) -> WorkerTokenAnswer:
    """Take a code for a new token, which replaces the worker's older one: one conditional write, with its audit event.

    Raises:
        AuthenticationFailedError: The code is wrong, used or expired, or there is no such worker; never which.
    """
    token = new_worker_token()
    hashed = token_hash(token)
    assert hashed  # noqa: S101 (new_worker_token makes what token_hash knows)
    write = Transaction()
    store.take_enrolment(write, wallet, _hash(code), hashed, epoch_seconds())
    # Within the transaction: a trail that can't be written must not cost the token, which is shown only once.
    write.create("audit", context.audit("accepted", wallet, wallet))
    try:
        write.commit()
    except ConditionsFailedError as error:
        raise AuthenticationFailedError("The enrolment code is not valid for this worker") from error
    return WorkerTokenAnswer(token=token)


def revoke(caller: str, wallet: str, context: RequestContext) -> None:
    """Take the worker's token, and a code that is still open, away at once; the next beat is refused.

    Raises:
        NotFoundError: No such worker of the caller's.
    """
    _end_tokens(caller, wallet, context, None)


def retire(caller: str, wallet: str, context: RequestContext) -> None:
    """Retire the worker: its tokens end, its records stay. Enrolling it again revives it.

    Raises:
        NotFoundError: No such worker of the caller's.
    """
    _end_tokens(caller, wallet, context, epoch_milliseconds())


def make_public(caller: str, wallet: str, public: bool, context: RequestContext) -> None:
    """Switch the worker's badge and public status page on or off.

    Raises:
        NotFoundError: No such worker of the caller's.
    """
    write = Transaction()
    store.set_public(write, wallet, public)
    _commit_own(write, caller, wallet, context)


def _end_tokens(caller: str, wallet: str, context: RequestContext, retired_at: int | None) -> None:
    write = Transaction()
    store.forget_tokens(write, wallet, retired_at)
    _commit_own(write, caller, wallet, context)


def _commit_own(write: Transaction, caller: str, wallet: str, context: RequestContext) -> None:
    if wallet != caller:
        raise _unknown()
    write.create("audit", context.audit("accepted", caller, wallet))
    try:
        write.commit()
    except ConditionsFailedError as error:
        raise _unknown() from error


def _unknown() -> NotFoundError:
    return NotFoundError("There is no such worker")


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
