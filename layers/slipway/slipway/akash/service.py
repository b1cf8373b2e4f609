"""Use cases of the routes for Akash workloads: estimate, request, close. ``views`` is for reading them."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from slipway.akash.bidding.prices import amount_text, hourly
from slipway.akash.console.client import ConsoleApi, console_api
from slipway.akash.console.models import GpuPrices
from slipway.akash.models import (
    DeployWorkloadAnswer,
    DeployWorkloadRequest,
    PaymentAnswer,
    PayWorkloadAnswer,
    Status,
    WorkloadEstimate,
    WorkloadResources,
    WorkloadStatus,
)
from slipway.akash.rules import OUT_OF_FUNDS
from slipway.akash.sdl.gpus import GpuName, gpu_of, parse_gpu
from slipway.akash.sdl.parser import Workload, parse_sdl
from slipway.akash.store import KIND, RECONCILE_AFTER_SECONDS, AkashDeployment, sdl_item
from slipway.akash.views import status_of
from slipway.akash.workloads import bounds_of, new_workload
from slipway.budgets.rules import akash_ceilings, micro
from slipway.budgets.store import Budget, Spender
from slipway.budgets.store import keys as budget_keys
from slipway.chain.unsigned import UnsignedTransaction
from slipway.control.store import PROBE_WRITE, Gate, Service, switch_key
from slipway.errors import (
    ConflictError,
    FundsExhaustedError,
    InvalidSdlError,
    PaymentRequiredError,
    SlipwayError,
    UpstreamUnavailableError,
)
from slipway.escrow.service import EscrowService, escrow_service
from slipway.executions import execution_starter
from slipway.idempotency import WRITE as IDEMPOTENCY_WRITE
from slipway.idempotency import Idempotency
from slipway.identifiers import new_id
from slipway.identity.models import Caller, is_staff
from slipway.identity.quotas import quota_of
from slipway.jobs.deployments import find_deployment
from slipway.jobs.models import Refusal
from slipway.jobs.open_work import open_shard
from slipway.jobs.restart import execution_input
from slipway.jobs.store import RequestContext, job_event
from slipway.jobs.store import change_job as change
from slipway.limits.store import Quota
from slipway.observability import logger, record
from slipway.request_threads import RequestThreads
from slipway.settings import (
    AkashSettings,
    akash_budget,
    akash_deposit_seconds,
    akash_settings,
    pays_by_escrow,
    state_machine_arn,
    token_chain_id,
)
from slipway.store import ConditionsFailedError, Transaction, read_items
from slipway.times import now, now_text, to_text

_CHOICE = ("choose_bid", "choose_within_seconds", "unchosen")
# A request has two seconds for everything.
_CALL_SECONDS = 1.2


class AkashService:
    """Requests and reads of workloads.

    Args:
        settings: What this installation is set to.
        console: Gives the Console API; asked for only when it is needed.
        escrow: Gives the escrow; asked for only when a caller pays.
        start_execution: Starts ``akash_deploy`` under the execution name given first, with the input given second;
            starting the same again must do nothing.
    """

    def __init__(
        self,
        settings: AkashSettings,
        console: Callable[[], ConsoleApi],
        start_execution: Callable[[str, str], None],
        escrow: Callable[[], EscrowService] = escrow_service,
    ) -> None:
        self._escrow = escrow
        self._settings = settings
        self._console = console
        self._start_execution = start_execution
        self._threads = RequestThreads(max_workers=3, thread_name_prefix="console")

    # ── Estimate ────────────────────────────────────────────────────────────────────────────────

    def estimate(self, caller: Caller, body: DeployWorkloadRequest) -> WorkloadEstimate:
        """Return what a workload would probably cost and why it would be refused; changes nothing.

        Raises:
            InvalidSdlError: The SDL is not one that can be deployed.
            UpstreamUnavailableError: Akash does not name its prices now.
        """
        workload = parse_sdl(body.sdl)
        deposit = self._deposit(body)
        gate, budget, quota = _gate_and_budget(caller)
        totals = workload.totals
        console = self._configured()
        usual = self._threads.submit(
            console.price_estimate, totals.cpu, totals.memory, totals.storage, seconds=_CALL_SECONDS
        )
        gpus = self._threads.submit(console.gpu_prices, seconds=_CALL_SECONDS) if totals.gpus else None
        credit = self._threads.submit(self._credit_refusal, deposit, is_staff(caller))
        prices = gpus.result() if gpus else GpuPrices()
        gpu = _gpu_usd_per_hour(workload, prices) if gpus else Decimal(0)
        hour = None if gpu is None else hourly(usual.result().akash) + gpu
        pays = _pays(caller)
        spending = _over_budget(budget, deposit, body) or (None if pays else budget.refusal(micro(deposit)))
        nowhere = _gpu_refusal(workload, prices) if gpus else None
        refusals = [gate.refusal, nowhere, spending, credit.result(), quota.refusal]
        return WorkloadEstimate(
            services=list(workload.services),
            resources=WorkloadResources(
                cpu_millicores=totals.cpu,
                memory_bytes=totals.memory,
                storage_bytes=totals.storage,
                gpus=totals.gpus,
            ),
            usd_per_hour=None if hour is None else amount_text(hour),
            usd_per_month=None if hour is None else amount_text(hour * 730, 2),
            gpu_usd_per_hour=None if gpu is None else amount_text(gpu),
            deposit=amount_text(deposit),
            payer="escrow" if pays else "account",
            most_cost=amount_text(deposit),
            expected_cost=None if hour is None else amount_text(hour),
            chain=token_chain_id() if pays else None,
            refusals=[Refusal(code=refusal.code, message=refusal.message) for refusal in refusals if refusal],
        )

    def _deposit(self, body: DeployWorkloadRequest) -> Decimal:
        return self._settings.default_deposit if body.deposit is None else body.deposit

    def _configured(self) -> ConsoleApi:
        if not self._settings.is_configured:
            raise UpstreamUnavailableError("Akash is not set up here: there is no key of the Console API")
        return self._console()

    def _credit_refusal(self, deposit: Decimal, shown: bool) -> SlipwayError | None:
        """Return why the account can't pay the deposit, with its credit where it may be ``shown``.

        Only a word of Akash's counts: if it is silent, the create shows it.
        """
        try:
            credit = self._configured().balances(seconds=_CALL_SECONDS).balance
        except SlipwayError as error:
            logger.warning("credit not read", reason=error.message)
            return None
        if credit >= deposit:
            return None
        if not shown:
            return PaymentRequiredError("The Akash account can't pay this deposit now")
        missing = amount_text(deposit - credit, 2)
        return PaymentRequiredError(
            f"The Akash account has {amount_text(credit, 2)} USD, so {missing} USD are missing for the deposit",
            details={"credit": amount_text(credit, 2), "deposit": amount_text(deposit), "missing": missing},
        )

    # ── Request ─────────────────────────────────────────────────────────────────────────────────

    def request(
        self, caller: Caller, body: DeployWorkloadRequest, idempotency_key: str | None, context: RequestContext
    ) -> DeployWorkloadAnswer:
        """Accept a workload: one write transaction, one execution start.

        Raises:
            SlipwayError: Any of the refusals of ``POST /api/deployments``; nothing was changed.
        """
        wallet = str(caller.wallet)
        workload = parse_sdl(body.sdl)
        deposit = self._deposit(body)
        self._configured()
        credit: Future[SlipwayError | None] = self._threads.submit(self._credit_refusal, deposit, is_staff(caller))
        deployment_id, pays = new_id(), _pays(caller)
        gate, budget, quota = _gate_and_budget(caller)
        bounds = bounds_of(budget, audited_only=not (is_staff(caller) or akash_budget().unaudited))
        most = min(body.preferences.max_price or bounds.max_price, bounds.max_price)
        paying = self._threads.submit(self._escrow().request, wallet, deployment_id, deposit, most) if pays else None
        # Keys given before there was a choice stand for the same request.
        left_out = {"auth_token"} if body.choose_bid else {"auth_token", *_CHOICE}
        asked = body.model_dump(mode="json", by_alias=True, exclude=left_out)
        idempotency = Idempotency.of("deployments", wallet, idempotency_key, asked)
        if refusal := gate.refusal or _over_budget(budget, deposit, body) or credit.result():
            if idempotency and idempotency.is_known():
                return self._replay(idempotency)
            raise refusal
        answer = DeployWorkloadAnswer(
            deployment_id=deployment_id,
            services=list(workload.services),
            deposit=amount_text(deposit),
            status_url=f"/api/deployments/{deployment_id}/status",
        )
        choice = {"within": body.choose_within_seconds, "unchosen": body.unchosen} if body.choose_bid else None
        deployment = new_workload(
            deployment_id, wallet, body.sdl, workload, body.preferences, answer.deposit, bounds, choice
        )
        write = Transaction()
        gate.enter(write)
        deployment.name = body.name
        if paying:
            answer = _awaiting(deployment, answer, *paying.result())
        else:
            deployment.budget = budget.spend(write, micro(deposit))
        write.create("deployment", deployment)
        write.create("sdl", sdl_item(deployment_id, body.sdl))
        write.create("event", job_event(deployment.pk, str(Status.PENDING), "The workload was accepted"))
        write.create("audit", context.audit("accepted", wallet, deployment_id, ", ".join(workload.services)[:200]))
        quota.count_within(write)
        if idempotency:
            idempotency.remember(write, answer.model_dump())
        try:
            write.commit()
        except ConditionsFailedError as error:
            if idempotency and IDEMPOTENCY_WRITE in error.failed:
                return self._replay(idempotency)
            if PROBE_WRITE in error.failed:
                raise gate.probed() from error
            refusal = budget.refusal(0 if pays else micro(deposit), error.failed)
            refusal = refusal or quota.refused(error.failed)
            raise refusal or ConflictError("Too many requests at once; try again", retry_after=1) from error
        record("Workloads", outcome="accepted")
        if not pays:
            budget.measure(micro(deposit))
        self._start(deployment)
        context.headers.update(quota.headers)
        return answer

    def _replay(self, idempotency: Idempotency) -> DeployWorkloadAnswer:
        stored = idempotency.answer()
        answer = (PayWorkloadAnswer if "payment" in stored else DeployWorkloadAnswer).model_validate(stored)
        # The first request may have died between its write and its start.
        deployment = find_deployment(answer.deployment_id)
        if isinstance(deployment, AkashDeployment) and deployment.status == str(Status.PENDING):
            self._start(deployment)
        return answer

    def _start(self, deployment: AkashDeployment) -> None:
        try:
            self._start_execution(deployment.execution_name, execution_input(deployment))
        except Exception:
            # What was accepted is written and keeps its promise: reconcile starts it.
            logger.exception("execution not started", deployment_id=deployment.deployment_id)

    # ── Close ───────────────────────────────────────────────────────────────────────────────────

    def close(self, deployment: AkashDeployment, context: RequestContext) -> WorkloadStatus:
        """Have a workload closed, whatever it is doing; it keeps its status until Akash says that it is closed.

        Asking again changes nothing, and neither does asking for one that has ended.
        """
        if deployment.ended:
            return status_of(deployment)
        request_close(
            deployment, "The owner closed it", context.audit("accepted", deployment.wallet, deployment.deployment_id)
        )
        if not deployment.ended:
            self._start(deployment)
        return status_of(deployment)

    def lose(self, deployment: AkashDeployment, reason: str) -> None:
        """Have a workload closed whose lease is gone, as somebody has just seen."""
        if request_close(deployment, reason):
            record("LeasesLost")
            self._start(deployment)


def request_close(deployment: AkashDeployment, reason: str, audit: Any = None, *, code: str | None = None) -> bool:
    """Write down that a workload is to be closed; every task of its state machine heeds that from then on.

    The execution of an active workload, or of one that was kept open, has ended: another is counted, which the caller
    starts. ``code`` is that of the error for which it is closed, if there is one; ``audit`` is written with that.

    Returns:
        False when it was to be closed already, or has ended.
    """

    code = FundsExhaustedError.code if reason == OUT_OF_FUNDS else code

    def also(write: Transaction) -> None:
        if audit:
            write.create("audit", audit)
        if code == FundsExhaustedError.code:
            write.create("exhausted", job_event(deployment.pk, "payment_exhausted", reason))

    while not deployment.ended and deployment.close_requested_at is None:
        actions: list[Any] = [
            AkashDeployment.close_requested_at.set(now_text()),
            AkashDeployment.close_reason.set(reason),
            AkashDeployment.open_shard.set(open_shard(KIND, deployment.deployment_id)),
            AkashDeployment.open_until.set(to_text(now() + timedelta(seconds=RECONCILE_AFTER_SECONDS))),
        ]
        if code:
            actions.append(AkashDeployment.close_code.set(code))
        if deployment.status == str(Status.ACTIVE) or deployment.kept_open:
            actions.append(AkashDeployment.executions.set(int(deployment.executions) + 1))
        if change(
            deployment,
            actions,
            (AkashDeployment.status == deployment.status)
            & (AkashDeployment.executions == int(deployment.executions))
            & AkashDeployment.close_requested_at.does_not_exist(),
            event=("close_requested", reason, None),
            also=also,
        ):
            return True
    return False


def _gate_and_budget(caller: Caller) -> tuple[Gate, Budget, Quota]:
    """Read switch, budget and quota in one request."""
    ceilings, spender = akash_ceilings(akash_budget()), Spender(caller.wallet, caller.tier)
    quota = quota_of(caller, "workloads")
    state, log, *counters = read_items(switch_key(Service.AKASH), quota.wanted, *budget_keys(ceilings, spender))
    quota.read(log)
    return Gate(Service.AKASH, state), Budget(ceilings, spender, counters), quota


def _pays(caller: Caller) -> bool:
    """Return whether a caller's own escrow pays: never that of operators and administrators."""
    return not is_staff(caller) and pays_by_escrow(caller.tier)


