"""Checks messages that come to a webhook (Standard Webhooks)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from slipway_client.errors import WebhookError

TOLERANCE_SECONDS = 300


def verify_webhook(
    payload: bytes | str,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> dict[str, Any]:
    """Return the message `{"type", "timestamp", "data"}`, if Slipway sent it just now.

    A message may come more than once: keep each `webhook-id` that you have handled.

    Args:
        payload: The request's body as it came, before anything parsed it.
        headers: The request's headers, in any case.
        secret: The webhook's, `whsec_…`.
        tolerance: How many seconds old or early a message may be.
        now: Seconds since 1970.

    Raises:
        WebhookError: It is not signed with this secret, too old or early, or not whole.
    """
    found = {name.lower(): value for name, value in headers.items()}
    try:
        identity, sent_at = found["webhook-id"], found["webhook-timestamp"]
        signatures = found["webhook-signature"].split()
    except KeyError as missing:
        raise WebhookError(f"There is no header {missing.args[0]}") from missing
    body = payload.encode() if isinstance(payload, str) else payload
    expected = b"v1," + base64.b64encode(_signature(secret, identity, sent_at, body))
    # Every one is compared, so that the time does not depend on which fits.
    if not any([hmac.compare_digest(signature.encode(), expected) for signature in signatures]):
        raise WebhookError("No signature of the message fits the secret")
    if not sent_at.isdigit() or abs((time.time() if now is None else now) - int(sent_at)) > tolerance:
        raise WebhookError("The message's timestamp is not of now")
    try:
        message: dict[str, Any] = json.loads(body)
    except ValueError as error:
        raise WebhookError("The message is no JSON") from error
    return message


def _signature(secret: str, identity: str, sent_at: str, body: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise WebhookError("The secret is not one of a webhook, whsec_ and base64") from None
    return hmac.new(key, b".".join((identity.encode(), sent_at.encode(), body)), hashlib.sha256).digest()
