"""The Task states of one branch of a build's run: its contract on one chain. Signing is in ``signing``.

Each method may be called any number of times with the same effect as once, by any number of executions; a run that has
ended, was cancelled, or that another took the place of sends nothing any more.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.expressions.update import Action

from slipway.addresses import to_checksum
from slipway.builds.pipeline.rules import (
    ENDED,
    ChainStep,
    chain_and_attempt,
    left_no_contract,
    purpose_of,
    require_audited,
)
from slipway.builds.states import DEPLOYMENT_SECONDS, ChainStatus, Progress, Status, Step, deployment_progress
from slipway.builds.store import (
    KIND,
    WALLET,
    BuildItem,
    ChainDeploymentItem,
    broadcasting,
    chain_deployments,
    chain_key,
    change_build,
    find_build,
    find_chain_deployment,
    require_running,
    running,
)
from slipway.chain import broadcast as chain_broadcast
from slipway.chain.broadcast import (
    NotTakenError,
    apply_deadline,
    mined,
    release_unspent_budget,
    settle,
    transaction_state,
)
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import FINAL, Receipt
from slipway.chain.models import Progress as ChainProgress
from slipway.chain.rules import confirmation_pause, confirmations_pause, first_pause, is_confirmed
from slipway.chain.store import TransactionItem, transaction_for
from slipway.chains import Chain
from slipway.errors import ConflictError, DeploymentFailedError, NotFoundError, UpstreamUnavailableError
from slipway.jobs.failures import failure_of
from slipway.jobs.gas import Served
from slipway.observability import logger, record
from slipway.store import ConditionsFailedError, Transaction
from slipway.times import Clock, from_text, now, now_text, to_text
from slipway.verification.models import PENDING, Contract
from slipway.verification.store import add_verification

# Sending has to be over, by its own deadline, before the permit runs out.
SENDING_SECONDS = 5.0
_PERMIT_SECONDS = SENDING_SECONDS + 3
_MAX_MESSAGE = 500


@dataclass(frozen=True)
class BranchStep:
    """What a branch does next, and the seconds to wait before it."""

    progress: str
    pause_seconds: int = 1


class ChainDeploymentWorkflow:
    """The states of deployments on one chain.

    Args:
        chain: The chain.
        rpc: Its nodes; each call is over within ``SENDING_SECONDS``.
        clock: Gives the time.
    """

    def __init__(self, chain: Chain, rpc: JsonRpc, clock: Clock = time) -> None:
        self._clock = clock
        self._chain = chain
        self._rpc = rpc

    # ── Begin ───────────────────────────────────────────────────────────────────────────────────

    def begin(self, build_id: str, job_id: str) -> BranchStep:
        """Take the deployment up for this run.

        What an earlier run signed is waited for, for as long as it may still be mined: a new attempt, with another
        nonce, begins only when the one before is certain to have left no contract.

        Raises:
            NotFoundError: There is no such build.
            UpstreamUnavailableError: The chain, asked what became of an earlier attempt, or the store did not answer.
        """
        build = _existing(build_id)
        if not _goes_on(build, job_id):
            return BranchStep(ChainStep.ENDED)
        deployment = find_chain_deployment(build_id, self._chain.chain_id)
        if deployment is None:
            return self._create(build_id, job_id)
        status = ChainStatus(deployment.status)
        if status is ChainStatus.DEPLOYED or (deployment.job_id == job_id and status in ENDED):
            return BranchStep(ChainStep.ENDED)
        if deployment.signer == WALLET:
            # Its hash was written with the run that follows it.
            is_followed = deployment.job_id == job_id
            return (
                BranchStep(ChainStep.BROADCAST, first_pause(self._chain))
                if is_followed
                else BranchStep(ChainStep.ENDED)
            )
        attempt, resumed = self._attempt(build_id, int(deployment.attempt))
        if deployment.job_id == job_id and attempt == deployment.attempt:
            return BranchStep(ChainStep.SIGN)
        return self._take_up(deployment, job_id, attempt, resumed=resumed)

    def _create(self, build_id: str, job_id: str) -> BranchStep:
        moment = now_text(self._clock)
        write = Transaction()
        require_running(write, build_id, job_id)
        write.create(
            "deployment",
            ChainDeploymentItem(
                *chain_key(build_id, self._chain.chain_id),
                build_id=build_id,
                chain_id=self._chain.chain_id,
                status=str(ChainStatus.PENDING),
                job_id=job_id,
                deadline=_deadline(self._clock),
                created_at=moment,
                updated_at=moment,
            ),
        )
        try:
            write.commit()
        except ConditionsFailedError as error:
            # Another call of this state has created it, if not the build's end is in the way.
            return BranchStep(ChainStep.ENDED if "build" in error.failed else ChainStep.BEGIN)
        return BranchStep(ChainStep.SIGN)

    def _attempt(self, build_id: str, attempt: int) -> tuple[int, bool]:
        """Return the attempt to go on with, and whether something is signed for it."""
        item = transaction_for(build_id, purpose_of(self._chain.chain_id, attempt))
        if item is None:
            return attempt, False
        progress = transaction_state(self._rpc, self._chain, item, 0, now(self._clock)).progress
        if progress in FINAL and progress is not ChainProgress.CONFIRMED:
            return attempt + 1, False
        return attempt, True

    def _is_settled(self, receipt: Receipt) -> bool:
        return (
            is_confirmed(receipt, self._rpc.block_number(), self._chain)
            and self._rpc.block_hash(receipt.block_number) == receipt.block_hash
        )

    def _take_up(self, deployment: ChainDeploymentItem, job_id: str, attempt: int, *, resumed: bool) -> BranchStep:
        actions: list[Action] = [
            ChainDeploymentItem.job_id.set(job_id),
            ChainDeploymentItem.attempt.set(attempt),
            ChainDeploymentItem.status.set(str(ChainStatus.SIGNED if resumed else ChainStatus.PENDING)),
            ChainDeploymentItem.deadline.set(_deadline(self._clock)),
            ChainDeploymentItem.updated_at.set(now_text(self._clock)),
            ChainDeploymentItem.error_code.remove(),
            ChainDeploymentItem.error_message.remove(),
        ]
        if not resumed:
            actions += [ChainDeploymentItem.address.remove(), ChainDeploymentItem.transaction_hash.remove()]
        write = Transaction()
        require_running(write, deployment.build_id, job_id)
        write.update(
            "deployment",
            ChainDeploymentItem(deployment.pk, deployment.sk),
            actions,
            condition=(ChainDeploymentItem.job_id == deployment.job_id)
            & (ChainDeploymentItem.attempt == deployment.attempt)
            & (ChainDeploymentItem.status == deployment.status),
        )
        try:
            write.commit()
        except ConditionsFailedError as error:
            return BranchStep(ChainStep.ENDED if "build" in error.failed else ChainStep.BEGIN)
        return BranchStep(ChainStep.SIGN)

    # ── Broadcast and confirm ───────────────────────────────────────────────────────────────────

    def broadcast(self, build_id: str, job_id: str) -> BranchStep:
        """Send what is signed, unless the run is over.

        What no node takes now is looked for, and sent again later, until the deployment's deadline.

        Raises:
            DeploymentFailedError: A node says that it can never be valid.
            UpstreamUnavailableError: No node answered, or the store did not, or the permit came too late.
        """
        deployment = self._live(build_id, job_id)
        if deployment is None:
            return BranchStep(ChainStep.ENDED)
        item = self._signed(deployment)
        try:
            if not _send(self._rpc, build_id, job_id, item, self._clock):
                return BranchStep(ChainStep.ENDED)
        except NotTakenError as error:
            logger.warning("transaction not accepted", transaction_hash=item.transaction_hash, reason=error.message)
            return BranchStep(ChainStep.BROADCAST, first_pause(self._chain))
        record_status(deployment, {ChainStatus.SIGNED}, ChainStatus.BROADCAST, f"Sent to {self._chain.name}")
        return BranchStep(ChainStep.BROADCAST, first_pause(self._chain))

    def confirm(self, build_id: str, job_id: str, polls: int) -> BranchStep:
        """Look whether the contract is there for good, and record it when it is.

        Raises:
            CodeMismatchError: A wallet's transaction does not create what was audited.
            DeploymentFailedError: It reverted, or its time is over.
            UpstreamUnavailableError: The node does not show the contract yet, or did not answer.
        """
        deployment = self._live(build_id, job_id)
        if deployment is None:
            return BranchStep(ChainStep.ENDED)
        if deployment.signer == WALLET:
            return self._follow(deployment, polls)
        item = self._signed(deployment)
        moment, deadline = now(self._clock), from_text(deployment.deadline)
        found = transaction_state(self._rpc, self._chain, item, polls, moment)
        if found.progress is ChainProgress.VOID or (found.progress is ChainProgress.CANCELLED and moment < deadline):
            # The nonce was used elsewhere, or closed in the name of an earlier run: this one takes another nonce.
            return BranchStep(ChainStep.BEGIN)
        served = _served(_existing(build_id)) if found.progress is ChainProgress.CANCELLED else None
        found = apply_deadline(deadline, found, item, moment, served)
        if found.progress is ChainProgress.CONFIRMED and found.receipt:
            self._require_code(str(item.contract_address))
            record_deployed(self._chain, deployment, item, found.receipt, moment)
        return BranchStep(str(found.progress), found.pause_seconds)

    def _require_code(self, address: str) -> None:
        if not self._rpc.code_at(address):
            raise UpstreamUnavailableError("The node does not show the contract's code yet")

    def _follow(self, deployment: ChainDeploymentItem, polls: int) -> BranchStep:
        """Look how far the wallet's transaction is; whether it creates what was audited shows before it is mined."""
        chain, transaction_hash = self._chain, str(deployment.transaction_hash)
        latest, sent = self._rpc.block_number(), self._rpc.transaction(transaction_hash)
        if sent:
            require_audited(sent, str(_existing(deployment.build_id).creation_digest), chain.name)
        receipt = self._rpc.receipt(transaction_hash) if sent else None
        if receipt is None:
            if now(self._clock) > from_text(deployment.deadline):
                raise DeploymentFailedError(f"No block of {chain.name} has the transaction; give its hash again then")
            # What nobody has seen is looked for less and less often.
            pause = confirmation_pause(chain, polls)
            return BranchStep(ChainProgress.PENDING, pause if sent else min(60, max(pause, 2 * polls)))
        if not is_confirmed(receipt, latest, chain):
            return BranchStep(ChainProgress.PENDING, confirmations_pause(receipt, latest, chain))
        if self._rpc.block_hash(receipt.block_number) != receipt.block_hash:
            return BranchStep(ChainProgress.PENDING, confirmation_pause(chain, polls))
        if not receipt.succeeded:
            raise DeploymentFailedError("The transaction was mined and reverted")
        address = to_checksum(str(receipt.contract_address))
        self._require_code(address)
        record_deployed(chain, deployment, address, receipt, now(self._clock))
        return BranchStep(ChainProgress.CONFIRMED)

    def _live(self, build_id: str, job_id: str) -> ChainDeploymentItem | None:
        """Return the run's deployment, None when the run or the deployment is over; ConflictError before it began."""
        build, deployment = _existing(build_id), find_chain_deployment(build_id, self._chain.chain_id)
        if deployment is None:
            raise ConflictError("The deployment has not begun")
        over = not _goes_on(build, job_id) or deployment.job_id != job_id or ChainStatus(deployment.status) in ENDED
        return None if over else deployment

    def _signed(self, deployment: ChainDeploymentItem) -> TransactionItem:
        """Return a deployment's transaction, signed before."""
        item = transaction_for(deployment.build_id, purpose_of(self._chain.chain_id, int(deployment.attempt)))
        if item is None:
            raise ConflictError("The creation of the contract is not signed")
        return item

    # ── Failures ────────────────────────────────────────────────────────────────────────────────

    def fail(self, build_id: str, job_id: str, error_name: str, cause: str) -> None:
        """Record how the deployment failed; the other chains go on. What is on the chain is not called failed."""
        deployment = self._taken_up(build_id, job_id)
        if deployment is None or ChainStatus(deployment.status) in ENDED:
            return
        logger.error(
            "chain deployment failed",
            build_id=build_id,
            chain_id=self._chain.chain_id,
            error_name=error_name,
            cause=cause[:2000],
        )
        item = transaction_for(build_id, purpose_of(self._chain.chain_id, int(deployment.attempt)))
        if not _goes_on(_existing(build_id), job_id):
            # What is signed is reconcile's, which waits for the chain to decide.
            record_status(deployment, {ChainStatus.PENDING}, ChainStatus.CANCELLED, "")
            return
        receipt = self._settled_receipt(item) if item else None
        if item and receipt and not left_no_contract(receipt, list(item.cancel_hashes)):
            record_deployed(self._chain, deployment, item, receipt, now(self._clock))
            return
        failure = failure_of(error_name, cause, f"deployment to {self._chain.name}")
        actions: list[Action] = [
            ChainDeploymentItem.error_code.set(failure.code),
            ChainDeploymentItem.error_message.set(failure.message[:_MAX_MESSAGE]),
            *(_spent(receipt) if receipt else []),
        ]
        message = f"The deployment to {self._chain.name} failed: {failure.message[:_MAX_MESSAGE]}"
        if record_status(deployment, set(ChainStatus) - ENDED, ChainStatus.FAILED, message, actions=actions):
            record("ChainDeployments", chain=self._chain.name, outcome=failure.code)

    def _taken_up(self, build_id: str, job_id: str) -> ChainDeploymentItem | None:
        """Return the deployment as this run's, whether or not ``begin`` came so far; None when it is another's."""
        deployment = find_chain_deployment(build_id, self._chain.chain_id)
        if deployment is None:
            self._create(build_id, job_id)
        elif deployment.job_id != job_id and deployment.status != str(ChainStatus.DEPLOYED) and not deployment.signer:
            attempt = int(deployment.attempt)
            signed = transaction_for(build_id, purpose_of(self._chain.chain_id, attempt)) is not None
            self._take_up(deployment, job_id, attempt, resumed=signed)
        else:
            return deployment if deployment.job_id == job_id else None
        deployment = find_chain_deployment(build_id, self._chain.chain_id)
        return deployment if deployment and deployment.job_id == job_id else None

    def _settled_receipt(self, item: TransactionItem) -> Receipt | None:
        try:
            receipt = mined(self._rpc, item)
            return receipt if receipt and self._is_settled(receipt) else None
        except UpstreamUnavailableError:
            # Then reconcile finds out.
            return None


