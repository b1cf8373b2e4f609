"""How a workflow's one function finds the code of the state that called it."""

from collections.abc import Callable, Mapping
from typing import Any

from pynamodb.exceptions import PynamoDBException

from slipway.errors import UpstreamUnavailableError
from slipway.observability import logger, use_request

State = Callable[[dict[str, Any]], dict[str, Any] | None]


def run_state(event: dict[str, Any], context: Any, states: Mapping[str, State]) -> dict[str, Any]:
    """Run the state that ``event`` names.

    Args:
        event: ``{"state": <name in the state machine>, "job_id": …}`` and whatever else the state takes.
        context: Lambda's context.
        states: The workflow's states by name.

    Returns:
        The state's answer, an empty object when it has none.

    Raises:
        SlipwayError: By its class name, which the state machine knows.
    """
    use_request(getattr(context, "aws_request_id", ""), str(event.get("job_id", "")), state=event["state"])
    try:
        answer = states[event["state"]](event)
    except PynamoDBException as error:
        raise UpstreamUnavailableError(f"The store did not answer: {type(error).__name__}") from error
    logger.info("state done", answer=answer)
    return answer or {}
