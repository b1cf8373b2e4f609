"""What a state machine says of a failed task, as code and message for the job's owner."""

import json
from dataclasses import dataclass

from slipway.errors import DeploymentFailedError, code_of, is_known


@dataclass(frozen=True)
class Failure:
    """An error as a state machine caught it."""

    code: str
    message: str


def failure_of(error_name: str, cause: str, what: str) -> Failure:
    """Read what Step Functions says of a failed task, or of a failed nested execution.

    Args:
        error_name: The error's name: a class of ``slipway.errors``, or one of Step Functions' own (``States.…``).
        cause: For a function, JSON with ``errorMessage``; for a nested execution, JSON with ``Error`` and ``Cause``.
        what: What failed, such as ``launch``.

    Returns:
        Code and message for the owner. Messages of errors that are not Slipway's stay in the logs: they may say things
        that the owner should not read.
    """
    try:
        reported = json.loads(cause)
    except (ValueError, RecursionError):
        reported = {}
    if not isinstance(reported, dict):
        reported = {}
    if error_name == "States.TaskFailed" and "Error" in reported:
        return failure_of(str(reported["Error"]), str(reported.get("Cause", "")), what)
    if error_name == "States.Timeout":
        return Failure(DeploymentFailedError.code, f"The {what} ran out of time")
    message = str(reported.get("errorMessage", "")) if is_known(error_name) else ""
    return Failure(code_of(error_name), message or f"The {what} failed for an internal reason")