class BuildTransactions:
    """Whose transactions builds are, for ``slipway.chain.reconcile.SignerReconcile``.

    Args:
        chain: The chain they are on.
        rpc: Its nodes; each call is over within ``SENDING_SECONDS``.
        clock: Gives the time.
    """

    def __init__(self, chain: Chain, rpc: JsonRpc, clock: Clock = time) -> None:
        self._clock = clock
        self._chain = chain
        self._rpc = rpc

    def is_over(self, item: TransactionItem) -> bool:
        """Whether nobody waits for the transaction any more: its run or its attempt has ended."""
        build = find_build(item.job_id)
        if build is None or build.ended:
            return True
        deployment = self._deployment(item)
        return deployment is None or ChainStatus(deployment.status) in ENDED

    def send(self, item: TransactionItem) -> None:
        """Send it again, if the run still goes on."""
        if build := find_build(item.job_id):
            _send(self._rpc, build.build_id, build.job_id, item, self._clock)

    def served(self, item: TransactionItem) -> Served | None:
        """Return whose build it was."""
        return _served(find_build(item.job_id))

    def settled(self, item: TransactionItem, receipt: Receipt | None) -> None:
        """Tell the truth of a deployment whose run was over before the chain had decided."""
        deployment = self._deployment(item)
        if deployment is None or deployment.status == str(ChainStatus.DEPLOYED):
            return
        allowed = set(ChainStatus) - {ChainStatus.DEPLOYED}
        if receipt and not left_no_contract(receipt, list(item.cancel_hashes)):
            record_deployed(self._chain, deployment, item, receipt, now(self._clock), allowed)
            return
        status = ChainStatus(deployment.status)
        spent = _spent(receipt) if receipt and receipt.transaction_hash not in item.cancel_hashes else []
        record_status(deployment, allowed, status if status in ENDED else ChainStatus.CANCELLED, "", actions=spent)

    def _deployment(self, item: TransactionItem) -> ChainDeploymentItem | None:
        found = chain_and_attempt(item.purpose)
        deployment = find_chain_deployment(item.job_id, found[0]) if found else None
        return deployment if deployment and found and int(deployment.attempt) == found[1] else None


