"""Use cases of a client of a stream: it connects, sends something, leaves."""

import json

from slipway.builds import store as builds
from slipway.builds.api import tickets
from slipway.errors import (
    AuthenticationFailedError,
    ForbiddenError,
    NotFoundError,
    ValidationFailedError,
)
from slipway.identity.service import authenticate
from slipway.observability import logger
from slipway.streams import store
from slipway.streams.connections_api import connections_api
from slipway.streams.models import Connection, Handshake
from slipway.streams.publisher import request_replay
from slipway.streams.rules import reply_to


def connect(connection_id: str, given: Handshake) -> None:
    """Let a client follow a build from where it wants.

    Raises:
        AuthenticationFailedError: The token or the ticket is not valid.
        ForbiddenError: The token names no wallet.
        NotFoundError: No such build, or another owner's.
        ValidationFailedError: It has seen more than there is.
        RateLimitExceededError: The owner follows too many streams.
        UpstreamUnavailableError: The replay could not be requested; nothing is left of the connection.
    """
    wallet = _wallet(given)
    build = builds.find_build(given.build_id)
    if build is None or build.wallet != wallet:
        raise NotFoundError("There is no such build")
    if given.after > int(build.sequence):
        raise ValidationFailedError.of_field("after", "is ahead of the build's events")
    permit = store.FOLLOWED.acquire(wallet, connection_id)
    connection = Connection(given.build_id, connection_id)
    try:
        store.add(connection, wallet, permit, given.after)
        request_replay(connection)
    except Exception:
        store.FOLLOWED.release(wallet, permit)
        store.forget(connection)
        raise


def _wallet(given: Handshake) -> str:
    if given.ticket:
        return tickets.redeem(given.ticket, given.build_id)
    if not given.token:
        raise AuthenticationFailedError("Offer the subprotocols bearer and the access token, or bring a ticket")
    caller = authenticate(given.token, "GET", f"/api/v1/builds/{given.build_id}/stream")
    if caller.wallet is None:
        raise ForbiddenError("The access token names no wallet")
    return caller.wallet


def disconnect(connection_id: str) -> None:
    """Forget a client that has left."""
    if connection := store.find(connection_id):
        store.forget(connection)


def answer(connection_id: str, text: str) -> None:
    """Answer what a client sent."""
    reply = json.dumps(reply_to(text))
    logger.info("message of a client", posted=connections_api().post(connection_id, reply))
