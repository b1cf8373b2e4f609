"""Tickets for the stream of a build, because a browser can't send headers with a WebSocket's handshake.

A ticket opens one stream of one build, once, within a minute, for the wallet that asked for it. Key in the control
table: ``STREAM_TICKET#<SHA-256 of the ticket>`` / ``TICKET``; the ticket itself is kept nowhere.
"""

import hashlib
import re
import secrets

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from slipway.errors import AuthenticationFailedError
from slipway.store import ControlItem, delete_if, read_item, upstream_errors
from slipway.times import epoch_seconds

TICKET_SECONDS = 60
_BYTES = 32
_TICKET = re.compile(r"[A-Za-z0-9_-]{43}")


class StreamTicket(ControlItem):
    """A ticket that was handed out and not used yet. DynamoDB deletes it some time after ``expires_at``."""

    build_id = UnicodeAttribute()
    wallet = UnicodeAttribute()
    expires_at = NumberAttribute()


def issue(build_id: str, wallet: str) -> str:
    """Return a new ticket; that the build is the wallet's is for the caller to know.

    Raises:
        UpstreamUnavailableError: The table did not answer.
    """
    ticket = secrets.token_urlsafe(_BYTES)
    with upstream_errors():
        StreamTicket(
            *_key(ticket), build_id=build_id, wallet=wallet, expires_at=epoch_seconds() + TICKET_SECONDS
        ).save()
    return ticket


def redeem(ticket: str, build_id: str) -> str:
    """Use a ticket up, in one conditional delete.

    Returns:
        The wallet that it was issued to.

    Raises:
        AuthenticationFailedError: It was never handed out, is used, has expired, or is for another build; never which.
        UpstreamUnavailableError: The table did not answer.
    """
    refused = AuthenticationFailedError("The ticket is not valid for this stream")
    if not _TICKET.fullmatch(ticket):
        raise refused
    # What a ticket is for never changes; whether it is still good is judged by the delete.
    item = read_item(StreamTicket, _key(ticket))
    good = (StreamTicket.expires_at > epoch_seconds()) & (StreamTicket.build_id == build_id)
    if item is None or not delete_if(item, good):
        raise refused
    return item.wallet


def _key(ticket: str) -> tuple[str, str]:
    return f"STREAM_TICKET#{hashlib.sha256(ticket.encode()).hexdigest()}", "TICKET"
