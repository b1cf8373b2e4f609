"""The task of ``token_register``: takes up a launch again whose token is on chain and not registered."""

from functools import cache
from typing import Any

from slipway.configuration import chain_settings
from slipway.executions import execution_starter
from slipway.settings import state_machine_arn
from slipway.tasks import run_state
from slipway.tokens.resume import Resumption


@cache
def resumption() -> Resumption:
    """Return what takes launches up again on this installation's token chain, made once a process."""
    return Resumption(chain_settings().token_chain, execution_starter(state_machine_arn("token_deploy")))


STATES = {"Resume": lambda event: {"execution": resumption().resume(event["job_id"])}}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take up the launch ``job_id``; see ``Resumption.resume``."""
    return run_state(event, context, STATES)
