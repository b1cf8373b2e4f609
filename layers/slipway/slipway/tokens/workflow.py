"""The steps of ``token_deploy``, but for those of the signer.

Each may be done any number of times with the same effect as once, by any number of executions: what is due follows from
what is stored and from the chain. docs/exactly-once.md says why a launch has one token whatever happens.
"""

import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

from aws_lambda_powertools.metrics import MetricUnit

from slipway.chain.broadcast import CLOSING_SECONDS, NotTakenError, broadcast, release_unspent_budget, settle
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import FINAL, Progress, Receipt, TransactionState
from slipway.chain.rules import confirmation_pause, first_pause
from slipway.chain.store import with_contracts
from slipway.chains import Chain
from slipway.control.breaker import Outcome
from slipway.control.store import Service, record_outcome
from slipway.errors import (
    OPERATOR_ERRORS,
    DeploymentFailedError,
    NotFoundError,
    TokenExistsError,
    UpstreamUnavailableError,
)
from slipway.jobs.failures import Failure
from slipway.jobs.gas import Served
from slipway.jobs.steps import StepResult, Workflow
from slipway.jobs.store import audit_event, job_outcome
from slipway.observability import logger, record
from slipway.store import Transaction
from slipway.times import Clock, from_text, now, to_text
from slipway.tokens import calls
from slipway.tokens.model_source import ModelSource
from slipway.tokens.models import FINAL as ENDED
from slipway.tokens.models import Purpose, Status
from slipway.tokens.rules import Step, cost_of, failure_outcome, model_refusal, next_step, resume_pause, to_sign
from slipway.tokens.store import KIND, PREFIXES, Launch, LaunchedToken, TokenItem, advance, read_launch, release_locks
from slipway.tokens.transaction_states import launch_states, launch_states_or_recorded, status_of, undone
from slipway.verification.models import PENDING, Contract
from slipway.verification.store import add_verification

_OPEN_STATUSES = set(Status) - ENDED


@dataclass
class Work(Launch):
    """A launch that is worked on.

    Attributes:
        polls: How often the execution read the chain before.
        asked: Whether the execution asked the signer just before.
        states: How far the transactions are, by purpose.
        wanted: What is due by that; None before the chain was asked.
        refused: Whether no node took what was sent just now; then the chain is read before it is sent again.
    """

    polls: int = 0
    asked: bool = False
    refused: bool = False
    states: dict[str, TransactionState] = field(default_factory=dict)
    wanted: Step | None = None


