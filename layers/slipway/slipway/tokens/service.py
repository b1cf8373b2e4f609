"""Use cases of the token routes: estimate, request, read."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from slipway.addresses import to_checksum
from slipway.budgets.rules import gas_ceilings
from slipway.budgets.store import Budget
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.l1_fees import expected_l1_fees, most_l1_fee
from slipway.chain.models import Fees
from slipway.chain.plans import gas_limits, gas_uses
from slipway.chain.rules import estimated_seconds, fees_under_cap, price_of
from slipway.chain.store import ChainConfiguration, chain_configuration, fee_cap, with_contracts
from slipway.chains import Chain
from slipway.configuration import chain_settings
from slipway.control.breaker import Outcome
from slipway.control.store import PROBE_WRITE, Gate, Service, record_outcome, switch_key
from slipway.errors import (
    ConflictError,
    DeploymentFailedError,
    ForbiddenError,
    GasLimitExceededError,
    SlipwayError,
    TokenExistsError,
    UpstreamUnavailableError,
)
from slipway.idempotency import WRITE as IDEMPOTENCY_WRITE
from slipway.idempotency import Idempotency
from slipway.identifiers import new_id
from slipway.identity.models import Caller
from slipway.identity.quotas import quota_of
from slipway.jobs.deployments import day_key, deployment_key, owner_key
from slipway.jobs.models import Refusal
from slipway.jobs.open_work import open_shard
from slipway.jobs.store import RequestContext, job_event, job_outcome
from slipway.limits.store import WRITE as LIMIT_WRITE
from slipway.limits.store import Quota
from slipway.network import public_client
from slipway.observability import logger, record
from slipway.request_threads import RequestThreads
from slipway.store import ConditionsFailedError, Transaction, read_items
from slipway.times import Clock, from_text, now, now_text, to_text
from slipway.tokens import calls
from slipway.tokens.model_source import CatalogueModels, ModelSource
from slipway.tokens.models import (
    DeploymentDetail,
    DeploymentStatus,
    DeploymentSummary,
    DeployTokenAnswer,
    DeployTokenRequest,
    EstimateAnswer,
    ModelMetadata,
    ModelState,
    Status,
)
from slipway.tokens.resume import add_resumption, is_resumable
from slipway.tokens.rules import (
    LAUNCH_SECONDS,
    RECONCILE_AFTER_SECONDS,
    default_name,
    model_refusal,
    symbol_candidates,
)
from slipway.tokens.store import (
    KIND,
    CatalogueModel,
    ModelLock,
    SymbolLock,
    TokenItem,
    find_token,
    model_lock,
    model_lock_key,
    move,
    read_launch,
    release_locks,
    symbol_is_free,
    symbol_lock_key,
)
from slipway.tokens.views import read_detail, status_of, summary_of

_RPC_SECONDS = 1.0
# A node that drips its answer keeps each read of a socket short, but not their sum.
_READ_SECONDS = 1.5
# All transactions of a launch are sent together and take one inclusion.
_INCLUSIONS = 1
_LAUNCHES = "launches"
# The code of a launch that its owner cancelled.
CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class _Quote:
    """What the chain says of a launch now. ``refusals`` are in the order in which they would be raised.

    Attributes:
        gas: Most gas that the launch would use.
        expected_cost: Wei that it would cost in the next block.
        l1_fee: Most wei that a rollup would charge besides gas.
    """

    gas: int | None
    fees: Fees | None
    expected_cost: int | None
    l1_fee: int
    refusals: list[SlipwayError]

    @property
    def cost(self) -> int | None:
        """Most wei that the launch would cost."""
        return None if self.gas is None or self.fees is None else self.gas * self.fees.max_fee_per_gas + self.l1_fee


def _is_outage(refusal: SlipwayError) -> bool:
    """Return whether nodes are out of reach, and do not just have too much to do."""
    return isinstance(refusal, UpstreamUnavailableError) and not (refusal.details or {}).get("rate_limited")


class TokenService:
    """Requests and reads of token launches.

    Args:
        chain: The chain that tokens live on.
        http: Client for the chain's nodes.
        models: Where models are known from.
        start_execution: Starts ``token_deploy`` under the execution name given first, with the input given second;
            starting the same again must do nothing.
        clock: Passes the time.
    """

    def __init__(
        self,
        chain: Chain,
        http: httpx.Client,
        models: ModelSource,
        start_execution: Callable[[str, str], None],
        clock: Clock = time,
    ) -> None:
        self._clock = clock
        self._chain = chain
        self._rpc = JsonRpc(chain, http, deadline=_RPC_SECONDS, clock=clock)
        self._models = models
        self._start_execution = start_execution
        self._registries = calls.Registries(self._rpc)
        self._threads = RequestThreads(max_workers=6, thread_name_prefix="rpc")

    # ── Estimate ────────────────────────────────────────────────────────────────────────────────

    def estimate(self, caller: Caller, body: DeployTokenRequest) -> EstimateAnswer:
        """Return what a launch would cost and why it would be refused; changes nothing.

        Raises:
            ForbiddenError: ``user_address`` is not the caller's wallet.
            UpstreamUnavailableError: The store or MLflow did not answer.
        """
        wallet = _own_wallet(caller, body)
        gate, quota = _gate_and_quota(caller)
        configuration = with_contracts(chain_configuration(self._chain.chain_id), self._chain)
        quote = self._quote(body, configuration)
        refusals = unique(
            gate.refusal,
            self._model_refusal(body.model_id, wallet),
            self._lock_refusal(body.model_id),
            *quote.refusals,
            quota.refusal,
        )
        symbol = body.token_symbol or next(
            (candidate for candidate in symbol_candidates(body.model_id) if symbol_is_free(candidate)), ""
        )
        most = None if quote.cost is None else str(quote.cost)
        return EstimateAnswer(
            model_id=body.model_id,
            token_name=body.token_name or default_name(body.model_id),
            token_symbol=symbol,
            initial_supply=body.initial_supply,
            max_supply=body.max_supply or body.initial_supply,
            gas=quote.gas,
            max_fee_per_gas=str(quote.fees.max_fee_per_gas) if quote.fees else None,
            max_priority_fee_per_gas=str(quote.fees.max_priority_fee_per_gas) if quote.fees else None,
            fee_cap=str(fee_cap(self._chain, configuration)),
            estimated_gas_cost=most,
            most_cost=most,
            expected_cost=None if quote.expected_cost is None else str(quote.expected_cost),
            currency=self._chain.currency,
            chain=self._chain.chain_id,
            estimated_confirmation_time=estimated_seconds(self._chain, _INCLUSIONS),
            refusals=refusals,
        )

    def refusals(
        self, caller: Caller, models: Sequence[ModelMetadata], tokens: Mapping[str, TokenItem]
    ) -> list[list[Refusal]]:
        """Return every refusal that a launch of each model, with nothing but its id, would get from this caller now.

        The chain is asked once for all of them: what it charges, and which of the models its registry knows.

        Args:
            caller: Who would launch them.
            models: What is launched.
            tokens: The launches that hold the models' locks.

        Raises:
            UpstreamUnavailableError: The store did not answer.
        """
        if not models:
            return []
        gate, quota = _gate_and_quota(caller)
        configuration = with_contracts(chain_configuration(self._chain.chain_id), self._chain)
        sample = next((model for model in models if model.model_id not in tokens), models[0])
        wallet = caller.wallet or str(configuration.token_manager)
        body = DeployTokenRequest.model_construct(model_id=sample.model_id, user_address=wallet)
        ids = [model.model_id for model in models]
        registry = str(configuration.model_registry)
        registered = self._threads.submit(calls.registered_tokens, self._rpc, registry, ids)
        quote = self._quote(body, configuration)
        of_all = [refusal for refusal in quote.refusals if not isinstance(refusal, TokenExistsError)]
        known: dict[str, str] = {}
        try:
            known = registered.result(_READ_SECONDS)
        except (UpstreamUnavailableError, RpcError, TimeoutError):
            of_all.append(self._silent())
        limit = quota.refusal
        found = []
        for model in models:
            token, address = tokens.get(model.model_id), known.get(model.model_id)
            exists = _token_exists(token.deployment_id, token) if token else _registered(address) if address else None
            found.append(unique(gate.refusal, model_refusal(model, caller.wallet), exists, *of_all, limit))
        return found

    def _by[Value](self, ends_at: float, read: "Future[Value]") -> Value:
        """Return what was read; raises TimeoutError at ``ends_at``, in seconds of the monotonic clock."""
        return read.result(max(0.0, ends_at - self._clock.monotonic()))

    def _silent(self) -> UpstreamUnavailableError:
        return UpstreamUnavailableError(f"No node of {self._chain.name} answered in time", retry_after=5)

    def _quote(self, body: DeployTokenRequest, configuration: ChainConfiguration) -> _Quote:
        registry, ends_at = str(configuration.model_registry), self._clock.monotonic() + _READ_SECONDS
        reads = (
            self._threads.submit(self._rpc.fees),
            self._threads.submit(calls.registered_token, self._rpc, registry, body.model_id),
        )
        refusals: list[SlipwayError] = []
        fees: Fees | None = None
        gas = expected = None
        l1_fee = 0
        try:
            estimates = self._estimates(body, configuration, ends_at)
            network, token = self._by(ends_at, reads[0]), self._by(ends_at, reads[1])
            if token:
                refusals.append(_registered(token))
            else:
                # Registration can only be estimated for a model that is not registered.
                used, gas, l1_fee = estimates()
            fees = fees_under_cap(network, self._chain, fee_cap(self._chain, configuration))
            expected = used * price_of(network, fees) + l1_fee if gas else None
            l1_fee = most_l1_fee(l1_fee)
            most = (gas or 0) * fees.max_fee_per_gas + l1_fee
            if refusal := Budget.read(gas_ceilings([self._chain])).refusal(most):
                refusals.append(refusal)
        except TimeoutError:
            refusals.append(self._silent())
        except RpcError as error:
            refusals.append(DeploymentFailedError(f"The chain would refuse the launch: {error.rpc_message}"))
        except SlipwayError as error:
            refusals.append(error)
        return _Quote(gas, fees, expected, l1_fee, refusals)

    def _estimates(
        self, body: DeployTokenRequest, configuration: ChainConfiguration, ends_at: float
    ) -> Callable[[], tuple[int, int, int]]:
        """Begin to ask what a launch needs; return what waits for the gas that it is expected to use, the most gas, and
        what a rollup charges besides.

        Raises:
            ConflictError: The installation's contracts know no supply.
            GasLimitExceededError: The launch would not fit into one block, so its parts could be torn apart.
        """
        registry, manager = str(configuration.model_registry), str(configuration.token_manager)
        version = self._by(ends_at, self._threads.submit(self._registries.version, registry))
        if version is not calls.Version.KEEPS_TERMS and (body.initial_supply or body.max_supply):
            raise ConflictError("The contracts of this installation know no supply; its operator has to upgrade them")
        name = body.token_name or default_name(body.model_id)
        symbol = body.token_symbol or next(symbol_candidates(body.model_id))
        planned = calls.launch(registry, manager, version, name, symbol, body.model_id, _terms(body))
        sender = configuration.registrars[0] if configuration.registrars else manager
        reads = [self._threads.submit(self._rpc.estimate_gas, sender, one.estimated()) for one in planned]
        block = self._threads.submit(self._rpc.block_gas_limit) if body.allocations else None
        charges = self._threads.submit(expected_l1_fees, self._rpc, [one.call() for one in planned])

        def wait() -> tuple[int, int, int]:
            found = []
            for one, read in zip(planned, reads, strict=True):
                try:
                    found.append(self._by(ends_at, read))
                except RpcError as error:
                    if one.rehearsal:
                        message = f"The chain takes no launch with so many allocations: {error.rpc_message}"
                        raise GasLimitExceededError(message) from error
                    raise
            needed = gas_limits(planned, found)
            if max(needed) > self._chain.gas_limit:
                details = {"gas": max(needed), "gas_limit": self._chain.gas_limit}
                raise GasLimitExceededError("The launch needs more gas than a transaction may use", details=details)
            if block and sum(needed) > (most := self._by(ends_at, block)):
                details = {"gas": sum(needed), "block_gas_limit": most}
                raise GasLimitExceededError("The launch does not fit into one block", details=details)
            l1_fees: tuple[int, ...] = self._by(ends_at, charges)
            return sum(gas_uses(planned, found)), sum(needed), sum(l1_fees)

        return wait

    def _model_refusal(self, model_id: str, wallet: str) -> SlipwayError | None:
        return model_refusal(self._models.find(model_id), wallet)

    @staticmethod
    def _lock_refusal(model_id: str) -> SlipwayError | None:
        lock = model_lock(model_id)
        return _token_exists(lock.deployment_id) if lock else None

    # ── Request ─────────────────────────────────────────────────────────────────────────────────

    def request(
        self, caller: Caller, body: DeployTokenRequest, idempotency_key: str | None, context: RequestContext
    ) -> DeployTokenAnswer:
        """Accept a launch: one write transaction, one execution start.

        The transaction takes the model's lock, holds the model to being validated and the caller's, and writes the
        deployment, its first events and the answer to the Idempotency-Key, or none of it.

        Raises:
            SlipwayError: Any of the refusals of ``POST /api/deployments``; nothing was changed.
        """
        wallet = _own_wallet(caller, body)
        gate, quota = _gate_and_quota(caller)
        configuration = with_contracts(chain_configuration(self._chain.chain_id), self._chain)
        quote = self._quote(body, configuration)
        idempotency = Idempotency.of("deployments", wallet, idempotency_key, _asked(body))
        # The catalogue is held to its conditions by the write itself; any other source has to be read first.
        in_catalogue = isinstance(self._models, CatalogueModels)
        model = None if in_catalogue else self._model_refusal(body.model_id, wallet)
        if gate.refusal or model or quote.refusals:
            if idempotency and idempotency.is_known():
                return self._replay(idempotency)
            if gate.refusal:
                raise gate.refusal
            if own := model or self._model_refusal(body.model_id, wallet) or self._lock_refusal(body.model_id):
                raise own
            raise self._refusal_of(quote, quota)
        answer = self._answer(new_id(), body, quote)
        for symbol in [body.token_symbol] if body.token_symbol else symbol_candidates(body.model_id):
            deployment = self._new_deployment(answer, wallet, body, symbol)
            write = self._request_transaction(deployment, body, wallet, context)
            gate.enter(write)
            quota.count_within(write)
            if idempotency:
                idempotency.remember(write, answer.model_dump())
            try:
                write.commit()
                break
            except ConditionsFailedError as error:
                if idempotency and IDEMPOTENCY_WRITE in error.failed:
                    return self._replay(idempotency)
                if error.failed.keys() - {"symbol"}:
                    raise self._refusal(error, gate, body.model_id, wallet, quota) from error
        else:
            raise ConflictError("No free symbol was found; give one as token_symbol")
        record("Launches", outcome="accepted")
        self._start(answer.deployment_id, answer.deployment_id)
        context.headers.update(quota.headers)
        return answer

    def _answer(self, deployment_id: str, body: DeployTokenRequest, quote: _Quote) -> DeployTokenAnswer:
        return DeployTokenAnswer(
            deployment_id=deployment_id,
            model_id=body.model_id,
            estimated_confirmation_time=estimated_seconds(self._chain, _INCLUSIONS),
            estimated_gas_cost=str(quote.cost or 0),
            currency=self._chain.currency,
            chain_id=self._chain.chain_id,
            status_url=f"/api/deployments/{deployment_id}/status",
        )

    @staticmethod
    def _refusal_of(quote: _Quote, quota: Quota) -> SlipwayError:
        """Return the chain's refusal; an outage counts, unless the caller may not launch now anyway."""
        if quota.refusal is None and any(map(_is_outage, quote.refusals)):
            record_outcome(Service.TOKENS, Outcome.UNREACHABLE)
        return quote.refusals[0]

    def _new_deployment(
        self, answer: DeployTokenAnswer, wallet: str, body: DeployTokenRequest, symbol: str
    ) -> TokenItem:
        deployment_id = answer.deployment_id
        created_at = now_text(self._clock)
        deadline = to_text(now(self._clock) + timedelta(seconds=LAUNCH_SECONDS))
        return TokenItem(
            *deployment_key(deployment_id),
            deployment_id=deployment_id,
            status=str(Status.PENDING),
            model_id=body.model_id,
            wallet=wallet,
            chain_id=self._chain.chain_id,
            token_name=body.token_name or default_name(body.model_id),
            token_symbol=symbol,
            initial_supply=body.initial_supply if _terms(body).shares else None,
            max_supply=body.max_supply or body.initial_supply,
            allocations=[one.model_dump() for one in body.allocations or []] or None,
            estimated_gas_cost=answer.estimated_gas_cost,
            deadline=deadline,
            created_at=created_at,
            updated_at=created_at,
            owner_key=owner_key(wallet),
            owner_sort=f"{created_at}#{deployment_id}",
            subject_key=day_key(created_at),
            open_shard=open_shard(KIND, deployment_id),
            open_until=to_text(now(self._clock) + timedelta(seconds=RECONCILE_AFTER_SECONDS)),
        )

    def _request_transaction(
        self, deployment: TokenItem, body: DeployTokenRequest, wallet: str, context: RequestContext
    ) -> Transaction:
        deployment_id = deployment.deployment_id
        write = Transaction()
        if isinstance(self._models, CatalogueModels):
            write.check(
                "model",
                CatalogueModel,
                *CatalogueModel.key(body.model_id),
                (CatalogueModel.state == str(ModelState.VALIDATED))
                & ((CatalogueModel.owner == wallet) | CatalogueModel.contributors.contains(wallet)),
            )
        write.create("deployment", deployment)
        write.create("lock", ModelLock(*model_lock_key(body.model_id), deployment_id=deployment_id))
        write.create("event", job_event(deployment.pk, "pending", "The launch was accepted"))
        write.create(
            "audit",
            context.audit("accepted", wallet, body.model_id, f"deployment {deployment_id}"),
        )
        write.update(
            "symbol",
            SymbolLock(*symbol_lock_key(deployment.token_symbol)),
            [SymbolLock.deployments.add({deployment_id})],
            condition=None if body.token_symbol else SymbolLock.deployments.does_not_exist(),
        )
        return write

    def _replay(self, idempotency: Idempotency) -> DeployTokenAnswer:
        # Answers that were kept before 2026-11-29 name neither.
        beside = {"currency": self._chain.currency, "chain_id": self._chain.chain_id}
        answer = DeployTokenAnswer.model_validate({**beside, **idempotency.answer()})
        # The first request may have died between its write and its start.
        deployment = find_token(answer.deployment_id)
        if deployment and deployment.status == str(Status.PENDING):
            self._start(deployment.deployment_id, deployment.deployment_id)
        return answer

    def _refusal(
        self, error: ConditionsFailedError, gate: Gate, model_id: str, wallet: str, quota: Quota
    ) -> SlipwayError:
        if PROBE_WRITE in error.failed:
            return gate.probed()
        if "model" in error.failed:
            refusal = self._model_refusal(model_id, wallet)
            # None: the model became launchable between the refusal and this read.
            return refusal or ConflictError("The model changed while it was looked at; try again", retry_after=1)
        if "lock" not in error.failed and LIMIT_WRITE in error.failed:
            return quota.refused(error.failed) or ConflictError("Too many requests at once; try again", retry_after=1)
        lock = error.failed.get("lock")
        return _token_exists(lock["deployment_id"]["S"] if lock else None)

    def _start(self, name: str, deployment_id: str) -> None:
        try:
            self._start_execution(name, json.dumps({"deployment_id": deployment_id}))
        except Exception:
            # The launch is written and keeps its promise: reconcile, or a replay of the request, starts it.
            logger.exception("execution not started", deployment_id=deployment_id)

    # ── Resume and cancel ───────────────────────────────────────────────────────────────────────

    def retry(
        self, caller: Caller, token: TokenItem, idempotency_key: str | None, context: RequestContext
    ) -> DeploymentStatus:
        """Take a failed launch up again from what is on chain; it counts like a launch.

        Raises:
            ConflictError: There is nothing to resume, or another launch has the model.
            RateLimitExceededError: The caller has started as much as its tier allows.
        """
        deployment_id, wallet = token.deployment_id, token.wallet
        idempotency = Idempotency.of("retries", wallet, idempotency_key, {"deployment_id": deployment_id})
        launch = read_launch(deployment_id, self._chain.chain_id)
        if not is_resumable(launch):
            return self._retried(token, idempotency, ConflictError("There is nothing to resume"))
        quota = quota_of(caller, _LAUNCHES)
        write = Transaction()
        add_resumption(write, launch.token, now(self._clock))
        write.create("audit", context.audit("accepted", wallet, token.model_id, f"deployment {deployment_id}"))
        quota.count_within(write)
        if idempotency:
            idempotency.remember(write, {"deployment_id": deployment_id})
        try:
            write.commit()
        except ConditionsFailedError as error:
            if "lock" in error.failed:
                refusal: SlipwayError | None = _token_exists(None)
            else:
                refusal = quota.refused(error.failed)
            return self._retried(token, idempotency, refusal or ConflictError("The launch goes on already"))
        token.refresh(consistent_read=True)
        self._start(token.execution_name, deployment_id)
        context.headers.update(quota.headers)
        return self.status(token)

    def _retried(self, token: TokenItem, idempotency: Idempotency | None, refusal: SlipwayError) -> DeploymentStatus:
        """Return how a launch stands that this key took up again before, or raise the refusal."""
        if not idempotency or not idempotency.is_known():
            raise refusal
        idempotency.answer()
        token.refresh(consistent_read=True)
        return self.status(token)

    def cancel(self, token: TokenItem, context: RequestContext) -> DeploymentStatus:
        """Cancel a launch for which nothing is signed; its model is free at once.

        Raises:
            ConflictError: It is signed, so that the chain decides, or it has ended.
        """
        write = Transaction()
        message = "The launch was cancelled by its owner"
        values = {"error_code": CANCELLED, "error_message": message}
        unsigned = TokenItem.deployment_tx_hash.does_not_exist()
        allowed, data = {Status.PENDING, Status.DEPLOYING}, {"code": CANCELLED}
        move(write, token, allowed, Status.FAILED, message, values, data, condition=unsigned)
        release_locks(write, token)
        seconds = (now(self._clock) - from_text(token.created_at)).total_seconds()
        write.create("outcome", job_outcome("token", CANCELLED, seconds, 0, 0))
        write.create("audit", context.audit("accepted", token.wallet, token.model_id, "cancelled"))
        try:
            write.commit()
        except ConditionsFailedError as error:
            token.refresh(consistent_read=True)
            if token.error_code != CANCELLED:
                message = "A launch that is signed, or has ended, can't be cancelled"
                raise ConflictError(message, details={"kind": "token", "status": token.status}) from error
            return self.status(token)
        record("Launches", outcome=CANCELLED)
        record_outcome(Service.TOKENS, Outcome.NEITHER)
        token.refresh(consistent_read=True)
        return self.status(token)

    # ── Read ────────────────────────────────────────────────────────────────────────────────────

    def status(self, deployment: TokenItem) -> DeploymentStatus:
        """Specification 004's status."""
        return status_of(deployment, self._chain)

    def detail(self, deployment: TokenItem) -> DeploymentDetail:
        """Return all of a deployment with its events and what is still open of it."""
        return read_detail(deployment, self._chain)

    def summary(self, deployment: TokenItem) -> DeploymentSummary:
        """Return a deployment in a list."""
        return summary_of(deployment, self._chain)


