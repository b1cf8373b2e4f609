"""The resource ``/api/deployments`` over its kinds: tokens and Akash workloads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from slipway.akash import models as akash
from slipway.akash import views
from slipway.akash.rules import loss_of
from slipway.akash.status.models import LiveStatus
from slipway.akash.store import AkashDeployment, hosts_of
from slipway.deployments.models import AnyStatus, Kind, Page
from slipway.errors import (
    BudgetExceededError,
    ConflictError,
    DeploymentFailedError,
    ForbiddenError,
    GasLimitExceededError,
    InsufficientGasError,
    ModelNotFoundError,
    ModelNotValidatedError,
    NotFoundError,
    OwnBudgetExceededError,
    PaymentRequiredError,
    RateLimitExceededError,
    ServicePausedError,
    SlipwayError,
    TokenExistsError,
    ValidationFailedError,
)
from slipway.executions import execution_starter
from slipway.identifiers import is_id
from slipway.identity.models import ADMIN, Caller
from slipway.identity.scopes import allows
from slipway.jobs.deployments import Deployment, deployments_of, find_deployment
from slipway.jobs.store import RequestContext, events_of
from slipway.settings import state_machine_arn
from slipway.tokens import models as tokens
from slipway.tokens.catalogue import Catalogue
from slipway.tokens.model_source import ModelSource, model_source
from slipway.tokens.service import TokenService, token_service
from slipway.tokens.store import TokenItem

if TYPE_CHECKING:
    from slipway.akash.changes import WorkloadChanges
    from slipway.akash.service import AkashService
    from slipway.akash.status.service import LiveWorkloads

Request = tokens.DeployTokenRequest | akash.DeployWorkloadRequest
Accepted = tokens.DeployTokenAnswer | akash.PayWorkloadAnswer | akash.DeployWorkloadAnswer
Estimate = tokens.EstimateAnswer | akash.WorkloadEstimate
Status = tokens.DeploymentStatus | akash.WorkloadStatus
Detail = tokens.DeploymentDetail | akash.WorkloadDetail
# Statuses in which nothing is left to close.
CLOSED = frozenset({*akash.FINAL, *tokens.FINAL})
# Why a deployment may be refused, beside who asks and what the body is.
REFUSALS: tuple[type[SlipwayError], ...] = (
    OwnBudgetExceededError,
    PaymentRequiredError,
    ModelNotFoundError,
    ConflictError,
    ModelNotValidatedError,
    TokenExistsError,
    RateLimitExceededError,
    DeploymentFailedError,
    GasLimitExceededError,
    InsufficientGasError,
    BudgetExceededError,
    ServicePausedError,
)
# What an API key needs to see the secrets of an SDL: they let one act for the workload.
_REVEAL_SCOPE = "deployments:write"
_CLASSES: dict[str | None, type[Deployment]] = {None: Deployment, "token": TokenItem, "akash": AkashDeployment}


@dataclass(frozen=True)
class Filter:
    """Which deployments to list; None lists all."""

    kind: Kind | None
    status: AnyStatus | None
    model_id: str | None


def request_model(value: Any) -> type[Request]:
    """Which kind of deployment a body asks for.

    Raises:
        ValidationFailedError: It names both a model and an SDL, or neither.
    """
    given = [name for name in ("model_id", "sdl") if isinstance(value, dict) and name in value]
    if not isinstance(value, dict):
        raise ValidationFailedError.of_field("body", "must be a JSON object")
    if len(given) != 1:
        reason = "give model_id for a token, or sdl for an Akash workload"
        raise ValidationFailedError.of_field("sdl" if given else "model_id", reason + (", not both" if given else ""))
    return akash.DeployWorkloadRequest if given == ["sdl"] else tokens.DeployTokenRequest


class DeploymentService:
    """Requests and reads of deployments of every kind.

    Args:
        tokens: Token launches.
        akash: Gives the workloads on Akash; asked for only when one is requested or closed.
        live: Gives what Akash reports of them; asked for only when one is read.
        models: Where models are known from; asked for the owner of a model that another launched.
    """

    def __init__(
        self,
        tokens: TokenService,
        akash: "Callable[[], AkashService]",
        live: "Callable[[], LiveWorkloads]",
        models: ModelSource,
    ) -> None:
        self._tokens = tokens
        self._models = models
        self._akash = akash
        self._live = live

    def request(self, caller: Caller, body: Request, idempotency_key: str | None, context: RequestContext) -> Accepted:
        """Accept a deployment; see the services of its kind for what is raised."""
        if isinstance(body, akash.DeployWorkloadRequest):
            return self._akash().request(caller, body, idempotency_key, context)
        return self._tokens.request(caller, body, idempotency_key, context)

    def estimate(self, caller: Caller, body: Request) -> Estimate:
        """Return what a deployment would cost, and every reason why it would be refused now; changes nothing."""
        if isinstance(body, akash.DeployWorkloadRequest):
            return self._akash().estimate(caller, body)
        return self._tokens.estimate(caller, body)

    def list(self, caller: Caller, chosen: Filter, limit: int, cursor: str | None) -> Page:
        """Return a page of the caller's deployments, newest first."""
        wanted = _CLASSES["token" if chosen.model_id else chosen.kind]
        if chosen.model_id and chosen.kind == "akash":
            return Page(deployments=[])
        conditions = []
        if chosen.status:
            conditions.append(wanted.status == chosen.status)
        if chosen.model_id:
            conditions.append(TokenItem.model_id == chosen.model_id)
        found, next_cursor = deployments_of(
            str(caller.wallet), kind=wanted, matching=conditions, limit=limit, cursor=cursor
        )
        summaries = [
            views.summary_of(item) if isinstance(item, AkashDeployment) else self._tokens.summary(item)
            for item in found
        ]
        return Page(deployments=summaries, next_cursor=next_cursor)

    def status(self, caller: Caller, deployment_id: str) -> Status:
        """Return where a deployment stands; raises NotFoundError for one that is not theirs to read."""
        item = self._readable(caller, deployment_id)
        if isinstance(item, AkashDeployment):
            live = self._live_of(item)
            return views.status_of(item, live)
        return self._tokens.status(_token(item))

    def detail(self, caller: Caller, deployment_id: str) -> Detail:
        """Return all of a deployment with its events; raises NotFoundError for one that is not theirs to read."""
        item = self._readable(caller, deployment_id)
        if isinstance(item, AkashDeployment):
            live = self._live_of(item)
            return views.detail_of(item, events_of(item.pk), live)
        return self._tokens.detail(_token(item))

    def close(self, caller: Caller, deployment_id: str, context: RequestContext) -> Status:
        """Have a workload closed, or cancel a token's launch for which nothing is signed.

        Raises:
            NotFoundError: No such deployment of the caller's.
            ConflictError: It is a token that is signed: the chain decides, and what is on chain stays there.
        """
        item = own(caller, deployment_id)
        if isinstance(item, AkashDeployment):
            return self._akash().close(item, context)
        return self._tokens.cancel(_token(item), context)

    def update(
        self, caller: Caller, deployment_id: str, body: akash.UpdateWorkloadRequest, context: RequestContext
    ) -> akash.WorkloadStatus:
        """Have a running workload run another SDL; raise as ``WorkloadChanges.update``."""
        return _workload_changes().update(caller, _workload(own(caller, deployment_id)), body, context)

    def patch(
        self, caller: Caller, deployment_id: str, body: akash.PatchWorkloadRequest, context: RequestContext
    ) -> akash.WorkloadStatus:
        """Change a workload's name or automatic top up."""
        return _workload_changes().patch(_workload(own(caller, deployment_id)), body, context)

    def deposit(
        self, caller: Caller, deployment_id: str, body: akash.DepositRequest, context: RequestContext
    ) -> akash.WorkloadStatus:
        """Have money added to a running workload; raise as ``WorkloadChanges.deposit``."""
        return _workload_changes().deposit(caller, _workload(own(caller, deployment_id)), body.amount, context)

    def bids(self, caller: Caller, deployment_id: str) -> akash.BidList:
        """Return the bids that a workload's owner chooses among; raises NotFoundError for one that is not theirs."""
        from slipway.akash.choices import bids_of

        return bids_of(_workload(self._readable(caller, deployment_id), "bids"))

    def choose(
        self, caller: Caller, deployment_id: str, body: akash.ChooseBidsRequest, context: RequestContext
    ) -> akash.WorkloadStatus:
        """Take bids for a workload; raise as ``akash.choices.choose``."""
        from slipway.akash.choices import choose

        return choose(_workload(own(caller, deployment_id), "bids"), body, context)

    def sdl(self, caller: Caller, deployment_id: str, reveal: bool, context: RequestContext) -> akash.SdlAnswer:
        """Return a workload's SDL, masked unless it is to be revealed; administrators see it masked only.

        Raises:
            NotFoundError: There is no such workload of the caller's.
            ForbiddenError: It is to be revealed to an API key that may only read.
        """
        if reveal and caller.scopes is not None and not allows(caller.scopes, _REVEAL_SCOPE):
            raise ForbiddenError(f"The API key has not the scope {_REVEAL_SCOPE}")
        found = _workload(own(caller, deployment_id) if reveal else self._readable(caller, deployment_id))
        return _workload_changes().sdl(caller, found, reveal, context)

    def retry(
        self, caller: Caller, deployment_id: str, idempotency_key: str | None, context: RequestContext
    ) -> tokens.DeploymentStatus:
        """Take a token's launch up again that failed after something of it was signed.

        Raises:
            NotFoundError: No such deployment of the caller's.
            ConflictError: There is nothing to resume.
            RateLimitExceededError: The caller has started as much as its tier allows.
        """
        item = own(caller, deployment_id)
        if isinstance(item, AkashDeployment):
            raise ConflictError("A workload can't be resumed", details={"kind": "akash", "status": item.status})
        return self._tokens.retry(caller, _token(item), idempotency_key, context)

    def _readable(self, caller: Caller, deployment_id: str) -> Deployment:
        """Return a deployment of the caller's, or a launch of a model of the caller's; any for an administrator."""
        found = _existing(deployment_id)
        if found.wallet == caller.wallet or ADMIN in caller.roles:
            return found
        if isinstance(found, TokenItem):
            model = self._models.find(found.model_id) if found.model is None else None
            owner = model.owner if model else (found.model or {}).get("owner")
            if owner == caller.wallet:
                return found
        raise NotFoundError("There is no such deployment")

    def _live_of(self, item: AkashDeployment) -> LiveStatus | None:
        """Return what Akash shows of a workload; one whose lease is gone is closed from now on."""
        if not item.dseq:
            return None
        live = self._live().status(item.deployment_id, str(item.dseq), ended=item.ended, hosts=hosts_of(item))
        reason = loss_of(live.state, [lease.state for lease in live.leases])
        if reason and item.status == str(akash.Status.ACTIVE) and not item.closing:
            self._akash().lose(item, reason)
        return live


