"""Webhooks: signed notifications of what happens to the caller's things."""

from typing import Annotated

from fastapi import Path

from slipway.errors import ConflictError, ForbiddenError, NotFoundError, RateLimitExceededError
from slipway.http import Context, Owner, body_of, create_app, lambda_handler, refusals
from slipway.notifications import models, service

app = create_app()
TEST = refusals(NotFoundError, ConflictError, RateLimitExceededError)
Id = Annotated[str, Path(max_length=36)]
Body = Annotated[models.WebhookRequest, body_of(models.WebhookRequest)]


@app.post("/api/webhooks", status_code=201, responses=refusals(ConflictError, ForbiddenError, RateLimitExceededError))
def make(context: Context, caller: Owner, body: Body) -> models.WebhookCreated:
    """Make a webhook; its secret appears only here."""
    return service.make(caller, body, context)


@app.get("/api/webhooks")
def listed(caller: Owner) -> models.WebhookList:
    """List the caller's webhooks."""
    return service.listed(caller)


@app.delete("/api/webhooks/{id}", status_code=204, responses=refusals(NotFoundError))
def delete(context: Context, caller: Owner, id: Id) -> None:
    """Delete a webhook."""
    service.delete(caller, id, context)


@app.post("/api/webhooks/{id}/confirm", responses=refusals(NotFoundError))
def confirm(
    context: Context, caller: Owner, id: Id, body: Annotated[models.Confirmation, body_of(models.Confirmation)]
) -> models.WebhookView:
    """Confirm an e-mail address by the code that was sent to it."""
    return service.confirm(caller, id, body, context)


@app.post("/api/webhooks/{id}/secret", responses=refusals(NotFoundError, ConflictError))
def rotate(context: Context, caller: Owner, id: Id) -> models.SecretAnswer:
    """Give a webhook a new secret; both sign for 24 hours."""
    return service.rotate(caller, id, context)


@app.post("/api/webhooks/{id}/test", status_code=202, responses=TEST)
def test(caller: Owner, id: Id) -> models.TestAnswer:
    """Send a test message."""
    return service.test(caller, id)


@app.get("/api/webhooks/{id}/deliveries", responses=refusals(NotFoundError))
def deliveries(caller: Owner, id: Id) -> models.DeliveryList:
    """Return the deliveries of the last seven days, newest first."""
    return service.deliveries(caller, id)


handler = lambda_handler(app)
