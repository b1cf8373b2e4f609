"""Calls of verifiers, whose answers are not trusted: bounded in time and size, and read as JSON objects."""

from typing import Any

import httpx

from slipway.deadline_client import DeadlineClient
from slipway.errors import UpstreamUnavailableError, ValidationFailedError
from slipway.json_bodies import parse_json
from slipway.network import require_public_url

# Verifiers answer a submission before they compile.
_SECONDS = 10.0
_MAX_BYTES = 1024 * 1024


def ask(client: DeadlineClient, method: str, url: str, **arguments: Any) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON object of an answer.

    Raises:
        UpstreamUnavailableError: No answer, or no JSON object.
    """
    require_public_url(url)
    host = httpx.URL(url).host
    # As it comes, so that the bound on its size is one.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    try:
        answer = client.request(method, url, _SECONDS, most_bytes=_MAX_BYTES, headers=headers, **arguments)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UpstreamUnavailableError(f"{host} did not answer: {type(error).__name__}") from error
    try:
        body = parse_json(answer.content)
    except ValidationFailedError as error:
        raise UpstreamUnavailableError(f"{host} answered {answer.status_code} without JSON") from error
    if not isinstance(body, dict):
        raise UpstreamUnavailableError(f"{host} answered {answer.status_code} without a JSON object")
    return answer.status_code, body
