"""Projects and payments of specification 001."""

from typing import Annotated

from fastapi import Depends, Header, Query, Request

from slipway.errors import ConflictError, ForbiddenError, NotFoundError, ServicePausedError
from slipway.fields import Address
from slipway.http import authenticated, body_of, context_of, create_app, lambda_handler, refusals, wallet_owner
from slipway.idempotency import idempotency_key_of
from slipway.identity.models import Caller
from slipway.projects import models, service

app = create_app()
Owner = Annotated[Caller, Depends(wallet_owner)]
SignedIn = Annotated[Caller, Depends(authenticated)]
NewProject = Annotated[models.NewProject, body_of(models.NewProject, subject=("name", "app_name"))]
NewPayment = Annotated[models.NewPayment, body_of(models.NewPayment, subject=("name",))]
Change = Annotated[models.StatusChange, body_of(models.StatusChange, authenticated)]
Key = Annotated[str | None, Header(alias="idempotency-key")]
Wallet = Annotated[Address | None, Query()]
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=1024)]


@app.post("/deployments", status_code=201, responses=refusals(ConflictError, ServicePausedError))
def create(request: Request, caller: Owner, body: NewProject, idempotency_key: Key = None) -> models.Project:
    """Record a project."""
    return service.create_project(caller, body, idempotency_key_of(idempotency_key), context_of(request))


@app.get("/deployments")
def page(
    _: SignedIn,
    status: models.ProjectStatus | None = None,
    creator: Wallet = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> models.ProjectPage:
    """List projects, newest first."""
    return service.list_projects(creator, status, limit, cursor)


@app.get("/deployments/{name}", responses=refusals(NotFoundError))
def detail(name: str, _: SignedIn) -> models.Project:
    """Return one project."""
    return service.find_project(name)


@app.patch("/deployments/{name}/status", responses=refusals(ForbiddenError, NotFoundError, ConflictError))
def change(request: Request, name: str, caller: SignedIn, body: Change) -> models.Project:
    """Move a project on."""
    return service.change_status(caller, name, body, context_of(request))


@app.delete("/deployments/{name}", status_code=204, responses=refusals(ForbiddenError, NotFoundError, ConflictError))
def delete(request: Request, name: str, caller: SignedIn) -> None:
    """Delete a project."""
    service.delete_project(caller, name, context_of(request))


@app.post("/payments", status_code=201, responses=refusals(ConflictError, ServicePausedError))
def pay(request: Request, caller: Owner, body: NewPayment, idempotency_key: Key = None) -> models.Payment:
    """Record a payment."""
    return service.create_payment(caller, body, idempotency_key_of(idempotency_key), context_of(request))


@app.get("/payments", responses=refusals(ForbiddenError))
def payments(caller: SignedIn, creator: Wallet = None, limit: Limit = 20, cursor: Cursor = None) -> models.PaymentPage:
    """List payments, newest first."""
    return service.list_payments(caller, creator, limit, cursor)


@app.get("/payments/{payment_id}", responses=refusals(NotFoundError))
def payment(payment_id: str, caller: SignedIn) -> models.Payment:
    """Return one payment."""
    return service.find_payment(caller, payment_id)


handler = lambda_handler(app)
