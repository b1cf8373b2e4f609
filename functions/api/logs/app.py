"""GET /api/deployments/{id}/logs: the logs of an Akash workload as Server-Sent Events.

Behind an HTTP API a stream is a sequence of answers: each comes as soon as there are lines, or after twenty seconds
without any, and the next request goes on where it ended.
"""

from typing import Annotated

from fastapi import Header, Query, Response

from slipway.akash.logs.service import MAX_TAIL, log_service
from slipway.deployments.service import own
from slipway.errors import ConflictError, NotFoundError, RateLimitExceededError
from slipway.http import Owner, create_app, lambda_handler, refusals
from slipway.server_sent_events import MEDIA_TYPE

app = create_app()


class _EventStream(Response):
    media_type = MEDIA_TYPE


@app.get(
    "/api/deployments/{deployment_id}/logs",
    response_class=_EventStream,
    responses={204: {}, **refusals(NotFoundError, ConflictError, RateLimitExceededError)},
)
def logs(
    deployment_id: str,
    caller: Owner,
    service: Annotated[str | None, Query(max_length=64)] = None,
    tail: Annotated[int, Query(ge=0, le=MAX_TAIL)] = 100,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Return the next part of the stream; 204 ends it."""
    text = log_service().stream(own(caller, deployment_id), service or None, tail, last_event_id)
    return Response(status_code=204) if text is None else _EventStream(text)


handler = lambda_handler(app)