class TokenWorkflow(Workflow[Work]):
    """The steps of one installation's launches.

    Args:
        chain: The chain that tokens live on.
        rpc: Its nodes.
        models: Where models are known from.
        clock: Gives the time.
    """

    name = "token_deploy"

    def __init__(self, chain: Chain, rpc: JsonRpc, models: ModelSource, clock: Clock = time) -> None:
        super().__init__(clock)
        self._chain = chain
        self._rpc = rpc
        self._models = models

    def work(
        self, deployment_id: str, failure: Failure | None = None, *, polls: int = 0, asked: bool = False
    ) -> StepResult:
        """Do what is due for a launch, up to where it has to wait or the signer is needed.

        Args:
            deployment_id: The launch.
            failure: Why the last task failed, if it did.
            polls: How often this execution did so before.
            asked: Whether it asked the signer just before.

        Raises:
            NotFoundError: There is no such launch.
            UpstreamUnavailableError and others that are not permanent: The same again.
        """
        launch = read_launch(deployment_id, self._chain.chain_id)
        work = Work(launch.token, launch.configuration, launch.transactions, polls, asked)
        is_late = now(self._clock) >= from_text(work.token.deadline)
        if failure and failure.code == UpstreamUnavailableError.code and not is_late:
            # No verdict: the launch has its whole time to wait for nodes.
            logger.warning("retrying", deployment_id=deployment_id, reason=failure.message)
            failure = None
        return replace(self._work(work, deployment_id, failure), more={"polls": polls + 1})

    def _due(self, job: Work) -> Step:
        if job.token.ended:
            return Step.DONE
        if job.wanted:
            return job.wanted
        if job.token.status == str(Status.PENDING):
            return Step.CHECK
        if not job.transactions:
            return Step.SIGN
        unsent = any(item.broadcast_at is None for item in job.open)
        return Step.BROADCAST if unsent and not job.refused else Step.CONFIRM

    def _status(self, job: Work) -> str:
        return str(job.token.status)

    # ── Steps ───────────────────────────────────────────────────────────────────────────────────

    def _check(self, job: Work) -> int:
        """Hold the launch to its conditions once more, keep what the model looked like, and begin deploying.

        Raises:
            ModelNotFoundError, ModelNotValidatedError, ForbiddenError: The model changed since the request.
            TokenExistsError: The registry has a token for the model.
        """
        model = self._models.find(job.token.model_id)
        refusal = model_refusal(model, job.token.wallet)
        if refusal or model is None:
            raise refusal or NotFoundError("The model does not exist")
        if token := self._registered_token(job):
            raise TokenExistsError("The model has a token", details={"token_address": token})
        message = "The model was checked; deploying its token"
        advance(job.token, {Status.PENDING}, Status.DEPLOYING, message, values={"model": model.snapshot()})
        return 0

    def _broadcast(self, job: Work) -> int:
        """Send what is signed and was not sent yet, or got lost, in the order of the nonces.

        What no node takes now is looked for, and sent again later, within the launch's time.

        Raises:
            DeploymentFailedError: A node says that it can never be valid.
            UpstreamUnavailableError: No node answered.
        """
        job.wanted = None
        for item in job.open:
            state = job.states.get(item.purpose)
            if item.broadcast_at is None or (state and state.progress in (Progress.MISSING, Progress.STUCK)):
                try:
                    broadcast(self._rpc, item)
                except NotTakenError as error:
                    logger.warning(
                        "transaction not accepted", transaction_hash=item.transaction_hash, reason=error.message
                    )
                    job.refused = True
                    return 0
        return first_pause(self._chain)

    def _confirm(self, job: Work) -> int:
        """Look how far the transactions are, and record what is final; when all of them are, the launch ends.

        Raises:
            DeploymentFailedError: One reverted, or the launch's time is over.
            TokenExistsError: The registry has another token for the model.
            UpstreamUnavailableError: A node does not show the effect yet, or none answered.
        """
        moment, deadline = now(self._clock), from_text(job.token.deadline)
        job.states = launch_states(self._rpc, self._chain, job, job.polls, moment)
        called_off = any(item.cancel_hashes for item in job.open)
        step = next_step(
            job.states,
            job.token.purposes,
            late=moment > deadline,
            called_off=called_off,
            asked=job.asked,
            refused=job.refused,
        )
        open_states = [found for found in job.states.values() if found.progress not in FINAL]
        if open_states and moment > deadline + timedelta(seconds=CLOSING_SECONDS):
            because = next((item.because for item in job.open if item.refusal), "")
            raise DeploymentFailedError(f"The chain neither took nor dropped the transactions in time{because}")
        unsigned = to_sign(job.states, job.token.purposes)
        if unsigned and not self._undone(job, unsigned):
            return self._complete(job)
        if step is Step.DONE:
            return self._finish(job)
        if job.states["deploy"].progress is Progress.CONFIRMED:
            self._deployed(job)
        if job.asked and not job.refused and any(found.progress is Progress.STUCK for found in open_states):
            # Higher fees would be over the cap: another node, or this one by now, may take these.
            step = Step.BROADCAST
        if step is not Step.CONFIRM:
            job.wanted = step
            return 0
        pauses = [found.pause_seconds for found in open_states]
        return max(pauses, default=confirmation_pause(self._chain, job.polls))

    steps: ClassVar = {Step.CHECK: _check, Step.BROADCAST: _broadcast, Step.CONFIRM: _confirm}

    # ── Ends ────────────────────────────────────────────────────────────────────────────────────

    def _deployed(self, job: Work) -> None:
        """Record that the token is there, while its registration is not."""
        if job.token.deployment_block is not None:
            return
        if not self._rpc.code_at(str(job.token.token_address)):
            raise UpstreamUnavailableError("The node does not show the token's code yet")
        values, write = self._settled(job, "deploy")
        message = "The token is deployed; its registration is awaited"
        data = {"transaction_hash": values["deployment_tx_hash"], "token_address": job.token.token_address}
        advance(job.token, {Status.DEPLOYING}, Status.REGISTERING, message, values=values, data=data, write=write)

    def _finish(self, job: Work) -> int:
        """End a launch of which everything is final: complete it, or raise why it failed."""
        deploy = job.states["deploy"]
        if deploy.progress is Progress.CANCELLED:
            because = job.transactions["deploy"].because
            raise DeploymentFailedError(f"The chain did not take the launch in time; it was called off{because}")
        confirmed = {purpose for purpose, found in job.states.items() if found.progress is Progress.CONFIRMED}
        missing = tuple(purpose for purpose in job.token.purposes if purpose not in confirmed)
        if missing and (missing[0] == "deploy" or not self._is_done_by_others(job, missing)):
            receipt = job.states[missing[0]].receipt
            details = {"transaction_hash": receipt.transaction_hash} if receipt else None
            raise DeploymentFailedError("The transaction was mined and reverted", details=details)
        return self._complete(job)

    def _is_done_by_others(self, job: Work, purposes: tuple[Purpose, ...]) -> bool:
        try:
            return not self._undone(job, purposes)
        except TokenExistsError:
            return False

    def _undone(self, job: Work, purposes: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
        return undone(self._rpc, with_contracts(job.configuration, self._chain), job.token, purposes)

    def _complete(self, job: Work) -> int:
        token = self._registered_token(job)
        if token is None:
            raise UpstreamUnavailableError("The node does not show the registration yet")
        if token != str(job.token.token_address).lower():
            raise DeploymentFailedError("The registry does not name this token")
        values, write = self._settled(job)
        values["verification"] = PENDING
        launched = LaunchedToken.of(job.token, values)
        write.create("token", launched)
        created_by = values.get("deployment_tx_hash") or job.token.deployment_tx_hash
        contract = Contract(self._chain.chain_id, launched.token_address, created_by)
        add_verification(write, KIND, job.token.deployment_id, contract, now(self._clock))
        self._record_end(write, job.token, "completed", values)
        if advance(
            job.token,
            _OPEN_STATUSES,
            Status.COMPLETED,
            "The token is deployed and registered",
            values=values,
            data={"token_address": job.token.token_address},
            write=write,
        ):
            for item in job.unknown:
                if (found := job.states.get(item.purpose)) and found.receipt:
                    release_unspent_budget(item, found.receipt)
            self._measure(job.token, "completed")
            record_outcome(Service.TOKENS, Outcome.SUCCESS)
        return 0

    def _give_up(self, job: Work, failure: Failure) -> int:
        """Record how the launch failed; its model is free if nothing of it is, or can still come to be, on chain."""
        if job.token.ended:
            return 0
        moment = now(self._clock)
        job.states = job.states or launch_states_or_recorded(self._rpc, self._chain, job, moment)
        values, write = self._settled(job)
        left = failure_outcome(
            job.states,
            sent=any(item.broadcast_at or len(item.hashes) > 1 for item in job.open),
            called_off=any(item.cancel_hashes for item in job.open),
            executions=int(job.token.executions),
            code=failure.code,
        )
        values |= {"error_code": failure.code, "error_message": failure.message}
        values["error_transaction_hash"] = _failing_hash(job.token, values)
        if left.resume:
            pause = timedelta(seconds=resume_pause(int(job.token.executions)))
            values["open_until"] = to_text(moment + pause)
        if left.release:
            release_locks(write, job.token)
        self._record_end(write, job.token, failure.code, values)
        data = {"code": failure.code}
        if advance(job.token, _OPEN_STATUSES, Status.FAILED, failure.message, values=values, data=data, write=write):
            self._measure(job.token, failure.code)
            if not job.token.resumed_at:
                is_ours = failure.code in OPERATOR_ERRORS
                record_outcome(Service.TOKENS, Outcome.FAILURE if is_ours else Outcome.NEITHER)
        return 0

    def _settled(self, job: Work, *purposes: str) -> tuple[dict[str, Any], Transaction]:
        """Return what the launch keeps of final transactions, all by default, and a write that settles them."""
        values: dict[str, Any] = {}
        write = Transaction()
        for item in job.unknown:
            found = job.states.get(item.purpose)
            status = status_of(found) if found and item.purpose in (purposes or job.states) else None
            if found and status:
                settle(write, item, status, found.receipt, Served(KIND, job.token.wallet))
                if found.receipt and found.progress is not Progress.CANCELLED:
                    values |= _values_of(item.purpose, found.receipt)
        return values, write

    def _record_end(self, write: Transaction, token: TokenItem, outcome: str, values: dict[str, Any]) -> None:
        """Add the end of a launch to the audit trail and to the figures."""
        gas, cost = _spent(token, values)
        write.create("outcome", job_outcome("token", outcome, self._seconds(token), gas, cost))
        write.create(
            "audit",
            audit_event(
                action="token_deploy",
                outcome=outcome,
                wallet=token.wallet,
                subject=token.model_id,
                message=f"deployment {token.deployment_id}",
            ),
        )

    def _measure(self, token: TokenItem, outcome: str) -> None:
        record("Launches", outcome=outcome)
        # Averaged over any time, this is the failure rate.
        record("LaunchFailed", int(outcome != "completed"))
        record("LaunchDuration", self._seconds(token), MetricUnit.Seconds, outcome=outcome)
        gas, _ = _spent(token, {})
        if gas:
            record("LaunchGas", gas, chain=self._chain.name)

    def _seconds(self, token: TokenItem) -> float:
        return (now(self._clock) - from_text(token.created_at)).total_seconds()

    def _registered_token(self, job: Work) -> str | None:
        registry = str(with_contracts(job.configuration, self._chain).model_registry)
        return calls.registered_token(self._rpc, registry, job.token.model_id)


def _values_of(purpose: str, receipt: Receipt) -> dict[str, Any]:
    """Return what a launch keeps of a mined transaction; its block only if it had its effect."""
    prefix = PREFIXES[purpose]
    block = {f"{prefix}_block": receipt.block_number} if receipt.succeeded else {}
    return {
        f"{prefix}_tx_hash": receipt.transaction_hash,
        f"{prefix}_gas_used": receipt.gas_used,
        f"{prefix}_gas_price": str(receipt.effective_gas_price),
        f"{prefix}_cost": str(receipt.cost),
        **block,
    }


def _spent(token: TokenItem, values: dict[str, Any]) -> tuple[int, int]:
    """Return the gas that a launch's mined transactions used, and what they cost in wei."""

    def known(name: str) -> Any:
        return values.get(name, getattr(token, name))

    parts = [
        (known(f"{prefix}_gas_used"), known(f"{prefix}_gas_price"), known(f"{prefix}_cost"))
        for prefix in PREFIXES.values()
    ]
    return sum(int(gas or 0) for gas, _, _ in parts), sum(cost_of(*part) or 0 for part in parts)


def _failing_hash(token: TokenItem, values: dict[str, Any]) -> str | None:
    """Return the transaction at which a launch failed: the first that had no effect."""
    known = {**token.attribute_values, **values}
    hashes = [(known.get(f"{prefix}_tx_hash"), known.get(f"{prefix}_block")) for prefix in PREFIXES.values()]
    return next((one for one, block in hashes if one and block is None), hashes[0][0])
