"""Starting state machines, each execution once."""

from collections.abc import Callable

import botocore.exceptions

from slipway.store import aws_client


def execution_starter(state_machine_arn: str) -> Callable[[str, str], None]:
    """A function that starts an execution by name with a JSON input.

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
