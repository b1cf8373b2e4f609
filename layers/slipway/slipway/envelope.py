"""What all answers of the API share, whether FastAPI serves the function (``http``) or nothing does (``gateway``)."""

import re
import time
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from slipway.errors import AuthenticationFailedError, SlipwayError, ValidationFailedError
from slipway.observability import logger, record_request, use_request

# For every answer; cache-control only where a route sets none of its own.
NO_SNIFFING = ("x-content-type-options", "nosniff")
NO_STORE = ("cache-control", "no-store")
_CORRELATION_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def begin_request(gateway: dict[str, Any], correlation_id: str) -> str:
    """Put a request's ids on the log lines that follow.

    Args:
        gateway: ``requestContext`` of the event.
        correlation_id: What the caller sent as X-Correlation-Id; used when it is harmless.

    Returns:
        The request's id.
    """
    request_id = gateway.get("requestId") or str(uuid.uuid4())
    use_request(request_id, correlation_id if _CORRELATION_ID.fullmatch(correlation_id) else request_id)
    return request_id


def end_request(action: str, status: int, started: float) -> None:
    """Log a request once and count it."""
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    logger.info("request", action=action, status=status, milliseconds=milliseconds)
    record_request(action, status, milliseconds)


def refusal(error: SlipwayError, request_id: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the body of every refusal, and the headers that belong to it."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details is not None:
        body["details"] = error.details
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, AuthenticationFailedError):
        headers["www-authenticate"] = "Bearer"
    return {"success": False, "error": body, "request_id": request_id}, headers


def refused_by(error: Exception) -> SlipwayError:
    """Log an error that a route raised, and return the one to answer, which says nothing of an unexpected one."""
    if isinstance(error, SlipwayError):
        logger.warning("refused", code=error.code, reason=error.message)
        return error
    logger.exception("unexpected error", error_type=type(error).__name__)
    return SlipwayError("Something went wrong on our side; the request id finds it")


def require_known_parameters(given: Iterable[str], known: Collection[str] = ()) -> None:
    """Raise ValidationFailedError for a query parameter that a route does not take."""
    for name in given:
        if name not in known:
            raise ValidationFailedError.of_field(name[:64], "there is no such parameter")


def bearer_token(header: str) -> str:
    """Return the token of an Authorization header.

    Raises:
        AuthenticationFailedError: The header is for another scheme, or there is none.
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationFailedError("The Authorization header must be: Bearer <token>")
    return token.strip()
