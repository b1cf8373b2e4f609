"""Delivering a message: one POST to one public address, five seconds and 64 KB at most, no redirects."""

import ipaddress
import time
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from slipway.deadline_client import DeadlineClient
from slipway.errors import SlipwayError, UpstreamUnavailableError
from slipway.network import is_public, resolved
from slipway.notifications.mail import send_message
from slipway.notifications.models import Format
from slipway.notifications.rules import (
    DISABLED_AFTER_SECONDS,
    body_of,
    checked_url,
    signatures,
)
from slipway.notifications.store import Webhook, keep_attempt, webhook_at
from slipway.observability import logger, record
from slipway.settings import webhook_private_network
from slipway.store import update_if
from slipway.times import Clock, now_text

_SECONDS = 5.0
_MAX_BYTES = 64 * 1024
_MAX_ADDRESSES = 3
_KEPT_BYTES = 500


@cache
def deliveries() -> "Deliveries":
    """Return the deliveries, made once a process."""
    # No connection is kept: the next webhook at the same address has another name, and a certificate of its own.
    limits = httpx.Limits(max_keepalive_connections=0)
    return Deliveries(httpx.AsyncClient(trust_env=False, limits=limits))


class Deliveries:
    """Delivers messages.

    Args:
        client: The HTTP client, used by this object alone.
        clock: Gives the time.
    """

    def __init__(self, client: httpx.AsyncClient, clock: Clock = time) -> None:
        self._client = DeadlineClient(client)
        self._clock = clock

    def deliver(self, message: dict[str, Any]) -> bool:
        """Try once; returns False when it is to be tried again.

        A message to a webhook that was deleted or switched off is dropped.

        Raises:
            UpstreamUnavailableError: The store or Secrets Manager did not answer; SQS gives the message again.
        """
        webhook = webhook_at(*message["webhook"])
        if webhook is None or webhook.is_off:
            return True
        moment = int(self._clock.time())
        # What fails of ours is no failure of the receiver's.
        keys = webhook.secrets(moment)
        began = self._clock.monotonic()
        status, text = (
            send_message(webhook.url, webhook.sk, message)
            if webhook.format == Format.EMAIL
            else self._answer(webhook, message, keys, moment)
        )
        attempt = {
            "at": now_text(self._clock),
            "response_status": status,
            "duration_ms": round((self._clock.monotonic() - began) * 1000),
            "response": text,
        }
        delivered = status is not None and 200 <= status < 300
        keep_attempt(webhook.sk, message["timestamp"], message["id"], message["type"], attempt)
        self._keep_health(webhook, delivered, f"{status or text}")
        record("WebhookAttempts", outcome="delivered" if delivered else "failed")
        return delivered

    def _answer(
        self, webhook: Webhook, message: dict[str, Any], keys: list[str], moment: int
    ) -> tuple[int | None, str]:
        """Return the receiver's status and the beginning of its answer; the status is None without an answer."""
        try:
            response = self._post(webhook, message, keys, moment)
        except (httpx.HTTPError, httpx.InvalidURL, SlipwayError, OSError, ValueError) as error:
            return None, error.message if isinstance(error, SlipwayError) else type(error).__name__
        return response.status_code, response.content[:_KEPT_BYTES].decode(errors="replace")

    def _post(self, webhook: Webhook, message: dict[str, Any], keys: list[str], moment: int) -> httpx.Response:
        ends_at = self._clock.monotonic() + _SECONDS
        private = webhook_private_network()
        parts = urlsplit(checked_url(webhook.url, private_allowed=private))
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        addresses = resolved(host, port)
        if not private and not all(is_public(address) for address in addresses):
            raise UpstreamUnavailableError("The address is not a public one")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        body = body_of(webhook.format, message["type"], message["timestamp"], message["data"])
        headers = {
            "host": parts.netloc,
            "content-type": "application/json",
            "accept-encoding": "identity",
            "user-agent": "slipway-webhooks",
            "webhook-id": message["id"],
            "webhook-timestamp": str(moment),
            "webhook-signature": signatures(keys, message["id"], moment, body),
        }
        # Held to the addresses that were judged: the name is not resolved again. A few are tried, as browsers do.
        *others, last = addresses[:_MAX_ADDRESSES]
        for address in [*others, last]:
            literal = f"[{address}]" if ipaddress.ip_address(address).version == 6 else address
            try:
                response = self._client.request(
                    "POST",
                    f"{parts.scheme}://{literal}:{port}{path}",
                    (ends_at - self._clock.monotonic()) / (1 if address == last else 2),
                    most_bytes=_MAX_BYTES + 1,
                    content=body,
                    headers=headers,
                    extensions={"sni_hostname": host},
                )
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if address == last:
                    raise
                continue
            if response.is_success and len(response.content) > _MAX_BYTES:
                raise UpstreamUnavailableError("The answer is longer than 64 KB")
            return response
        raise UpstreamUnavailableError("The host has no address")

    def _keep_health(self, webhook: Webhook, delivered: bool, reason: str) -> None:
        """Switch a webhook off that has failed for three days, and forget failures after a success."""
        item, now = Webhook(webhook.pk, webhook.sk), int(self._clock.time())
        if delivered:
            if webhook.failing_since is not None:
                update_if(item, Webhook.pk.exists(), [Webhook.failing_since.remove()])
            return
        if webhook.failing_since is None:
            update_if(item, Webhook.pk.exists(), [Webhook.failing_since.set(now)])
        elif now - float(webhook.failing_since) >= DISABLED_AFTER_SECONDS:
            why = f"It failed for three days; the last answer: {reason[:200]}"
            changes = [Webhook.disabled_at.set(now_text(self._clock)), Webhook.disabled_reason.set(why)]
            if update_if(item, Webhook.pk.exists(), changes):
                logger.warning("webhook switched off", webhook=webhook.sk)
