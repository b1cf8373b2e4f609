"""Use cases of telling: the jobs table's stream brings events, and a delivery is taken up again."""

import json
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
from slipway.streams.delivery import PATIENCE_SECONDS, Delivery
from slipway.streams.models import Connection, Outcome

# The table's stream goes on with other builds after this; whoever takes a delivery up again has all the time.
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
def delivery() -> Delivery:
    """Return the deliveries of this installation."""
    return Delivery(BuildLog(), store, connections_api())


def hand_over(connection: Connection) -> None:
    """Have the function BUILD_REPLAY_FUNCTION deliver; asynchronously, so that Lambda sees to it that it happens.

    Raises:
        UpstreamUnavailableError: Lambda did not take it.
    """
    wanted = {"build_id": connection.build_id, "connection_id": connection.connection_id}
    try:
        aws_client("lambda", 3.0).invoke(
            FunctionName=build_replay_function(), InvocationType="Event", Payload=json.dumps(wanted)
        )
    except (ClientError, BotoCoreError) as error:
        raise UpstreamUnavailableError("The stream can't be begun now", retry_after=2) from error


def tell(records: Iterable[dict[str, Any]]) -> None:
    """Tell everyone who follows a build what happened, at events that the jobs table's stream brings.

    Args:
        records: Of DynamoDB Streams; their keys are ``BUILD#<id>`` and ``UPDATE#<sequence>``. Only the builds matter:
            what is new is read from the log.

    Raises:
        UpstreamUnavailableError: Somebody could not be told, nor could that be handed over.
    """
    build_ids = dict.fromkeys(record_["dynamodb"]["Keys"]["pk"]["S"].removeprefix("BUILD#") for record_ in records)
    posting = delivery()
    ends_at = posting.clock() + _RECORDS_SECONDS
    for build_id in build_ids:
        for connection in store.connections_of(build_id):
            in_time = posting.clock() < ends_at
            if not in_time or posting.deliver_patiently(connection, _LIVE_SECONDS) is Outcome.LATER:
                hand_over(connection)


def replay(connection: Connection) -> None:
    """Take up a delivery: at the beginning of a connection, and whenever it could not be done at once.

    Raises:
        UpstreamUnavailableError: It could not be done; to be tried again.
    """
    if delivery().deliver_patiently(connection, PATIENCE_SECONDS) is Outcome.LATER:
        record("StreamDelayed")
        raise UpstreamUnavailableError("The client could not be told", retry_after=2)
