"""Sessions: a family of refresh tokens, each good once. Key in the control table: ``SESSION#<family>`` / ``SESSION``.

A refresh token names its family and carries a secret, of which only the hash is stored. Using it is one conditional
write that puts the next secret's hash in its place. A token of the family with another secret was used before, by its
owner or by a thief; which one can't be known, so the family ends (RFC 9700, 4.14.2). The session id that access tokens
carry is a hash of the family's, so that an access token does not help to end a session.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from slipway.errors import AuthenticationFailedError
from slipway.identity import revocation
from slipway.identity.api_keys import EVENT_SECONDS
from slipway.jobs.store import JobEvent, job_event
from slipway.store import ControlItem, Transaction, read_item, update_if
from slipway.times import epoch_seconds

REFRESH_SECONDS = 30 * 86400
_PREFIX = "slr_"
_FAMILY_BYTES, _SECRET_BYTES = 16, 32


class SessionItem(ControlItem):
    """A family: its wallet, the hash of the one secret that is good, the domain that its message named."""

    wallet = UnicodeAttribute()
    domain = UnicodeAttribute()
    secret_hash = UnicodeAttribute()
    generation = NumberAttribute(default=0)
    ended = BooleanAttribute(default=False)
    expires_at = NumberAttribute()


@dataclass(frozen=True)
class Session:
    """A session that was just begun or renewed; ``refresh_token`` is good once."""

    wallet: str
    session_id: str
    generation: int
    refresh_token: str


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def session_id_of(family: str) -> str:
    """Return the id that access tokens carry."""
    return _hash(f"session:{family}")[:32]


def _key(family: str) -> tuple[str, str]:
    return f"SESSION#{family}", "SESSION"


def _token(family: str, secret: str) -> str:
    return f"{_PREFIX}{family}.{secret}"


def _parts(token: str) -> tuple[str, str]:
    family, dot, secret = token.removeprefix(_PREFIX).partition(".")
    if not token.startswith(_PREFIX) or not dot or len(family) != 2 * _FAMILY_BYTES:
        raise AuthenticationFailedError("The refresh token is malformed")
    return family, secret


def begin(wallet: str, domain: str, source_ip: str | None = None) -> Session:
    """Begin a session of a wallet that has signed in.

    Args:
        wallet: In EIP-55 form.
        domain: The client that the wallet signed in for.
        source_ip: Where from, for the owner's notification.

    Raises:
        ForbiddenError: The wallet is blocked.
        UpstreamUnavailableError: The table did not answer.
    """
    generation = revocation.require_not_blocked(wallet)
    family, secret = secrets.token_hex(_FAMILY_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    item = SessionItem(
        *_key(family),
        wallet=wallet,
        domain=domain,
        secret_hash=_hash(secret),
        generation=generation,
        expires_at=epoch_seconds() + REFRESH_SECONDS,
    )
    write = Transaction()
    write.create("session", item)
    write.create("event", _event(item, "started", "The wallet signed in", {"source_ip": source_ip}))
    write.commit()
    return Session(wallet, session_id_of(family), generation, _token(family, secret))


def renew(token: str, domain: str | None) -> Session:
    """Use a refresh token up and return the next one.

    Args:
        token: A refresh token.
        domain: The host of the request's Origin; None where it has none.

    Raises:
        AuthenticationFailedError: The token is unknown, expired, of another client, or was used before, which ends the
            session.
        ForbiddenError: The wallet is blocked.
        UpstreamUnavailableError: The table did not answer.
    """
    family, secret = _parts(token)
    found = read_item(SessionItem, _key(family))
    now = epoch_seconds()
    if found is None or found.expires_at <= now or found.ended:
        raise AuthenticationFailedError("The session has ended; sign in again")
    if domain is not None and domain != found.domain:
        raise AuthenticationFailedError("The refresh token belongs to another client")
    generation = int(found.generation)
    revocation.require_not_blocked(found.wallet, generation)
    following = secrets.token_urlsafe(_SECRET_BYTES)
    is_good = (SessionItem.secret_hash == _hash(secret)) & (SessionItem.ended == False)  # noqa: E712 (a condition)
    actions = [SessionItem.secret_hash.set(_hash(following)), SessionItem.expires_at.set(now + REFRESH_SECONDS)]
    if not update_if(SessionItem(*_key(family)), is_good, actions) and not _is_current(family, following):
        _end(found, "reused", "A refresh token was used twice, so the session ended")
        raise AuthenticationFailedError("The refresh token was used before, so its session has ended; sign in again")
    return Session(found.wallet, session_id_of(family), generation, _token(family, following))


def _is_current(family: str, secret: str) -> bool:
    """Return whether a secret that was to be written is there: a write whose answer was lost fails when it is tried
    again."""
    item = read_item(SessionItem, _key(family))
    return item is not None and not item.ended and item.secret_hash == _hash(secret)


def end(token: str, *, everywhere: bool) -> None:
    """End the session of a refresh token, or all of its wallet's.

    A session that is unknown or has ended is no error, unless all are to end: then the token has to be good.

    Raises:
        AuthenticationFailedError: The token is malformed, or ``everywhere`` is asked with one that is not good.
        UpstreamUnavailableError: The table did not answer.
    """
    family, secret = _parts(token)
    found = read_item(SessionItem, _key(family))
    is_good = bool(found and not found.ended and secrets.compare_digest(found.secret_hash, _hash(secret)))
    if everywhere:
        if not found or not is_good or found.expires_at <= epoch_seconds():
            raise AuthenticationFailedError("The refresh token is not good; sign in again to end all sessions")
        revocation.end_all_sessions(found.wallet)
    if found:
        _end(found, "ended", "The wallet signed out" + (" everywhere" if everywhere else ""))


def _end(item: SessionItem, name: str, message: str) -> None:
    revocation.end_session(_session_id(item))
    write = Transaction()
    open_still = SessionItem.ended == False  # noqa: E712 (a condition)
    write.update("session", SessionItem(item.pk, item.sk), [SessionItem.ended.set(True)], open_still)
    write.create("event", _event(item, name, message))
    # One that has ended meanwhile needs no second event.
    write.commit_if_allowed()


def _session_id(item: SessionItem) -> str:
    return session_id_of(item.pk.removeprefix("SESSION#"))


def _event(item: SessionItem, name: str, message: str, more: dict[str, Any] | None = None) -> JobEvent:
    facts = {"session_id": _session_id(item), "wallet": item.wallet, "domain": item.domain, **(more or {})}
    pk = f"SESSION#{item.wallet}#{facts['session_id']}"
    return job_event(pk, name, message, facts, epoch_seconds() + EVENT_SECONDS)
