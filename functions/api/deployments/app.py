"""Deployments: request, estimate, list, read, close, retry. One resource; ``kind`` separates tokens and workloads.

And the models whose tokens can be launched.
"""

from typing import Annotated

from fastapi import Path, Query, Response

from slipway.akash.models import (
    BidList,
    ChooseBidsRequest,
    DepositRequest,
    PatchWorkloadRequest,
    SdlAnswer,
    UpdateWorkloadRequest,
    WorkloadStatus,
)
from slipway.deployments import service
from slipway.deployments.models import AnyStatus, Kind, Page
from slipway.deployments.service import catalogue, deployment_service
from slipway.errors import (
    BudgetExceededError,
    ConflictError,
    NotFoundError,
    OwnBudgetExceededError,
    RateLimitExceededError,
    ReplacementNeededError,
    TokenExistsError,
)
from slipway.http import Context, Cursor, Key, Limit, Owner, SignedIn, body_of, create_app, lambda_handler, refusals
from slipway.tokens.models import DeploymentStatus, ModelId, ModelPage, ModelView

app = create_app()
RETRY = refusals(NotFoundError, ConflictError, TokenExistsError, RateLimitExceededError)
CHANGE = refusals(NotFoundError, ConflictError, ReplacementNeededError, BudgetExceededError, OwnBudgetExceededError)
UpdateBody = Annotated[UpdateWorkloadRequest, body_of(UpdateWorkloadRequest, long_text="sdl")]
PatchBody = Annotated[PatchWorkloadRequest, body_of(PatchWorkloadRequest)]
ChoiceBody = Annotated[ChooseBidsRequest, body_of(ChooseBidsRequest)]
DepositBody = Annotated[DepositRequest, body_of(DepositRequest)]
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
    kind: Kind | None = None,
    status: AnyStatus | None = None,
    model_id: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Page:
    """List the caller's deployments, newest first."""
    return deployment_service().list(caller, service.Filter(kind, status, model_id), limit, cursor)


@app.get("/api/deployments/{deployment_id}", responses=refusals(NotFoundError))
def detail(deployment_id: str, caller: Owner) -> service.Detail:
    """Return one deployment with its events."""
    return deployment_service().detail(caller, deployment_id)


@app.get("/api/deployments/{deployment_id}/status", responses=refusals(NotFoundError))
def status(deployment_id: str, caller: Owner) -> service.Status:
    """Return where a deployment stands."""
    return deployment_service().status(caller, deployment_id)


@app.put("/api/deployments/{deployment_id}", status_code=202, responses=CHANGE)
def update(context: Context, deployment_id: str, caller: Owner, body: UpdateBody) -> WorkloadStatus:
    """Have a running workload run another SDL, in its lease where Akash can, else in another with `replace`."""
    return deployment_service().update(caller, deployment_id, body, context)


@app.patch("/api/deployments/{deployment_id}", responses=refusals(NotFoundError, ConflictError))
def patch(context: Context, deployment_id: str, caller: Owner, body: PatchBody) -> WorkloadStatus:
    """Change a workload's name, or whether its runway is kept up."""
    return deployment_service().patch(caller, deployment_id, body, context)


@app.post("/api/deployments/{deployment_id}/deposit", status_code=202, responses=CHANGE)
def deposit(context: Context, deployment_id: str, caller: Owner, body: DepositBody) -> WorkloadStatus:
    """Add to the escrow account of a running workload."""
    return deployment_service().deposit(caller, deployment_id, body, context)


@app.get("/api/deployments/{deployment_id}/bids", responses=refusals(NotFoundError, ConflictError))
def bids(deployment_id: str, caller: Owner) -> BidList:
    """List the bids for a workload whose owner chooses among them, best first."""
    return deployment_service().bids(caller, deployment_id)


@app.post("/api/deployments/{deployment_id}/bids", status_code=202, responses=refusals(NotFoundError, ConflictError))
def choose(context: Context, deployment_id: str, caller: Owner, body: ChoiceBody) -> WorkloadStatus:
    """Take one bid for each placement of a workload that waits for its owner to choose."""
    return deployment_service().choose(caller, deployment_id, body, context)


@app.get("/api/deployments/{deployment_id}/sdl", responses=refusals(NotFoundError, ConflictError))
def sdl(context: Context, deployment_id: str, caller: Owner, reveal: bool = False) -> SdlAnswer:
    """Return a workload's SDL; what looks secret is masked unless it is revealed, which is audited."""
    return deployment_service().sdl(caller, deployment_id, reveal, context)


@app.delete(
    "/api/deployments/{deployment_id}", status_code=202, responses={200: {}, **refusals(NotFoundError, ConflictError)}
)
def close(context: Context, response: Response, deployment_id: str, caller: Owner) -> service.Status:
    """Close an Akash workload, or cancel a token's launch for which nothing is signed yet."""
    closing = deployment_service().close(caller, deployment_id, context)
    if closing.status in service.CLOSED:
        response.status_code = 200
    return closing


@app.post("/api/deployments/{deployment_id}/retry", status_code=202, responses=RETRY)
def retry(context: Context, deployment_id: str, caller: Owner, key: Key = None) -> DeploymentStatus:
    """Take a token's launch up again that failed after something of it was signed, from what is on chain."""
    return deployment_service().retry(caller, deployment_id, key, context)


@app.get("/api/models")
def models(caller: SignedIn, limit: Limit = 20, cursor: Cursor = None) -> ModelPage:
    """List the models that the caller owns or contributes to; all of them for an administrator."""
    return catalogue().page(caller, limit, cursor)


@app.get("/api/models/{model_id}", responses=refusals(NotFoundError))
def model(model_id: Annotated[ModelId, Path()], caller: SignedIn) -> ModelView:
    """Return one model, its token, and every refusal that a launch by the caller would get."""
    return catalogue().find(caller, model_id)


handler = lambda_handler(app)
