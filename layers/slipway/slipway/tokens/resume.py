"""Taking up a launch that failed after something of it was signed: by its owner, an operator, or reconcile."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from slipway.chains import Chain
from slipway.errors import ConflictError
from slipway.jobs.restart import execution_input
from slipway.store import ConditionsFailedError, Transaction
from slipway.times import Clock, now, to_text
from slipway.tokens.models import Status
from slipway.tokens.rules import LAUNCH_SECONDS, RECONCILE_AFTER_SECONDS, can_resume
from slipway.tokens.store import Launch, TokenItem, hold_locks, move, read_launch
from slipway.tokens.transaction_states import recorded


def is_resumable(launch: Launch) -> bool:
    """Return whether a launch has failed and left something to finish, by what is written down of it."""
    states = {purpose: recorded(item) for purpose, item in launch.transactions.items()}
    called_off = any(item.cancel_hashes for item in launch.open)
    has_failed = launch.token.status == str(Status.FAILED)
    return has_failed and can_resume(states, called_off=called_off, code=launch.token.error_code)


def add_resumption(write: Transaction, token: TokenItem, moment: datetime) -> None:
    """Add to a write that a failed launch goes on, with another execution and as much time as a new one.

    The write fails under ``deployment`` when the launch has gone on meanwhile, and under ``lock`` when another launch
    has its model.
    """
    values = {
        "error_code": None,
        "error_message": None,
        "error_transaction_hash": None,
        "executions": int(token.executions) + 1,
        "deadline": to_text(moment + timedelta(seconds=LAUNCH_SECONDS)),
        "resumed_at": to_text(moment),
        "open_until": to_text(moment + timedelta(seconds=RECONCILE_AFTER_SECONDS)),
    }
    to = Status.DEPLOYING if token.deployment_block is None else Status.REGISTERING
    unchanged = TokenItem.executions == int(token.executions)
    move(write, token, {Status.FAILED}, to, "The launch is taken up again", values, condition=unchanged)
    hold_locks(write, token)


def resume(token: TokenItem, moment: datetime) -> bool:
    """Let a failed launch go on; False when it has gone on meanwhile, or another launch has its model.

    Afterwards ``token`` has the name of the execution to start.
    """
    write = Transaction()
    add_resumption(write, token, moment)
    try:
        write.commit()
    except ConditionsFailedError:
        return False
    token.executions = int(token.executions) + 1
    return True


class Resumption:
    """Takes launches up again for an operator.

    Args:
        chain: The chain that tokens live on.
        start: Starts ``token_deploy`` under a name with an input; see ``slipway.executions``.
        clock: Gives the time.
    """

    def __init__(self, chain: Chain, start: Callable[[str, str], None], clock: Clock = time) -> None:
        self._chain = chain
        self._start = start
        self._clock = clock

    def resume(self, deployment_id: str) -> str:
        """Have a launch worked on that failed half done; one that goes on already only gets its execution.

        Returns:
            The name of the execution of ``token_deploy`` that works on it.

        Raises:
            NotFoundError: There is no such launch.
            ConflictError: There is nothing to resume, or another launch has the model.
        """
        launch = read_launch(deployment_id, self._chain.chain_id)
        token = launch.token
        if token.ended and not (is_resumable(launch) and resume(token, now(self._clock))):
            raise ConflictError("There is nothing to resume", details={"status": token.status})
        self._start(token.execution_name, execution_input(token))
        return token.execution_name