def _terms(body: DeployTokenRequest) -> calls.Terms:
    allocations = [one.model_dump() for one in body.allocations or []]
    return calls.Terms.of(body.user_address, body.initial_supply, body.max_supply, allocations)


def _asked(body: DeployTokenRequest) -> dict[str, Any]:
    """Return what an Idempotency-Key stands for; a request without supply is that of before there were any."""
    without = {name for name in ("initial_supply", "max_supply", "allocations") if getattr(body, name) is None}
    return body.model_dump(exclude={"auth_token", *without})


def _gate_and_quota(caller: Caller) -> tuple[Gate, Quota]:
    """Read switch and quota in one request."""
    quota = quota_of(caller, _LAUNCHES)
    state, log = read_items(switch_key(Service.TOKENS), quota.wanted)
    quota.read(log)
    return Gate(Service.TOKENS, state), quota


def _own_wallet(caller: Caller, body: DeployTokenRequest) -> str:
    if caller.wallet is None or body.user_address != caller.wallet:
        raise ForbiddenError("user_address is not the wallet that signed in")
    return caller.wallet


def unique(*refusals: SlipwayError | None) -> list[Refusal]:
    """Return refusals as the API shows them, one a code: the lock and the registry may both say that a token exists."""
    by_code = {refusal.code: refusal for refusal in reversed(refusals) if refusal}
    return [Refusal(code=refusal.code, message=refusal.message) for refusal in reversed(by_code.values())]


def _token_exists(deployment_id: str | None, token: TokenItem | None = None) -> TokenExistsError:
    """Return the refusal for a model whose lock is held; ``details`` has the token's address once it is on chain."""
    token = token or (find_token(deployment_id) if deployment_id else None)
    address = token.token_address if token and token.deployment_block is not None else None
    given = {"deployment_id": deployment_id, "token_address": address}
    return TokenExistsError(
        "The model has a token" if address else "The model has a token, or one is being launched",
        details={name: value for name, value in given.items() if value} or None,
    )


def _registered(address: str) -> TokenExistsError:
    return TokenExistsError("The model has a token", details={"token_address": to_checksum(address)})


def token_service(models: ModelSource, start_execution: Callable[[str, str], None]) -> TokenService:
    """Return the service over this installation's token chain."""
    return TokenService(chain_settings().token_chain, public_client(), models, start_execution)
