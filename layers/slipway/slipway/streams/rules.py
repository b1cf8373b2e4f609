"""Decisions about streams: pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from slipway.builds.states import FINAL, Status
from slipway.errors import ValidationFailedError
from slipway.identifiers import is_id
from slipway.streams.models import Handshake

# The subprotocol under which a client offers its token: `bearer, <token>`.
SUBPROTOCOL = "bearer"
# API Gateway opens a connection only after $connect has answered, for which it has 15 s; until then it calls it gone.
OPENING_SECONDS = 20.0
_SEQUENCE = re.compile(r"[0-9]{1,8}")


def handshake(headers: Mapping[str, str], query: Mapping[str, str]) -> Handshake:
    """Read what a client asks for.

    Args:
        headers: Of the handshake, in whatever case.
        query: ``build_id``, and ``after`` and ``ticket`` if they are given.

    Raises:
        ValidationFailedError: No build is named, or ``after`` is no sequence.
    """
    build_id = query.get("build_id", "")
    if not is_id(build_id):
        raise ValidationFailedError.of_field("build_id", "must be the id of a build")
    after = query.get("after") or "0"
    if not _SEQUENCE.fullmatch(after):
        raise ValidationFailedError.of_field("after", "must be the sequence of an event, 0 for none")
    return Handshake(build_id, int(after), _offered_token(headers), query.get("ticket") or None)


def _offered_token(headers: Mapping[str, str]) -> str | None:
    """Return what follows ``bearer`` among the offered subprotocols; without it, the Authorization header's bearer
    token, which clients other than browsers can send."""
    lower = {name.lower(): value for name, value in headers.items()}
    offered = [part.strip() for part in lower.get("sec-websocket-protocol", "").split(",")]
    if SUBPROTOCOL in offered:
        following = offered[offered.index(SUBPROTOCOL) + 1 :]
        return following[0] if following else None
    scheme, _, token = lower.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == SUBPROTOCOL else None


def protocol_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of the handshake's answer: it has to choose a subprotocol, or a browser takes it for a
    refusal."""
    offered = next((value for name, value in headers.items() if name.lower() == "sec-websocket-protocol"), "")
    chosen = SUBPROTOCOL in (part.strip() for part in offered.split(","))
    return {"Sec-WebSocket-Protocol": SUBPROTOCOL} if chosen else {}


def message_of(status: str, progress: int, step: str, message: str, sequence: int) -> str:
    """Return a progress event as JSON for the client."""
    event = {"status": status, "progress": progress, "step": step, "message": message, "sequence": sequence}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def is_final(status: str) -> bool:
    """Return whether a build with this status has ended."""
    return Status(status) in FINAL


def may_open(opened: bool, age: float) -> bool:
    """Return whether a connection of this age, in seconds, that API Gateway calls gone may only be not open yet."""
    return not opened and age <= OPENING_SECONDS


def reply_to(text: str) -> dict[str, Any]:
    """Answer what a client sends: only ``ping`` means anything.

    Browsers can't send a ping of the protocol, and API Gateway ends a connection that is silent for ten minutes.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if isinstance(given, dict) and given.get("action") == "ping":
        return {"action": "pong"}
    return {"status": "error", "message": 'This stream takes no messages but {"action": "ping"}'}
