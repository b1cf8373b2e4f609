"""What ``reconcile`` does for tokens: starts launches again whose state machine died, closes nonces nobody serves.

Everything a launch does may be done again, so starting its state machine anew finishes it from wherever it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from slipway.chain.broadcast import STUCK_BLOCKS, broadcast
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Chain
from slipway.chain.store import TransactionItem, chain_configuration, stored_nonce, transaction_at, use_nonces_up_to
from slipway.deployments.restart import Restart, ensure_running
from slipway.deployments.store import due_deployments, look_again
from slipway.observability import logger, record
from slipway.store import upstream_errors
from slipway.times import from_text, now, now_text, to_text
from slipway.tokens.service import LOOK_SECONDS
from slipway.tokens.store import KIND, find_deployment, unlock
from slipway.tokens.workflow import TokenWorkflow

_MOST_DUE = 50
_MOST_NONCES = 50
# A launch that needed more executions than that is given up: something is wrong that starting again does not mend.
_MOST_EXECUTIONS = 20


@dataclass(frozen=True)
class Due:
    """What there is to do: deployments to look at, and deployer accounts."""

    deployment_ids: list[str]
    signers: list[str]


class TokenReconcile:
    """Finds and mends what was left behind on one chain.

    Args:
        chain: The chain that tokens live on.
        rpc: Its nodes.
        start: Starts ``token_deploy`` under a name with an input; see ``slipway.executions``.
        status: Tells how the execution of a name stands.
    """

    def __init__(
        self,
        chain: Chain,
        rpc: JsonRpc,
        start: Callable[[str, str], None],
        status: Callable[[str], str | None],
    ) -> None:
        self._chain = chain
        self._rpc = rpc
        self._start = start
        self._status = status

    def find(self) -> Due:
        """Deployments that should have moved by now, a bounded number a run, and the accounts of the pool."""
        due = due_deployments(KIND, now_text(), _MOST_DUE)
        record("OverdueLaunches", len(due))
        return Due(due, list(chain_configuration(self._chain.chain_id).registrars))

    def reconcile_job(self, deployment_id: str) -> str:
        """Make sure that a launch is being worked on.

        Returns:
            ``ended``, ``running``, ``started`` or ``given up``.
        """
        deployment = find_deployment(deployment_id)
        if deployment is None or deployment.ended:
            return "ended"
        used_up = int(deployment.executions) >= _MOST_EXECUTIONS
        if used_up and self._status(deployment.execution_name) not in (None, "RUNNING"):
            TokenWorkflow(self._chain, self._rpc).fail(
                deployment_id,
                "DeploymentFailedError",
                '{"errorMessage": "The launch kept failing; it was given up"}',
            )
            return "given up"
        done = ensure_running(deployment, self._start, self._status)
        if done is Restart.STARTED:
            record("LaunchesStartedAgain")
        age = (now() - from_text(deployment.created_at)).total_seconds()
        record("OldestUnfinishedLaunch", age)
        look_again(deployment, to_text(now() + timedelta(seconds=LOOK_SECONDS)))
        return str(done)

    def inspect_signer(self, address: str) -> list[int]:
        """Compare an account's stored next nonce with the chain's, and mend what needs no signature.

        Behind the chain: the account was used elsewhere, so those nonces are given up for good. Ahead of it: each
        nonce between was given out and may still be mined, so none is used again; its bytes are sent again if a node
        lost them.

        Returns:
            Nonces that need a signature to be closed: nothing holds them, or the job that does has ended.
        """
        stored = stored_nonce(self._chain.chain_id, address)
        record("SignerBalance", self._rpc.balance(address) / 10**18)
        if stored is None:
            return []
        mined = self._rpc.transaction_count(address, "latest")
        if mined > stored:
            logger.warning("account used elsewhere", signer=address, stored=stored, mined=mined)
            use_nonces_up_to(self._chain.chain_id, address, stored, mined)
            return []
        self._release_settled(address, mined)
        to_close = []
        for nonce in range(mined, min(stored, mined + _MOST_NONCES)):
            item = transaction_at(self._chain.chain_id, address, nonce)
            if item is None or (self._is_abandoned(item) and not self._is_closing(item)):
                to_close.append(nonce)
            elif not self._rpc.knows(item.transaction_hash):
                broadcast(self._rpc, item)
        return to_close

    def broadcast_nonce(self, address: str, nonce: int) -> None:
        """Send what holds a nonce."""
        item = transaction_at(self._chain.chain_id, address, nonce)
        if item:
            broadcast(self._rpc, item)

    @staticmethod
    def _is_abandoned(item: TransactionItem) -> bool:
        """Whether the job of an unmined transaction has ended, so that only closing the nonce is left."""
        deployment = find_deployment(item.job_id)
        return deployment is None or deployment.ended

    def _is_closing(self, item: TransactionItem) -> bool:
        """Whether a transaction that closes the nonce was signed so lately that it may still be mined."""
        age = (now() - from_text(item.signed_at)).total_seconds()
        return bool(item.cancel_hashes) and age < self._chain.block_seconds * STUCK_BLOCKS

    def _release_settled(self, address: str, mined: int) -> None:
        """Let models go whose launch failed before its nonce was closed, once it is."""
        for nonce in range(max(0, mined - _MOST_NONCES), mined):
            item = transaction_at(self._chain.chain_id, address, nonce)
            if item is None or item.status in ("confirmed", "cancelled") or not item.cancel_hashes:
                continue
            if not any(self._rpc.receipt(transaction_hash) for transaction_hash in item.cancel_hashes):
                continue
            with upstream_errors():
                item.update(actions=[TransactionItem.status.set("cancelled")])
            deployment = find_deployment(item.job_id)
            if deployment and deployment.ended and item.purpose == "deploy":
                unlock(deployment)
