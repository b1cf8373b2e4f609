"""Use cases of publishing: the jobs table's stream reports events, and a delivery is resumed."""

import json
import time
from collections.abc import Iterable
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from slipway.builds import store as builds
from slipway.errors import UpstreamUnavailableError
from slipway.observability import record
from slipway.settings import build_replay_function
from slipway.store import aws_client
from slipway.streams import store
from slipway.streams.connections_api import connections_api
from slipway.streams.delivery import REPLAY_SECONDS, Delivery
from slipway.streams.models import Connection, Outcome
from slipway.times import Clock

# The table's stream goes on with other builds after this; a replay has all the time.
_LIVE_SECONDS = 0.4
_RECORDS_SECONDS = 15.0


class BuildLog:
    """The progress events of builds in the jobs table."""

    def after(self, build_id: str, sequence: int) -> list[Any]:
        """Return the next events, in order."""
        return list(builds.updates_after(build_id, sequence))

    def is_over(self, build_id: str, sequence: int) -> bool:
        """Return whether the build has ended with this event, or is no more."""
        build = builds.find_build(build_id)
        return build is None or (build.ended and int(build.sequence) <= sequence)


@cache
def delivery(clock: Clock = time) -> Delivery:
    """Return the deliveries of this installation."""
    return Delivery(BuildLog(), store, connections_api(), clock)


def request_replay(connection: Connection) -> None:
    """Invoke the function BUILD_REPLAY_FUNCTION asynchronously, so that Lambda retries it until it has delivered.

    Raises:
        UpstreamUnavailableError: Lambda did not take it.
    """
    payload = {"build_id": connection.build_id, "connection_id": connection.connection_id}
    try:
        aws_client("lambda", 3.0).invoke(
            FunctionName=build_replay_function(), InvocationType="Event", Payload=json.dumps(payload)
        )
    except (ClientError, BotoCoreError) as error:
        raise UpstreamUnavailableError("The stream can't be begun now", retry_after=2) from error


def publish(records: Iterable[dict[str, Any]]) -> None:
    """Deliver to every client that follows one of the builds whose events the jobs table's stream reports.

    Args:
        records: Of DynamoDB Streams; their keys are ``BUILD#<id>`` and ``UPDATE#<sequence>``. Only the builds matter:
            what is new is read from the log.

    Raises:
        UpstreamUnavailableError: A client could not be sent the events, nor a replay be requested.
    """
    build_ids = dict.fromkeys(entry["dynamodb"]["Keys"]["pk"]["S"].removeprefix("BUILD#") for entry in records)
    publisher = delivery()
    ends_at = publisher.clock.monotonic() + _RECORDS_SECONDS
    for build_id in build_ids:
        for connection in store.connections_of(build_id):
            in_time = publisher.clock.monotonic() < ends_at
            if not in_time or publisher.deliver_with_retries(connection, _LIVE_SECONDS) is Outcome.LATER:
                request_replay(connection)


def replay(connection: Connection) -> None:
    """Resume a delivery: at the beginning of a connection, and whenever it could not be done at once.

    Raises:
        UpstreamUnavailableError: It could not be done; to be tried again.
    """
    if delivery().deliver_with_retries(connection, REPLAY_SECONDS) is Outcome.LATER:
        record("StreamDelayed")
        raise UpstreamUnavailableError("The client could not be sent the events", retry_after=2)