def _send(rpc: JsonRpc, build_id: str, job_id: str, item: TransactionItem, clock: Clock) -> bool:
    """Send a transaction under a permit; False when the run is over, so that nothing was sent.

    Raises:
        UpstreamUnavailableError: No node took it, or so much of the permit's time had gone that sending might outlast
            it.
    """
    asked_at = clock.monotonic()
    with broadcasting(build_id, job_id, int(item.chain_id), _PERMIT_SECONDS, clock) as permitted:
        if not permitted:
            return False
        if clock.monotonic() - asked_at > _PERMIT_SECONDS - SENDING_SECONDS:
            raise UpstreamUnavailableError("The permit to send came too late")
        chain_broadcast.broadcast(rpc, item)
    return True


# ── Records ─────────────────────────────────────────────────────────────────────────────────────


def record_deployed(
    chain: Chain,
    deployment: ChainDeploymentItem,
    created: TransactionItem | str,
    receipt: Receipt,
    moment: datetime,
    allowed: set[ChainStatus] | None = None,
) -> None:
    """Record that a contract is there for good at a moment: what our transaction ``created``, or a wallet's address."""
    item = None if isinstance(created, str) else created
    address = created if isinstance(created, str) else str(created.contract_address)
    actions: list[Action] = [
        ChainDeploymentItem.address.set(address),
        ChainDeploymentItem.block_number.set(receipt.block_number),
        ChainDeploymentItem.verification.set(PENDING),
        ChainDeploymentItem.error_code.remove(),
        ChainDeploymentItem.error_message.remove(),
        *_spent(receipt),
    ]
    contract = Contract(chain.chain_id, address, receipt.transaction_hash)
    build = find_build(deployment.build_id)

    def also(write: Transaction) -> None:
        if item:
            settle(write, item, "confirmed", receipt, _served(build))
        add_verification(write, KIND, deployment.build_id, contract, moment)

    message = f"Deployed to {chain.name} at {address}"
    if record_status(
        deployment,
        allowed or set(ChainStatus) - ENDED,
        ChainStatus.DEPLOYED,
        message,
        build=build,
        actions=actions,
        also=also,
    ):
        if item:
            release_unspent_budget(item, receipt)
        record("ChainDeployments", chain=chain.name, outcome="deployed")
        record("ChainDeploymentGas", receipt.gas_used, chain=chain.name)


