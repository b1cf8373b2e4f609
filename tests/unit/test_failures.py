"""What an owner is told of an error that a state machine caught."""

import json

import pytest

from slipway.errors import DeploymentFailedError
from slipway.jobs.failures import Failure, failure_of

INTERNAL = Failure("DEPLOYMENT_FAILED", "The launch failed for an internal reason")


def _lambda_cause(kind: str, message: str) -> str:
    return json.dumps({"errorMessage": message, "errorType": kind, "requestId": "r", "stackTrace": ["secret line"]})


def _nested(error: str, cause: str) -> str:
    """Return what a failed execution looks like to the state machine that waited for it (startExecution.sync:2)."""
    return json.dumps(
        {
            "ExecutionArn": "arn:aws:states:us-east-1:123456789012:execution:TokenRegister:x",
            "Status": "FAILED",
            "Input": {"deployment_id": "d"},
            "Error": error,
            "Cause": cause,
        }
    )


@pytest.mark.parametrize(
    ("error", "cause", "expected"),
    [
        (
            "TokenExistsError",
            _lambda_cause("TokenExistsError", "The model has a token"),
            Failure("TOKEN_EXISTS", "The model has a token"),
        ),
        (
            "InsufficientGasError",
            _lambda_cause("InsufficientGasError", "Over the cap"),
            Failure("INSUFFICIENT_GAS", "Over the cap"),
        ),
        (
            "States.TaskFailed",
            _nested("DeploymentFailedError", _lambda_cause("DeploymentFailedError", "Reverted")),
            Failure("DEPLOYMENT_FAILED", "Reverted"),
        ),
        (
            "States.TaskFailed",
            _nested("States.TaskFailed", _nested("TokenExistsError", _lambda_cause("TokenExistsError", "Two deep"))),
            Failure("TOKEN_EXISTS", "Two deep"),
        ),
        ("States.Timeout", "", Failure("DEPLOYMENT_FAILED", "The launch ran out of time")),
        (
            "States.TaskFailed",
            _nested("States.Timeout", ""),
            Failure("DEPLOYMENT_FAILED", "The launch ran out of time"),
        ),
        ("TokenExistsError", "not JSON", Failure("TOKEN_EXISTS", INTERNAL.message)),
        ("TokenExistsError", "[]", Failure("TOKEN_EXISTS", INTERNAL.message)),
    ],
)
def test_known_errors_keep_their_code_and_message(error: str, cause: str, expected: Failure) -> None:
    assert failure_of(error, cause, "launch") == expected


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("KeyError", _lambda_cause("KeyError", "'password-in-a-message'")),
        ("RuntimeError", _lambda_cause("RuntimeError", "password-in-a-message")),
        ("Runtime.ExitError", _lambda_cause("Runtime.ExitError", "password-in-a-message")),
        ("Sandbox.Timedout", _lambda_cause("Sandbox.Timedout", "password-in-a-message")),
        ("Lambda.Unknown", "password-in-a-message"),
        ("States.TaskFailed", _nested("KeyError", _lambda_cause("KeyError", "password-in-a-message"))),
        ("States.TaskFailed", json.dumps({"Status": "ABORTED", "Input": "password-in-a-message"})),
        ("States.DataLimitExceeded", "password-in-a-message"),
        ("", ""),
        ("States.TaskFailed", "null"),
        ("States.TaskFailed", '"password-in-a-message"'),
    ],
)
def test_unknown_errors_reveal_nothing_to_the_owner(error: str, cause: str) -> None:
    assert failure_of(error, cause, "launch") == INTERNAL


def test_a_bomb_of_nested_causes_is_an_internal_failure() -> None:
    assert failure_of("States.TaskFailed", "[" * 200_000, "launch").code == DeploymentFailedError.code
