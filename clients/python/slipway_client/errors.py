"""What goes wrong, with the code that the API gives it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

# What an answer without Slipway's envelope means, as API Gateway and proxies send them.
_CODES = {
    401: "AUTH_FAILED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
}
# Refusals that come before anything was begun, so that asking again can't do a thing twice.
_REFUSED_UNDONE = {"RATE_LIMIT_EXCEEDED", "SERVICE_PAUSED", "INSUFFICIENT_GAS", "BUDGET_EXCEEDED"}
_MAX_TEXT = 300


class SlipwayError(Exception):
    """A refusal of the API, or an answer that never came.

    Attributes:
        code: One of docs/errors.md; `NETWORK` or `TIMEOUT` when nothing answered.
        status: The HTTP status; 0 when nothing answered.
        message: What the API says.
        details: What it adds, by code.
        request_id: Finds the request in the operator's logs.
        retry_after: Seconds after which another try makes sense; None where the answer does not say.
        unsure: Whether the request may have been carried out all the same.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 0,
        *,
        details: dict[str, Any] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        unsure: bool = False,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status
        self.details = details or {}
        self.request_id, self.retry_after, self.unsure = request_id, retry_after, unsure

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later, without anybody changing anything."""
        return self.status in (0, 408, 429) or self.status >= 500


class _FinalError(SlipwayError):
    @property
    def passes(self) -> bool:
        return False


class WebhookError(_FinalError):
    """A message that Slipway did not send, or did not send now."""

    def __init__(self, message: str) -> None:
        super().__init__("WEBHOOK_INVALID", message)


class TransactionError(_FinalError):
    """A transaction of the caller's wallet that a chain refused or reverted, or that is not in a block in time."""

    def __init__(self, message: str, *, transaction_hash: str | None = None, unsure: bool = False) -> None:
        super().__init__("TRANSACTION_FAILED", message, details={"transaction_hash": transaction_hash}, unsure=unsure)


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> SlipwayError:
    """Return the error that an answer holds; API Gateway's own are `{"message"}`, and a proxy's may be anything."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    envelope = answer.get("error")
    refusal = envelope if isinstance(envelope, dict) else {}
    code = refusal.get("code") or _CODES.get(status) or ("UPSTREAM_UNAVAILABLE" if status >= 500 else f"HTTP_{status}")
    message = refusal.get("message") or answer.get("message") or _text(body) or f"the answer has status {status}"
    details = refusal.get("details")
    return SlipwayError(
        str(code),
        str(message),
        status,
        details=details if isinstance(details, dict) else None,
        request_id=answer.get("request_id") or headers.get("x-request-id") or headers.get("apigw-requestid"),
        retry_after=retry_after(headers.get("retry-after")),
        unsure=status >= 500 and not (refusal and code in _REFUSED_UNDONE),
    )


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Return a Retry-After header in seconds, whether it has seconds or a date (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError):
        return None


def _text(body: bytes) -> str:
    text = body.decode("utf-8", "replace").strip()
    return "" if text.startswith("<") else text[:_MAX_TEXT]
