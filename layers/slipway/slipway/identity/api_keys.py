"""API keys for CI and servers. Keys in the control table: ``API_KEYS#<wallet>`` / ``KEY#<id>`` and ``COUNT``.

A key names its wallet, so that one read finds it, and carries a secret of which only the hash is stored. It acts with
the roles that its wallet has at the time, within its scopes.
"""

import base64
import hashlib
import secrets

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute

from slipway.addresses import to_checksum
from slipway.configuration import known_wallets
from slipway.errors import (
    AuthenticationFailedError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UpstreamUnavailableError,
    ValidationFailedError,
)
from slipway.identity.models import Caller, KeyAnswer, KeyFacts, KeyRequest
from slipway.identity.quotas import quota_of
from slipway.identity.rules import wallet_roles
from slipway.identity.scopes import allows, scope_needed
from slipway.jobs.store import JobEvent, job_event
from slipway.observability import logger
from slipway.store import ConditionsFailedError, ControlItem, Transaction, read_item, update_if, upstream_errors
from slipway.times import epoch_seconds, epoch_text, now_text, parse_moment

# How long events of keys and sessions are kept.
EVENT_SECONDS = 90 * 86_400
PREFIX = "slk_"
MAX_KEYS = 50
_WALLET_BYTES, _ID_BYTES, _SECRET_BYTES = 20, 8, 32
_LENGTH = _WALLET_BYTES + _ID_BYTES + _SECRET_BYTES
# Writing the last use at each use would make each a write.
_USED_SECONDS = 3600


class ApiKey(ControlItem):
    """A key of a wallet."""

    name = UnicodeAttribute()
    scopes: ListAttribute[str] = ListAttribute()
    secret_hash = UnicodeAttribute()
    created_at = UnicodeAttribute()
    # Not the attribute by which DynamoDB deletes items: a key that has expired stays in its owner's list.
    expires_at = NumberAttribute(null=True, attr_name="valid_until")
    last_used_at = NumberAttribute(null=True)


class KeyCount(ControlItem):
    """How many keys a wallet has."""

    keys = NumberAttribute(default=0)


def _partition(wallet: str) -> str:
    return f"API_KEYS#{wallet}"


def _key(wallet: str, key_id: str) -> tuple[str, str]:
    return _partition(wallet), f"KEY#{key_id}"


