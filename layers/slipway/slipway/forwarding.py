"""Handing a request on to another function, as API Gateway would have given it to that one."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from slipway.errors import UpstreamUnavailableError
from slipway.gateway import Event
from slipway.store import aws_client

# The other function refuses by itself before.
FORWARD_SECONDS = 13.0


def forwarded(event: Event, function: str, path: str, route: str) -> dict[str, Any]:
    """Return what a function answers to a request at another path.

    Args:
        event: API Gateway's.
        function: Name or ARN of the function.
        path: The path that it is asked for.
        route: The path of its route, such as ``/api/v1/builds/{build_id}``.

    Raises:
        UpstreamUnavailableError: It did not answer, or broke. It may have done what was asked.
    """
    gateway = event["requestContext"]
    key = f"{gateway['http']['method']} {route}"
    request = {
        **event,
        "rawPath": path,
        "routeKey": key,
        "requestContext": {**gateway, "routeKey": key, "http": {**gateway["http"], "path": path}},
    }
    try:
        client = aws_client("lambda", FORWARD_SECONDS, 1)
        answer = client.invoke(FunctionName=function, Payload=json.dumps(request).encode())
        content = json.loads(answer["Payload"].read())
    except (ClientError, BotoCoreError, ValueError) as error:
        raise UpstreamUnavailableError("The request could not be handed on", retry_after=1) from error
    if "FunctionError" in answer:
        raise UpstreamUnavailableError("The request could not be handed on", retry_after=1)
    found: dict[str, Any] = content
    return found
