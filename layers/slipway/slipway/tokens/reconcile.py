"""What ``reconcile`` does for tokens: starts launches again whose state machine died.

Everything a launch does may be done again, so starting its state machine anew finishes it from wherever it stopped.
"""

from collections.abc import Callable
from datetime import timedelta

from slipway.chain.broadcast import broadcast
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Receipt
from slipway.chain.store import TransactionItem
from slipway.chains import Chain
from slipway.jobs.open_work import due_jobs, postpone
from slipway.jobs.restart import Restart, ensure_running
from slipway.observability import record
from slipway.times import from_text, now, now_text, to_text
from slipway.tokens.service import LOOK_SECONDS
from slipway.tokens.store import KIND, find_deployment, unlock
from slipway.tokens.workflow import TokenWorkflow

_MOST_DUE = 50
# A launch that needed more executions than that is given up: something is wrong that starting again does not mend.
_MOST_EXECUTIONS = 20


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

    def find(self) -> list[str]:
        """Ids of launches that should have moved by now, a bounded number a run."""
        due = due_jobs(KIND, now_text(), _MOST_DUE)
        record("OverdueLaunches", len(due))
        return due

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
        postpone(deployment, to_text(now() + timedelta(seconds=LOOK_SECONDS)))
        return str(done)


class TokenTransactions:
    """Whose transactions launches are, for ``SignerReconcile``.

    Args:
        rpc: Nodes of the chain that tokens live on.
    """

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc

    @staticmethod
    def is_over(item: TransactionItem) -> bool:
        """Whether the launch has ended, or there is none."""
        deployment = find_deployment(item.job_id)
        return deployment is None or deployment.ended

    def send(self, item: TransactionItem) -> None:
        """Send it again."""
        broadcast(self._rpc, item)

    @staticmethod
    def settled(item: TransactionItem, _receipt: Receipt) -> None:
        """Let a model go whose launch failed before the nonce of its token was closed."""
        deployment = find_deployment(item.job_id)
        if deployment and deployment.ended and item.purpose == "deploy" and item.status == "cancelled":
            unlock(deployment)