def _hash(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


def make(caller: Caller, request: KeyRequest) -> KeyAnswer:
    """Make a key.

    Raises:
        ValidationFailedError: The expiry is no moment in the future.
        ForbiddenError: A scope of a role that the caller has not.
        ConflictError: The wallet has as many keys as it may.
        RateLimitExceededError: The wallet has made as many keys as it may.
        UpstreamUnavailableError: The table did not answer.
    """
    wallet = str(caller.wallet)
    now = epoch_seconds()
    expires_at = _moment(request.expires_at, now)
    scopes = sorted(set(request.scopes))
    for area, role in (("admin", "admin"), ("stacks", "operator")):
        if role not in caller.roles and any(scope.startswith(f"{area}:") for scope in scopes):
            raise ForbiddenError(f"Only the role {role} may have a key for {area}")
    key_id, secret = secrets.token_bytes(_ID_BYTES), secrets.token_bytes(_SECRET_BYTES)
    item = ApiKey(
        *_key(wallet, key_id.hex()),
        name=request.name,
        scopes=scopes,
        secret_hash=_hash(secret),
        created_at=now_text(),
        expires_at=expires_at,
    )
    write = Transaction()
    write.create("key", item)
    write.create("event", _event(wallet, item, "created"))
    counted = KeyCount.keys.does_not_exist() | (KeyCount.keys < MAX_KEYS)
    write.update("count", KeyCount(_partition(wallet), "COUNT"), [KeyCount.keys.add(1)], condition=counted)
    try:
        quota_of(caller, "keys").commit(write)
    except ConditionsFailedError as error:
        raise ConflictError(f"A wallet has at most {MAX_KEYS} API keys; delete one first") from error
    text = base64.urlsafe_b64encode(bytes.fromhex(wallet[2:]) + key_id + secret).decode()
    return KeyAnswer(key=PREFIX + text, **_facts(item).model_dump())


def _moment(text: str | None, now: int) -> int | None:
    if text is None:
        return None
    seconds = int(parse_moment(text, "expires_at").timestamp())
    if seconds <= now:
        raise ValidationFailedError.of_field("expires_at", "lies in the past")
    return seconds


def _event(wallet: str, item: ApiKey, name: str) -> JobEvent:
    return job_event(
        f"KEY#{wallet}#{item.sk.removeprefix('KEY#')}",
        name,
        f"An API key was {name}",
        _facts(item).model_dump(mode="json"),
        epoch_seconds() + EVENT_SECONDS,
    )


def _facts(item: ApiKey) -> KeyFacts:
    return KeyFacts(
        id=item.sk.removeprefix("KEY#"),
        name=item.name,
        scopes=list(item.scopes),
        created_at=item.created_at,
        expires_at=epoch_text(int(item.expires_at)) if item.expires_at else None,
        last_used_at=epoch_text(int(item.last_used_at)) if item.last_used_at else None,
    )


def all_of(caller: Caller) -> list[KeyFacts]:
    """Return the keys of the caller's wallet, oldest first."""
    with upstream_errors():
        found = list(ApiKey.query(_partition(str(caller.wallet)), ApiKey.sk.startswith("KEY#"), limit=MAX_KEYS))
    return sorted(map(_facts, found), key=lambda facts: (facts.created_at, facts.id))


def delete(caller: Caller, key_id: str) -> None:
    """Delete a key, which is refused from then on.

    Raises:
        NotFoundError: The wallet has no such key.
        UpstreamUnavailableError: The table did not answer.
    """
    wallet = str(caller.wallet)
    item = read_item(ApiKey, _key(wallet, key_id))
    if item is None:
        raise NotFoundError("There is no such API key")
    write = Transaction()
    write.delete("key", ApiKey(*_key(wallet, key_id)), ApiKey.pk.exists())
    write.create("event", _event(wallet, item, "deleted"))
    write.update("count", KeyCount(_partition(wallet), "COUNT"), [KeyCount.keys.add(-1)])
    if not write.commit_if_allowed():
        raise NotFoundError("There is no such API key")


def caller_of(text: str, method: str, path: str) -> Caller:
    """Return the caller that a key stands for.

    Args:
        text: The key.
        method: Of the request.
        path: Of the request.

    Raises:
        AuthenticationFailedError: The key is malformed, unknown, deleted or expired.
        ForbiddenError: Its scopes do not cover the request.
        UpstreamUnavailableError: The table did not answer.
    """
    refused = AuthenticationFailedError("The API key is unknown, deleted or expired")
    try:
        raw = base64.b64decode(text.removeprefix(PREFIX), altchars=b"-_", validate=True)
    except ValueError as error:
        raise refused from error
    if len(raw) != _LENGTH:
        raise refused
    wallet = to_checksum("0x" + raw[:_WALLET_BYTES].hex())
    key_id = raw[_WALLET_BYTES:-_SECRET_BYTES].hex()
    item = read_item(ApiKey, _key(wallet, key_id))
    now = epoch_seconds()
    if item is None or not secrets.compare_digest(item.secret_hash, _hash(raw[-_SECRET_BYTES:])):
        raise refused
    if item.expires_at and item.expires_at <= now:
        raise refused
    needed = scope_needed(method, path)
    if not allows(list(item.scopes), needed):
        raise ForbiddenError(f"The API key has not the scope {needed}" if needed else "No API key may do this")
    _note_use(item, now)
    roles, tier = wallet_roles(wallet, known_wallets())
    return Caller(wallet, wallet, frozenset(roles), tier, f"key:{key_id}", scopes=frozenset(item.scopes))


def _note_use(item: ApiKey, now: int) -> None:
    if item.last_used_at and item.last_used_at > now - _USED_SECONDS:
        return
    try:
        update_if(item, ApiKey.pk.exists(), [ApiKey.last_used_at.set(now)])
    except UpstreamUnavailableError:
        # The note is worth less than the request.
        logger.warning("last use of an API key was not noted")
