"""Making sure that an execution works on a deployment: its state machine may have died, or never have been started.

Every task of a deployment may be done again, so a new execution from the beginning finishes it from where it stopped.
"""

import json
from collections.abc import Callable
from enum import StrEnum

from slipway.jobs.deployments import Deployment
from slipway.jobs.open_work import count_execution
from slipway.observability import logger


class Restart(StrEnum):
    """What became of it."""

    RUNNING = "running"
    STARTED = "started"


def execution_input(deployment: Deployment) -> str:
    """Return the input of a deployment's state machine."""
    return json.dumps({"deployment_id": deployment.deployment_id})


def ensure_running(
    deployment: Deployment, start: Callable[[str, str], None], status: Callable[[str], str | None]
) -> Restart:
    """Start a deployment's state machine unless it runs.

    Args:
        deployment: One that has not ended.
        start: Starts its state machine under a name with an input; see ``slipway.executions``.
        status: Returns the status of the execution of a name.
    """
    found = status(deployment.execution_name)
    if found == "RUNNING":
        return Restart.RUNNING
    # A name that was used is used up; who counts first starts the next.
    if found is not None and not count_execution(deployment):
        return Restart.RUNNING
    start(deployment.execution_name, execution_input(deployment))
    logger.warning("started again", deployment_id=deployment.deployment_id, execution_status=found)
    return Restart.STARTED
