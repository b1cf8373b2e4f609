"""Projects and payments of specification 001."""

from typing import Annotated

from fastapi import Query

from slipway.errors import ConflictError, ForbiddenError, NotFoundError, RateLimitExceededError, ServicePausedError
from slipway.fields import Address
from slipway.http import (
    Context,
    Cursor,
    Key,
    Limit,
    Owner,
    SignedIn,
    authenticated,
    body_of,
    create_app,
    lambda_handler,
    refusals,
)
from slipway.projects import models, service

app = create_app()
NewProject = Annotated[models.NewProject, body_of(models.NewProject, subject=("name", "app_name"))]
NewPayment = Annotated[models.NewPayment, body_of(models.NewPayment, subject=("name",))]
Change = Annotated[models.StatusChange, body_of(models.StatusChange, authenticated)]
Wallet = Annotated[Address | None, Query()]


@app.post(
    "/deployments", status_code=201, responses=refusals(ConflictError, RateLimitExceededError, ServicePausedError)
)
def create(context: Context, caller: Owner, body: NewProject, key: Key = None) -> models.Project:
    """Record a project."""
    return service.create_project(caller, body, key, context)


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
def change(context: Context, name: str, caller: SignedIn, body: Change) -> models.Project:
    """Move a project on."""
    return service.change_status(caller, name, body, context)


@app.delete("/deployments/{name}", status_code=204, responses=refusals(ForbiddenError, NotFoundError, ConflictError))
def delete(context: Context, name: str, caller: SignedIn) -> None:
    """Delete a project."""
    service.delete_project(caller, name, context)


@app.post("/payments", status_code=201, responses=refusals(ConflictError, RateLimitExceededError, ServicePausedError))
def pay(context: Context, caller: Owner, body: NewPayment, key: Key = None) -> models.Payment:
    """Record a payment."""
    return service.create_payment(caller, body, key, context)


@app.get("/payments", responses=refusals(ForbiddenError))
def payments(caller: SignedIn, creator: Wallet = None, limit: Limit = 20, cursor: Cursor = None) -> models.PaymentPage:
    """List payments, newest first."""
    return service.list_payments(caller, creator, limit, cursor)


@app.get("/payments/{payment_id}", responses=refusals(NotFoundError))
def payment(payment_id: str, caller: SignedIn) -> models.Payment:
    """Return one payment."""
    return service.find_payment(caller, payment_id)


handler = lambda_handler(app)
