"""Pure decisions about webhooks: which events, signatures (Standard Webhooks 1.0), bodies, and when to try again."""

import base64
import hashlib
import hmac
import html
import json
import secrets
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from slipway.errors import ValidationFailedError

# Every kind of thing and what may happen to it; tests hold the statuses to their capabilities' own.
NAMES = {
    "deployment": ("pending", "deploying", "registering", "completed", "failed", "active", "closed", "error"),
    "build": ("pending", "generating", "auditing", "deploying", "complete", "failed", "cancelled"),
    "stack": ("published", "withdrawn", "failed"),
    "worker": ("up", "late", "down"),
    # Of a workload's money on Akash; `recorded` is one of specification 001.
    "payment": ("low", "exhausted", "recorded"),
    "project": ("pending", "processing", "success", "failed"),
    "key": ("created", "deleted"),
    "session": ("started", "reused", "ended"),
}
TYPES = tuple(f"{kind}.{name}" for kind, names in NAMES.items() for name in names)
TEST = "webhook.test"
SECRET_PREFIX = "whsec_"  # noqa: S105 (what every secret begins with)
OVERLAP_SECONDS = 86_400
DISABLED_AFTER_SECONDS = 3 * 86_400
# The first tries again come soon, later ones hourly; the last is a day after the first (the queue's maxReceiveCount).
_PAUSES = (4, 20, 60, 300, 900, 1800)
_LAST_PAUSE = 3600
_STACK_EVENTS = {"active": "published", "published": "published", "withdrawn": "withdrawn", "failed": "failed"}
# Events of deployments about their money begin with it.
PAYMENT = "payment_"
# SQS takes 256 KB, in which some characters count more than once.
_MAX_DATA_BYTES = 180_000
# Discord takes no longer text.
_MAX_LINE_CHARACTERS = 2000
# Discord's SUPPRESS_EMBEDS: no preview of an address in a text.
_WITHOUT_EMBEDS = 4


def new_secret() -> str:
    """Make a secret of 256 random bits."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signatures(keys: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: one signature for each secret that is valid now."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    found = [
        hmac.digest(base64.b64decode(secret.removeprefix(SECRET_PREFIX)), signed, hashlib.sha256) for secret in keys
    ]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in found)


def pause_after(tries: int) -> int:
    """Return the seconds between a failed try, counted from 1, and the next."""
    return _PAUSES[tries - 1] if tries <= len(_PAUSES) else _LAST_PAUSE


def event_type(pk: str, event: str) -> str | None:
    """Return the type of a thing's event, such as ``stack.withdrawn``; None for one that is no notification."""
    kind = pk.partition("#")[0].lower()
    if kind == "stack":
        event = _STACK_EVENTS.get(event, "")
    if kind == "deployment" and event.startswith(PAYMENT):
        kind, event = "payment", event.removeprefix(PAYMENT)
    return f"{kind}.{event}" if event in NAMES.get(kind, ()) else None


def wants(events: Sequence[str], kind: str) -> bool:
    """Return whether a webhook with these events gets a type; each asks for a test."""
    return kind in (*events, TEST) or f"{kind.split('.')[0]}.*" in events


def message_id(webhook_id: str, pk: str, sk: str) -> str:
    """Return the id of an event's message to a webhook, the same however often it is published."""
    return f"msg_{hashlib.sha256(f'{webhook_id} {pk} {sk}'.encode()).hexdigest()[:32]}"


def fitted(data: dict[str, Any]) -> dict[str, Any]:
    """Return a message's data as far as a message may hold it: the largest fields of too much become None."""
    found = dict(data)
    while len(json.dumps(found)) > _MAX_DATA_BYTES:
        found[max(found, key=lambda name: len(json.dumps(found[name])))] = None
    return found


def body_of(style: str, kind: str, timestamp: str, data: dict[str, Any]) -> bytes:
    """Return the body of a message in a format."""
    if style == "standard":
        return json.dumps({"type": kind, "timestamp": timestamp, "data": data}, separators=(",", ":")).encode()
    # Strangers name their things: no name calls everybody of a channel, or hides an address behind a text.
    line = subject_line(kind, data)[:_MAX_LINE_CHARACTERS]
    if style == "slack":
        return json.dumps({"text": html.escape(line, quote=False)}).encode()
    return json.dumps({"content": line, "allowed_mentions": {"parse": []}, "flags": _WITHOUT_EMBEDS}).encode()


def subject_line(kind: str, data: dict[str, Any]) -> str:
    """Return a message as one line: its type, and what names the thing."""
    names = ("deployment_id", "build_id", "environment", "name", "wallet", "id")
    subject = next((str(data[name]) for name in names if data.get(name)), "")
    return f"{kind}: {subject}" if subject else kind


def checked_url(url: str, *, private_allowed: bool) -> str:
    """Return an address that may be called as far as its text says.

    Raises:
        ValidationFailedError: It is not https, has credentials or a fragment, or no host.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValidationFailedError.of_field("url", "must be an address") from error
    if parts.scheme != "https" and not (private_allowed and parts.scheme == "http"):
        raise ValidationFailedError.of_field("url", "must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise ValidationFailedError.of_field("url", "must not contain credentials")
    if parts.fragment or "#" in url:
        raise ValidationFailedError.of_field("url", "must not have a fragment")
    if not host or not all("!" <= letter <= "~" and letter != "\\" for letter in url):
        raise ValidationFailedError.of_field("url", "must name a host, in ASCII (xn--… for other letters)")
    return url
