"""Deployments: request, estimate, list, read, close. One resource; ``kind`` tells tokens from Akash workloads."""

import os
from functools import cache
from typing import Annotated, Literal

from fastapi import Depends, Header, Query, Request

from slipway.executions import execution_starter
from slipway.http import body_of, context_of, create_app, lambda_handler, wallet_owner
from slipway.idempotency import idempotency_key_of
from slipway.identity.models import Caller
from slipway.tokens import models
from slipway.tokens.model_source import model_source
from slipway.tokens.service import TokenService, token_service

app = create_app()
Body = Annotated[models.DeployTokenRequest, body_of(models.DeployTokenRequest)]
Owner = Annotated[Caller, Depends(wallet_owner)]


@cache
def _tokens() -> TokenService:
    return token_service(model_source(), execution_starter(os.environ["TOKEN_DEPLOY_ARN"]))


@app.post("/api/deployments", status_code=202)
def create(
    request: Request,
    caller: Owner,
    body: Body,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> models.DeployTokenAnswer:
    """Accept the launch of a model's token."""
    return _tokens().request(caller, body, idempotency_key_of(idempotency_key), context_of(request))


@app.post("/api/deployments/estimate")
def estimate(caller: Owner, body: Body) -> models.EstimateAnswer:
    """What a launch would cost, and every reason why it would be refused now."""
    return _tokens().estimate(caller, body)


@app.get("/api/deployments")
def page(
    caller: Owner,
    kind: Literal["token", "akash"] | None = None,
    status: models.Status | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=1024)] = None,
) -> models.DeploymentPage:
    """The caller's deployments, newest first."""
    return _tokens().list(caller, kind=kind, status=status, limit=limit, cursor=cursor)


@app.get("/api/deployments/{deployment_id}")
def detail(deployment_id: str, caller: Owner) -> models.DeploymentDetail:
    """One deployment with its events."""
    return _tokens().detail(caller, deployment_id)


@app.get("/api/deployments/{deployment_id}/status", response_model_exclude_none=True)
def status(deployment_id: str, caller: Owner) -> models.DeploymentStatus:
    """Where a launch stands."""
    return _tokens().status(caller, deployment_id)


@app.delete("/api/deployments/{deployment_id}")
def close(deployment_id: str, caller: Owner) -> None:
    """Refused for tokens: what is on chain stays there."""
    _tokens().close(caller, deployment_id)


handler = lambda_handler(app)
