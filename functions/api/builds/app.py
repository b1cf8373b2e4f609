"""Builds: a contract is written from a prompt, audited, and deployed to several chains."""

from typing import Annotated, Any

from fastapi import Path, Query, Response
from fastapi.responses import PlainTextResponse

from slipway.builds.api import models
from slipway.builds.api.service import build_service
from slipway.builds.states import Status
from slipway.errors import (
    BudgetExceededError,
    ConflictError,
    GenerationUnsupportedError,
    NotFoundError,
    NotHonouredError,
    RateLimitExceededError,
    ServicePausedError,
)
from slipway.http import Context, Key, Owner, body_of, create_app, lambda_handler, refusals

app = create_app()
NewBuild = Annotated[models.BuildRequest, body_of(models.BuildRequest)]
PreviewBody = Annotated[models.PreviewRequest, body_of(models.PreviewRequest)]
Chains = Annotated[models.DeployRequest, body_of(models.DeployRequest)]
WalletHash = Annotated[models.WalletTransaction, body_of(models.WalletTransaction)]
ChainNumber = Annotated[int, Path(ge=1, le=2**53)]
PageNumber = Annotated[int, Query(ge=1, le=10**9)]
PageSize = Annotated[int, Query(ge=1, le=100)]
ACCEPTING = (BudgetExceededError, RateLimitExceededError, ServicePausedError)
JUDGED = (GenerationUnsupportedError, NotHonouredError, ConflictError, *ACCEPTING)


_REPORTS = {"json": "application/json", "sarif": "application/sarif+json", "markdown": "text/markdown"}


class _Json(Response):
    media_type = _REPORTS["json"]


@app.post("/api/v1/builds", responses=refusals(*JUDGED))
def create(context: Context, caller: Owner, body: NewBuild, key: Key = None) -> models.BuildResponse:
    """Accept a build."""
    return build_service().request(caller, body, key, context)


@app.post("/api/v1/builds/preview", responses=refusals(GenerationUnsupportedError, RateLimitExceededError))
def preview(caller: Owner, body: PreviewBody) -> models.Preview:
    """Show what a prompt would become; nothing is built."""
    return build_service().preview(caller, body)


@app.get("/api/v1/builds")
def page(
    caller: Owner, status: Status | None = None, page: PageNumber = 1, page_size: PageSize = 20
) -> models.BuildList:
    """List the caller's builds, newest first."""
    return build_service().page(caller, status, page, page_size)


@app.get("/api/v1/builds/{build_id}", responses=refusals(NotFoundError))
def detail(build_id: str, caller: Owner) -> models.BuildDetail:
    """Return a build with its code, its audit report and its deployments."""
    return build_service().detail(caller, build_id)


@app.delete("/api/v1/builds/{build_id}", responses=refusals(NotFoundError, ConflictError))
def cancel(context: Context, build_id: str, caller: Owner) -> models.Cancelled:
    """Cancel a build; nothing of it is sent to a chain after the answer."""
    return build_service().cancel(caller, build_id, context)


@app.get("/api/v1/builds/{build_id}/code", response_class=PlainTextResponse, responses=refusals(NotFoundError))
def code(build_id: str, caller: Owner) -> Response:
    """Return the contract's source, to be saved as a file."""
    disposition = {"content-disposition": f'attachment; filename="{build_id}.sol"'}
    return PlainTextResponse(build_service().code(caller, build_id), headers=disposition)


@app.get(
    "/api/v1/builds/{build_id}/audit",
    response_class=_Json,
    responses={
        **refusals(NotFoundError),
        200: {"content": {_REPORTS[name]: {"schema": {"type": "string"}} for name in ("sarif", "markdown")}},
    },
)
def audit(build_id: str, caller: Owner, format: models.ReportFormat = "json") -> Response:
    """Return the audit's report, as JSON, SARIF 2.1.0 or Markdown."""
    return Response(build_service().report(caller, build_id, format), media_type=_REPORTS[format])


@app.get("/api/v1/builds/{build_id}/abi", responses=refusals(NotFoundError))
def abi(build_id: str, caller: Owner) -> list[dict[str, Any]]:
    """Return the contract's ABI."""
    return build_service().abi(caller, build_id)


@app.get("/api/v1/builds/{build_id}/metadata", response_class=_Json, responses=refusals(NotFoundError))
def metadata(build_id: str, caller: Owner) -> Response:
    """Return the compiler's standard-JSON input, with which explorers verify the contract."""
    return _Json(build_service().metadata(caller, build_id))


@app.post("/api/v1/builds/{build_id}/deploy", responses=refusals(NotFoundError, ConflictError, *ACCEPTING))
def deploy(context: Context, build_id: str, caller: Owner, body: Chains, key: Key = None) -> models.DeployAnswer:
    """Deploy the contract to chains where that failed, or which are new."""
    return build_service().deploy(caller, build_id, body.root, key, context)


@app.post(
    "/api/v1/builds/{build_id}/deployments/{chain_id}",
    responses=refusals(NotFoundError, ConflictError, RateLimitExceededError),
)
def follow(
    context: Context, build_id: str, chain_id: ChainNumber, caller: Owner, body: WalletHash, key: Key = None
) -> models.DeployAnswer:
    """Follow the transaction by which the caller's wallet creates the contract on a chain."""
    return build_service().follow(caller, build_id, chain_id, body.tx_hash, key, context)


@app.post("/api/v1/builds/{build_id}/retry", responses=refusals(NotFoundError, ConflictError, *ACCEPTING))
def retry(context: Context, build_id: str, caller: Owner, key: Key = None) -> models.BuildResponse:
    """Begin a build again that failed before its audit could judge it."""
    return build_service().retry(caller, build_id, key, context)


@app.post("/api/v1/builds/{build_id}/ticket", responses=refusals(NotFoundError))
def ticket(build_id: str, caller: Owner) -> models.Ticket:
    """Issue a ticket that opens the build's stream once, for clients that can't send headers."""
    return build_service().ticket(caller, build_id)


handler = lambda_handler(app)