def own(caller: Caller, deployment_id: str) -> Deployment:
    """Return a deployment of the caller's; raises NotFoundError, for another owner's too."""
    found = _existing(deployment_id)
    if found.wallet != caller.wallet:
        raise NotFoundError("There is no such deployment")
    return found


def _existing(deployment_id: str) -> Deployment:
    found = find_deployment(deployment_id) if is_id(deployment_id) else None
    if found is None:
        raise NotFoundError("There is no such deployment")
    return found


def _token(item: Deployment) -> TokenItem:
    if not isinstance(item, TokenItem):
        raise TypeError(f"a deployment of no known kind: {type(item).__name__}")
    return item


def _workload(item: Deployment, what: str = "an SDL") -> AkashDeployment:
    if not isinstance(item, AkashDeployment):
        raise ConflictError(f"Only a workload has {what}", details={"kind": "token", "status": item.status})
    return item


def _workload_changes() -> "WorkloadChanges":
    from slipway.akash.changes import workload_changes

    return workload_changes()


def _akash_service() -> "AkashService":
    # Here, because SDLs and upstream's answers have a hundred shapes, and most cold starts serve neither.
    from slipway.akash.service import akash_service

    return akash_service()


def _live_workloads() -> "LiveWorkloads":
    from slipway.akash.status.service import live_workloads

    return live_workloads()


@cache
def catalogue() -> Catalogue:
    """Return the models of this installation's source."""
    return Catalogue(model_source(), _tokens())


@cache
def _tokens() -> TokenService:
    return token_service(model_source(), execution_starter(state_machine_arn("token_deploy")))


@cache
def deployment_service() -> DeploymentService:
    """Return the service over this installation's token chain and Akash account."""
    return DeploymentService(_tokens(), _akash_service, _live_workloads, model_source())
