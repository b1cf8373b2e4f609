"""Workers: enrolment and tokens, the fleet and its uptime, the setup script."""

from typing import Annotated

from fastapi import Path, Query, Response
from fastapi.responses import HTMLResponse

from slipway.errors import (
    AuthenticationFailedError,
    ConflictError,
    NotFoundError,
    RateLimitExceededError,
    ServicePausedError,
)
from slipway.fields import Address
from slipway.http import (
    BaseUrl,
    Context,
    Cursor,
    Limit,
    Owner,
    SignedIn,
    body_of,
    create_app,
    lambda_handler,
    refusals,
)
from slipway.workers import enrolment, fleet, models
from slipway.workers.badge import badge_svg, status_page
from slipway.workers.rules import Liveness
from slipway.workers.setup_script import setup_script
from slipway.workers.uptime import parse_edge

app = create_app()
Wallet = Annotated[Address, Path()]
Enrol = Annotated[models.EnrolRequest, body_of(models.EnrolRequest, may_be_empty=True)]
Change = Annotated[models.WorkerChange, body_of(models.WorkerChange)]
Exchange = Annotated[models.ExchangeRequest, body_of(models.ExchangeRequest, caller=None)]


# A page of its own needs nothing from elsewhere.
_PUBLIC = {
    "cache-control": "public, max-age=60",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
}


class _Badge(Response):
    media_type = "image/svg+xml"


class _Script(Response):
    media_type = "text/x-shellscript"


@app.post("/workers", status_code=201, responses=refusals(ConflictError, RateLimitExceededError, ServicePausedError))
def enrol(context: Context, base_url: BaseUrl, caller: Owner, _: Enrol) -> models.EnrolmentAnswer:
    """Enrol the caller's worker, or enrol it again: a one-time code."""
    return enrolment.enrol(caller, base_url, context)


@app.post("/workers/{wallet}/tokens", status_code=201, responses=refusals(AuthenticationFailedError))
def exchange(context: Context, wallet: Wallet, body: Exchange) -> models.WorkerTokenAnswer:
    """Exchange the code for the worker's token. The code is the proof, so nobody signs in."""
    return enrolment.exchange(wallet, body.enrolment_code, context)


@app.delete("/workers/{wallet}/tokens", status_code=204, responses=refusals(NotFoundError))
def revoke(context: Context, wallet: Wallet, caller: Owner) -> None:
    """Revoke the worker's token."""
    enrolment.revoke(str(caller.wallet), wallet, context)


@app.delete("/workers/{wallet}", status_code=204, responses=refusals(NotFoundError))
def retire(context: Context, wallet: Wallet, caller: Owner) -> None:
    """Retire the worker: its tokens end, its records stay readable. Enrolling it again revives it."""
    enrolment.retire(str(caller.wallet), wallet, context)


@app.patch("/workers/{wallet}", responses=refusals(NotFoundError))
def change(context: Context, wallet: Wallet, caller: Owner, body: Change) -> models.WorkerView:
    """Switch the worker's badge and public status page on or off."""
    enrolment.make_public(str(caller.wallet), wallet, body.public, context)
    return fleet.worker_view(caller, wallet)


@app.get("/workers")
def page(
    caller: SignedIn,
    status: Liveness | None = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    days: Annotated[int | None, Query(ge=1, le=31)] = None,
) -> models.WorkerPage:
    """List the fleet, newest enrolment first; with `days`, each worker's uptime of so many days, too."""
    return fleet.fleet_page(caller, status, limit, cursor, days)


@app.get("/workers/{wallet}", responses=refusals(NotFoundError))
def detail(wallet: Wallet, caller: SignedIn) -> models.WorkerView:
    """Return one worker."""
    return fleet.worker_view(caller, wallet)


@app.get("/workers/{wallet}/uptime", response_model_exclude_unset=True, responses=refusals(NotFoundError))
def uptime(
    wallet: Wallet,
    _: SignedIn,
    since: Annotated[str | None, Query(alias="from", max_length=64)] = None,
    until: Annotated[str | None, Query(alias="to", max_length=64)] = None,
) -> models.UptimeAnswer:
    """Return when a worker was up, and for how much of the time."""
    return fleet.worker_uptime(wallet, parse_edge(since, "from"), parse_edge(until, "to"))


@app.get("/workers/{wallet}/badge.svg", response_class=_Badge, responses=refusals(NotFoundError))
def badge(wallet: Wallet) -> Response:
    """Return the badge of a worker whose owner shows it."""
    status, found = fleet.public_view(wallet)
    return _Badge(badge_svg(status, found.percent), headers=_PUBLIC)


@app.get("/workers/{wallet}/status", response_class=HTMLResponse, responses=refusals(NotFoundError))
def public_page(wallet: Wallet) -> Response:
    """Return the status page of a worker whose owner shows it."""
    return HTMLResponse(status_page(wallet, *fleet.public_view(wallet)), headers=_PUBLIC)


@app.get("/api/setup", response_class=_Script)
def setup(base_url: BaseUrl, wallet: Annotated[Address, Query()]) -> Response:
    """Return the bash script that makes a machine the worker of a wallet."""
    return _Script(setup_script(wallet, base_url))


handler = lambda_handler(app)
