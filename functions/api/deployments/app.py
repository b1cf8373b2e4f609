"""Deployments: request, estimate, list, read, close. One resource; ``kind`` tells tokens from Akash workloads."""

from typing import Annotated

from fastapi import Response

from slipway.akash.models import FINAL, WorkloadStatus
from slipway.deployments import service
from slipway.deployments.service import deployment_service
from slipway.errors import ConflictError, NotFoundError
from slipway.http import Context, Cursor, Key, Limit, Owner, body_of, create_app, lambda_handler, refusals

app = create_app()
Body = Annotated[service.Request, body_of(service.request_model, long_text="sdl")]


@app.post("/api/deployments", status_code=202, responses=refusals(*service.REFUSALS))
def create(context: Context, caller: Owner, body: Body, key: Key = None) -> service.Accepted:
    """Accept the launch of a model's token, or a workload for Akash."""
    return deployment_service().request(caller, body, key, context)


@app.post("/api/deployments/estimate")
def estimate(caller: Owner, body: Body) -> service.Estimate:
    """Estimate what a deployment would cost, with every reason why it would be refused now."""
    return deployment_service().estimate(caller, body)


@app.get("/api/deployments")
def page(
    caller: Owner,
    kind: service.Kind | None = None,
    status: service.AnyStatus | None = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> service.Page:
    """List the caller's deployments, newest first."""
    return deployment_service().list(caller, kind=kind, status=status, limit=limit, cursor=cursor)


@app.get("/api/deployments/{deployment_id}", responses=refusals(NotFoundError))
def detail(deployment_id: str, caller: Owner) -> service.Detail:
    """Return one deployment with its events."""
    return deployment_service().detail(caller, deployment_id)


@app.get("/api/deployments/{deployment_id}/status", response_model_exclude_none=True, responses=refusals(NotFoundError))
def status(deployment_id: str, caller: Owner) -> service.Status:
    """Return where a deployment stands."""
    return deployment_service().status(caller, deployment_id)


@app.delete(
    "/api/deployments/{deployment_id}", status_code=202, responses={200: {}, **refusals(NotFoundError, ConflictError)}
)
def close(context: Context, response: Response, deployment_id: str, caller: Owner) -> WorkloadStatus:
    """Close an Akash workload; refused for tokens, because what is on chain stays there."""
    closing = deployment_service().close(caller, deployment_id, context)
    if closing.status in FINAL:
        response.status_code = 200
    return closing


handler = lambda_handler(app)
