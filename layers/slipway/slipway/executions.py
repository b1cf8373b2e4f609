"""Starting state machines, each execution once."""

from collections.abc import Callable

import botocore.exceptions

from slipway.store import aws_client


def execution_status(state_machine_arn: str, name: str) -> str | None:
    """Return ``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``; None for an execution never
    started."""
    arn = state_machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"
    try:
        return str(aws_client("stepfunctions", 3.0).describe_execution(executionArn=arn)["status"])
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return None


def execution_starter(state_machine_arn: str) -> Callable[[str, str], None]:
    """Return a function that starts an execution by name with a JSON input.

    The name makes it happen once: starting a name again does nothing, whether the first is running or has ended.
    """

    def start(name: str, input_json: str) -> None:
        client = aws_client("stepfunctions", 3.0)
        try:
            client.start_execution(stateMachineArn=state_machine_arn, name=name, input=input_json)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    return start


def execution_stopper(state_machine_arn: str) -> Callable[[str, str], None]:
    """Return a function that stops an execution by its name, with a cause; one that has ended or never began stays
    so."""

    def stop(name: str, cause: str) -> None:
        arn = state_machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"
        try:
            aws_client("stepfunctions", 3.0).stop_execution(executionArn=arn, cause=cause)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise

    return stop