def _spent(receipt: Receipt) -> list[Action]:
    return [
        ChainDeploymentItem.transaction_hash.set(receipt.transaction_hash),
        ChainDeploymentItem.gas_used.set(str(receipt.gas_used)),
        ChainDeploymentItem.cost.set(str(receipt.cost)),
    ]


def record_status(
    deployment: ChainDeploymentItem,
    allowed: set[ChainStatus],
    to: ChainStatus,
    message: str,
    *,
    build: BuildItem | None = None,
    actions: Sequence[Action] = (),
    also: Callable[[Transaction], None] | None = None,
) -> bool:
    """Change a deployment and, while its run goes on, send the build's listeners an event, in one transaction.

    Args:
        deployment: As it was read; nothing is written if its attempt is not the same any more.
        allowed: Statuses from which it may move.
        to: Its new status.
        message: What listeners are sent; nothing if it is empty.
        build: The deployment's, if it was read already.
        actions: Further changes of the deployment.
        also: Adds writes that happen together with it.

    Returns:
        False when it was not in an allowed status; nothing is written then.
    """
    changes = [ChainDeploymentItem.status.set(str(to)), ChainDeploymentItem.updated_at.set(now_text()), *actions]
    condition = (ChainDeploymentItem.attempt == int(deployment.attempt)) & ChainDeploymentItem.status.is_in(
        *sorted(str(status) for status in allowed)
    )

    def add(write: Transaction) -> None:
        write.update("deployment", ChainDeploymentItem(deployment.pk, deployment.sk), changes, condition=condition)
        if also:
            also(write)

    build = build or find_build(deployment.build_id)
    if message and build and _goes_on(build, deployment.job_id):
        event = Progress(Status.DEPLOYING, _progress(build, to), Step.DEPLOYMENT, message)
        if change_build(build, [], running(deployment.job_id), update=event, also=add):
            return True
    write = Transaction()
    add(write)
    try:
        write.commit()
    except ConditionsFailedError:
        return False
    return True


def _progress(build: BuildItem, to: ChainStatus) -> int:
    run = {int(chain_id) for chain_id in build.run_chains}
    ended = [
        entry
        for entry in chain_deployments(build.build_id)
        if int(entry.chain_id) in run and entry.job_id == build.job_id and ChainStatus(entry.status) in ENDED
    ]
    return deployment_progress(len(ended) + (to in ENDED), len(run))


def _existing(build_id: str) -> BuildItem:
    build = find_build(build_id)
    if build is None:
        raise NotFoundError("There is no such build")
    return build


def _served(build: BuildItem | None) -> Served | None:
    return Served(KIND, build.wallet) if build else None


def _goes_on(build: BuildItem, job_id: str) -> bool:
    return build.job_id == job_id and not build.ended


def _deadline(clock: Clock) -> str:
    return to_text(now(clock) + timedelta(seconds=DEPLOYMENT_SECONDS))
