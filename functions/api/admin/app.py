"""The administrator's routes: switches, audit trail, metrics, budgets, model catalogue."""

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import BeforeValidator

from slipway.budgets import service
from slipway.budgets.models import BudgetsAnswer, BudgetsChange
from slipway.control import service as control
from slipway.control.gas import gas as gas_spent
from slipway.control.models import AuditPage, GasAnswer, MetricsAnswer, PauseRequest, SeriesAnswer, Step, SwitchAnswer
from slipway.control.series import series as service_series
from slipway.deployments import administration as deployments
from slipway.deployments.models import AnyStatus, DeploymentEntries
from slipway.errors import ConflictError, NotFoundError
from slipway.fields import Address
from slipway.http import Context, Cursor, Limit, RoleHolder, body_of, create_app, lambda_handler, refusals
from slipway.identity import revocation
from slipway.identity.models import ADMIN, BlockRequest, Caller, StandingAnswer
from slipway.limits import service as limit_service
from slipway.limits.models import LimitsAnswer, LimitsChange
from slipway.times import optional_moment
from slipway.tokens.catalogue import put_model
from slipway.tokens.models import ModelAnswer, ModelEntry, ModelId

app = create_app()
administrator = RoleHolder(ADMIN)
Administrator = Annotated[Caller, Depends(administrator)]
Reason = Annotated[PauseRequest, body_of(PauseRequest, administrator)]
BlockReason = Annotated[BlockRequest, body_of(BlockRequest, administrator)]
Wallet = Annotated[Address, Path()]
User = Annotated[Address | None, Query()]
Text = Annotated[str | None, Query(max_length=128)]

From = Annotated[datetime | None, Query(alias="from"), BeforeValidator(partial(optional_moment, field="from"))]
To = Annotated[datetime | None, Query(alias="to"), BeforeValidator(partial(optional_moment, field="to"))]


@app.post("/api/admin/{service}/pause", responses=refusals(NotFoundError))
def pause(context: Context, service: str, caller: Administrator, body: Reason) -> SwitchAnswer:
    """Take no new work; what runs goes on."""
    return control.switch(context, caller, service, paused=True, reason=body.reason)


@app.post("/api/admin/{service}/resume", responses=refusals(NotFoundError))
def resume(context: Context, service: str, caller: Administrator, body: Reason) -> SwitchAnswer:
    """Take new work again."""
    return control.switch(context, caller, service, paused=False, reason=body.reason)


@app.get("/api/admin/wallets/{wallet}")
def wallet(_: Administrator, wallet: Wallet) -> StandingAnswer:
    """Return whether a wallet is blocked, and why."""
    return revocation.standing_of(wallet)


@app.post("/api/admin/wallets/{wallet}/block")
def block(context: Context, caller: Administrator, wallet: Wallet, body: BlockReason) -> StandingAnswer:
    """Refuse everything that a wallet asks from now on; what it has running goes on."""
    return revocation.block(context, caller, wallet, body.reason, blocked=True)


@app.post("/api/admin/wallets/{wallet}/unblock")
def unblock(context: Context, caller: Administrator, wallet: Wallet, body: BlockReason) -> StandingAnswer:
    """Serve a wallet again."""
    return revocation.block(context, caller, wallet, body.reason, blocked=False)


@app.post("/api/admin/wallets/{wallet}/logout")
def end_sessions(context: Context, caller: Administrator, wallet: Wallet) -> StandingAnswer:
    """End all sessions of a wallet; it may sign in again."""
    return revocation.end_sessions_of(context, caller, wallet)


@app.get("/api/admin/audit")
def audit(
    _: Administrator,
    user: User = None,
    model: Text = None,
    outcome: Text = None,
    since: From = None,
    until: To = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> AuditPage:
    """List every attempt, accepted or refused, newest first."""
    return control.audit_page(control.AuditFilter(user, model, outcome, since, until), limit, cursor)


@app.get("/api/admin/metrics", responses=refusals(NotFoundError))
def metrics(_: Administrator, service: str = "tokens", since: From = None, until: To = None) -> MetricsAnswer:
    """Summarize how a service did."""
    return control.metrics_summary(service, since, until)


@app.get("/api/admin/metrics/series", responses=refusals(NotFoundError))
def series(
    request: Request,
    _: Administrator,
    service: str = "tokens",
    since: From = None,
    until: To = None,
    step: Step = Step.HOUR,
) -> SeriesAnswer:
    """Show how a service did over time, and the API's requests: how many, how long they took, how many failed."""
    return service_series(service, since, until, step, request.scope["aws.event"]["requestContext"]["apiId"])


@app.get("/api/admin/gas")
def gas(_: Administrator, user: User = None, since: From = None, until: To = None) -> GasAnswer:
    """Show what users' jobs cost on chains: by wallet, by day, and the newest transactions."""
    return gas_spent(user, since, until)


@app.get("/api/admin/budgets")
def budgets(_: Administrator) -> BudgetsAnswer:
    """Show what is used of every budget, what is left, and until when."""
    return service.budgets()


@app.put("/api/admin/budgets", responses=refusals(ConflictError))
def change_budgets(
    context: Context,
    caller: Administrator,
    body: Annotated[BudgetsChange, body_of(BudgetsChange, administrator)],
) -> BudgetsAnswer:
    """Set ceilings by name, from the next request on; null goes back to the template's."""
    changed = service.change_budgets(body)
    context.record_accepted(
        caller.wallet, "budgets", ", ".join(f"{name}: {limit}" for name, limit in sorted(body.root.items()))
    )
    return changed


@app.get("/api/admin/limits")
def limits(_: Administrator) -> LimitsAnswer:
    """Show the limits of each tier, and of wallets that have limits of their own."""
    return limit_service.limits()


@app.put("/api/admin/limits", responses=refusals(ConflictError))
def change_limits(
    context: Context, caller: Administrator, body: Annotated[LimitsChange, body_of(LimitsChange, administrator)]
) -> LimitsAnswer:
    """Set limits of tiers and wallets, from the next request on; null takes them back."""
    context.record_accepted(caller.wallet, "limits", body.model_dump_json(exclude_unset=True))
    return limit_service.change_limits(body)


@app.get("/api/admin/deployments")
def all_deployments(
    _: Administrator,
    user: User = None,
    model: Text = None,
    status: AnyStatus | None = None,
    since: From = None,
    until: To = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DeploymentEntries:
    """List deployments of all users, newest first."""
    return deployments.page(deployments.Filter(user, model, status, since, until), limit, cursor)


@app.put("/api/admin/models/{model_id}")
def model(
    context: Context,
    model_id: Annotated[ModelId, Path()],
    caller: Administrator,
    body: Annotated[ModelEntry, body_of(ModelEntry, administrator)],
) -> ModelAnswer:
    """Write a model into the catalogue."""
    return put_model(context, caller, model_id, body)


handler = lambda_handler(app)
