"""An environment's two stacks, a Banano node and the API that uses it, and the endpoint by which they are joined."""

from typing import Annotated, Any

from fastapi import Depends, Response

from slipway.errors import ConflictError, NotFoundError, ServicePausedError
from slipway.http import Context, Cursor, Key, Limit, RoleHolder, body_of, create_app, lambda_handler, refusals
from slipway.identity.models import OPERATOR, Caller
from slipway.stacks.models import ApiSpec, Kind, NodeSpec, StackAnswer, StackDetail, StackPage
from slipway.stacks.published import REFUSALS as UNPUBLISHED
from slipway.stacks.service import stack_service

app = create_app()
operator = RoleHolder(OPERATOR)
Operator = Annotated[Caller, Depends(operator)]
NodeBody = Annotated[NodeSpec, body_of(NodeSpec, operator, may_be_empty=True)]
ApiBody = Annotated[ApiSpec, body_of(ApiSpec, operator, may_be_empty=True)]


_PUTS: dict[str, Any] = {"status_code": 202, "responses": {200: {}, **refusals(ConflictError, ServicePausedError)}}
_BEGINS: dict[str, Any] = {"status_code": 202, "responses": refusals(NotFoundError, ConflictError, ServicePausedError)}


class _Endpoint(Response):
    media_type = "application/json"


class _Signature(Response):
    media_type = "application/jose+json"


@app.put("/api/stacks/{environment}/node", **_PUTS)
def put_node(
    context: Context, response: Response, environment: str, caller: Operator, body: NodeBody, key: Key = None
) -> StackAnswer:
    """Deploy a node, or change it; 200 when it is so already."""
    return _put(context, response, environment, caller, body, Kind.NODE, key)


@app.put("/api/stacks/{environment}/api", **_PUTS)
def put_api(
    context: Context, response: Response, environment: str, caller: Operator, body: ApiBody, key: Key = None
) -> StackAnswer:
    """Deploy an API stack, or change it; 200 when it is so already."""
    return _put(context, response, environment, caller, body, Kind.API, key)


def _put(
    context: Context, response: Response, environment: str, caller: Caller, body: NodeSpec | ApiSpec, kind: Kind,
    key: str | None,
) -> StackAnswer:  # fmt: skip
    answer = stack_service().put(caller, environment, body, kind, key, context)
    response.status_code = 200 if answer.unchanged else 202
    return answer


@app.get("/api/stacks")
def page(_: Operator, limit: Limit = 20, cursor: Cursor = None) -> StackPage:
    """List all environments' stacks with what they cost, the one made last first."""
    return stack_service().page(limit, cursor)


@app.get("/api/stacks/{environment}/node", responses=refusals(NotFoundError))
def node(environment: str, _: Operator) -> StackDetail:
    """Return a node with its events."""
    return stack_service().detail(environment, Kind.NODE)


@app.get("/api/stacks/{environment}/api", responses=refusals(NotFoundError))
def api(environment: str, _: Operator) -> StackDetail:
    """Return an API stack with its events."""
    return stack_service().detail(environment, Kind.API)


@app.post("/api/stacks/{environment}/node/restart", **_BEGINS)
def restart_node(context: Context, environment: str, caller: Operator, key: Key = None) -> StackAnswer:
    """Start a node anew."""
    return stack_service().restart(caller, environment, Kind.NODE, key, context)


@app.post("/api/stacks/{environment}/api/restart", **_BEGINS)
def restart_api(context: Context, environment: str, caller: Operator, key: Key = None) -> StackAnswer:
    """Start an API stack anew, with the endpoint that its node publishes now."""
    return stack_service().restart(caller, environment, Kind.API, key, context)


@app.delete("/api/stacks/{environment}/node", status_code=202, responses=refusals(NotFoundError, ConflictError))
def delete_node(context: Context, environment: str, caller: Operator) -> StackAnswer:
    """Have a node and its endpoint deleted."""
    return stack_service().delete(caller, environment, Kind.NODE, context)


@app.delete("/api/stacks/{environment}/api", status_code=202, responses=refusals(NotFoundError, ConflictError))
def delete_api(context: Context, environment: str, caller: Operator) -> StackAnswer:
    """Have an API stack deleted."""
    return stack_service().delete(caller, environment, Kind.API, context)


@app.get("/api/stacks/{environment}/endpoint.json", response_class=_Endpoint, responses=refusals(*UNPUBLISHED))
def endpoint(environment: str, _: Operator) -> Response:
    """Return the published endpoint, byte for byte as it was signed."""
    return _Endpoint(stack_service().endpoint(environment))


@app.get("/api/stacks/{environment}/endpoint.json.sig", response_class=_Signature, responses=refusals(*UNPUBLISHED))
def signature(environment: str, _: Operator) -> Response:
    """Return the published endpoint's signature."""
    return _Signature(stack_service().signature(environment))


handler = lambda_handler(app)