def _awaiting(
    deployment: AkashDeployment,
    answer: DeployWorkloadAnswer,
    payment: dict[str, Any],
    transactions: list[UnsignedTransaction],
) -> PayWorkloadAnswer:
    """Let a workload wait for the deposit, and return the answer that asks for it."""
    expires_at = to_text(now() + timedelta(seconds=akash_deposit_seconds()))
    chain_id = token_chain_id()
    deployment.payment = {**payment, "chain_id": chain_id, "expires_at": expires_at}
    asked = PaymentAnswer(
        job_id=deployment.deployment_id,
        amount=payment["amount"],
        chain_id=chain_id,
        expires_at=expires_at,
        transactions=transactions,
    )
    return PayWorkloadAnswer(**answer.model_dump(), payment=asked)


def _over_budget(budget: Budget, deposit: Decimal, body: DeployWorkloadRequest) -> SlipwayError | None:
    """Return which ceiling for one workload a request is over."""
    price = body.preferences.max_price
    return budget.limit_refusal("akash_deposit", micro(deposit)) or (
        budget.limit_refusal("akash_usd_per_hour", micro(price)) if price else None
    )


def _gpu_usd_per_hour(workload: Workload, prices: GpuPrices) -> Decimal | None:
    """Return what the GPUs of a workload cost on average; None where one has no price."""
    wanted = [parse_gpu(name) for name in workload.gpu_models]
    found = [
        priced.price.avg
        for priced in prices.models
        if priced.price and _is_wanted(wanted, gpu_of(priced.vendor, priced.model, priced.ram, priced.interface))
    ]
    return min(found) * workload.totals.gpus if found else None


def _gpu_refusal(workload: Workload, prices: GpuPrices) -> SlipwayError | None:
    """Return that no provider of the network has a GPU that a workload asks for; None if one has."""
    wanted = [parse_gpu(name) for name in workload.gpu_models]
    if not prices.models or any(
        _is_wanted(wanted, gpu_of(known.vendor, known.model, known.ram, known.interface)) for known in prices.models
    ):
        return None
    known = ", ".join(sorted({f"{gpu.vendor}/{gpu.model}" for gpu in prices.models})[:20])
    message = f"No provider of the network has {' or '.join(workload.gpu_models)}; there are {known}"
    return InvalidSdlError(message, details={"fields": [{"field": "profiles.compute", "message": message}]})


def _is_wanted(wanted: list[GpuName], gpu: GpuName) -> bool:
    return any(name.is_met_by(gpu) for name in wanted)


@cache
def akash_service() -> AkashService:
    """Return the service over this installation's Akash account."""
    return AkashService(akash_settings(), console_api, execution_starter(state_machine_arn("akash_deploy")))
