"""What no route of the HTTP API takes: paths that end in a slash, handed on to the function that has them without, as
API Gateway would have given them to it; and the refusal of everything else.

HTTP APIs take no route that ends in a slash, and the specification of builds writes its paths so.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from slipway.errors import MethodNotAllowedError, NotFoundError, UpstreamUnavailableError
from slipway.gateway import Event

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
    # Nothing else here needs them.
    from botocore.exceptions import BotoCoreError, ClientError

    from slipway.store import aws_client

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


def answer_elsewhere(event: Event, paths: Mapping[str, Iterable[str]], prefix: str, function: str) -> dict[str, Any]:
    """Answer a request that no route takes.

    Args:
        event: API Gateway's.
        paths: Of the OpenAPI document, each with its methods.
        prefix: Under it, a slash at the end of a path means nothing.
        function: Answers what is under it.

    Raises:
        NotFoundError: There is no such path.
        MethodNotAllowedError: The path takes other methods.
        UpstreamUnavailableError: The function did not answer.
    """
    path = event["rawPath"]
    wanted = path.rstrip("/") if path.startswith(prefix) else path
    # Those without parameters first.
    for route in sorted(paths, key=lambda known: "{" in known):
        if not re.fullmatch("[^/]+".join(map(re.escape, re.split(r"{\w+}", route))), wanted):
            continue
        methods = sorted(map(str.upper, paths[route]))
        if wanted != path and event["requestContext"]["http"]["method"] in methods:
            return forwarded(event, function, wanted, route)
        raise MethodNotAllowedError("This path does not take that method", headers={"allow": ", ".join(methods)})
    raise NotFoundError("There is no such path")
