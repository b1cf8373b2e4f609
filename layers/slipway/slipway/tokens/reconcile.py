"""What ``reconcile`` does for tokens: it has launches worked on whose state machine died, or that failed half done.

Everything a launch does may be done again, so starting its state machine anew finishes it from wherever it stopped.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from slipway.chain.broadcast import broadcast
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Receipt
from slipway.chain.store import TransactionItem, transaction_for
from slipway.chains import Chain
from slipway.errors import DeploymentFailedError, NotFoundError
from slipway.jobs.failures import Failure
from slipway.jobs.gas import Served
from slipway.jobs.open_work import due_jobs, postpone
from slipway.jobs.restart import Restart, ensure_running, execution_input
from slipway.observability import logger, record
from slipway.times import Clock, from_text, now, now_text, to_text
from slipway.tokens.model_source import CatalogueModels
from slipway.tokens.models import Status
from slipway.tokens.resume import resume
from slipway.tokens.rules import MAX_EXECUTIONS, RECONCILE_AFTER_SECONDS, failure_outcome
from slipway.tokens.store import KIND, TokenItem, find_token, read_launch, settle_failed
from slipway.tokens.transaction_states import recorded
from slipway.tokens.workflow import TokenWorkflow

_MAX_DUE = 50


class TokenReconcile:
    """Finds and mends what was left behind on one chain.

    Args:
        chain: The chain that tokens live on.
        rpc: Its nodes.
        start: Starts ``token_deploy`` under a name with an input; see ``slipway.executions``.
        status: Returns how the execution of a name stands.
        clock: Gives the time.
    """

    def __init__(
        self,
        chain: Chain,
        rpc: JsonRpc,
        start: Callable[[str, str], None],
        status: Callable[[str], str | None],
        clock: Clock = time,
    ) -> None:
        self._chain = chain
        self._rpc = rpc
        self._start = start
        self._status = status
        self._clock = clock

    def find(self) -> list[str]:
        """Return the ids of launches that should have moved by now, a bounded number a run."""
        due = due_jobs(KIND, now_text(self._clock), _MAX_DUE)
        record("OverdueLaunches", len(due))
        return due

    def reconcile_job(self, deployment_id: str) -> str:
        """Make sure that a launch is being worked on.

        Returns:
            ``ended``, ``running``, ``started``, ``resumed`` or ``given up``.
        """
        token = find_token(deployment_id)
        if token is None or (token.ended and not token.half_done):
            return "ended"
        if token.half_done:
            return self._resume(token)
        used_up = int(token.executions) >= MAX_EXECUTIONS
        if used_up and self._status(token.execution_name) not in (None, "RUNNING"):
            failure = Failure(DeploymentFailedError.code, "The launch kept failing; it was given up")
            TokenWorkflow(self._chain, self._rpc, CatalogueModels(), self._clock).work(deployment_id, failure)
            return "given up"
        done = ensure_running(token, self._start, self._status)
        if done is Restart.STARTED:
            record("LaunchesStartedAgain")
        moment = now(self._clock)
        record("OldestUnfinishedLaunch", (moment - from_text(token.created_at)).total_seconds())
        postpone(token, to_text(moment + timedelta(seconds=RECONCILE_AFTER_SECONDS)))
        return str(done)

    def _resume(self, token: TokenItem) -> str:
        if not resume(token, now(self._clock)):
            # It goes on already; or its model is another launch's, and then this one can't be finished any more.
            token.refresh(consistent_read=True)
            if token.half_done:
                settle_failed(token, resume=False, release=False)
            return "ended"
        record("LaunchesResumed")
        logger.warning("launch taken up again", deployment_id=token.deployment_id, executions=int(token.executions))
        self._start(token.execution_name, execution_input(token))
        return "resumed"


class TokenTransactions:
    """Whose transactions launches are, for ``SignerReconcile``.

    Args:
        rpc: Nodes of the chain that tokens live on.
    """

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc

    @staticmethod
    def is_over(item: TransactionItem) -> bool:
        """Return whether the transaction serves nothing any more.

        Its launch has ended and is not taken up again, or signed another for the same purpose, or there is no launch.
        """
        token = find_token(item.job_id)
        if token is None or (token.ended and not token.half_done):
            return True
        current = transaction_for(item.job_id, item.purpose)
        return current is not None and not _is_same(item, current)

    def send(self, item: TransactionItem) -> None:
        """Send it again."""
        broadcast(self._rpc, item)

    @staticmethod
    def served(item: TransactionItem) -> Served | None:
        """Return whose launch it was."""
        token = find_token(item.job_id)
        return Served(KIND, token.wallet) if token else None

    def settled(self, item: TransactionItem, _receipt: Receipt | None) -> None:
        """See what is left of a launch that failed before its nonces were settled: its token, or a model to let go."""
        try:
            launch = read_launch(item.job_id, int(item.chain_id))
        except NotFoundError:
            return
        token, transactions = launch.token, launch.transactions
        current = transactions.get(item.purpose)
        if token.status != str(Status.FAILED) or current is None or not _is_same(item, current):
            return
        transactions[item.purpose] = item
        states = {purpose: recorded(one) for purpose, one in transactions.items()}
        left = failure_outcome(
            states, sent=False, called_off=True, executions=int(token.executions), code=str(token.error_code)
        )
        if left.resume or left.release:
            settle_failed(token, resume=left.resume, release=left.release)


def _is_same(one: TransactionItem, other: TransactionItem) -> bool:
    """Return whether both are at the same nonce."""
    return (one.pk, one.sk) == (other.pk, other.sk)
