"""Runs in a function's process, around its real handler, in stacks that were started with SLIPWAY_FAULTS.

A fault is a file in that directory: ``{"boundary", "when", "action", "job_id"}``, taken by deleting it, so that each
triggers once whichever process comes first. A boundary is a step of a workflow (``slipway.jobs.steps.perform``), or
what ``boundary_of`` names of an event; ``when`` is ``before`` or ``after`` it. With ``start`` the boundary is a
function's logical id, and the fault triggers in a process of it before there is a handler. Actions:

- ``kill``: the process ends without a word, before the step or after it and before anybody hears of it;
- ``raise:<name>``: an error of this name, which nobody has listed;
- ``hang``: the same, but the caller has to find out by its own deadline;
- ``throttle:<service>.<operation>``: AWS refuses that call once;
- ``conflict``: DynamoDB cancels the next transaction because of another one;
- ``die:<operation>``: the process ends when AWS has done that call and before it hears of it.

Imports the standard library only, besides what the function itself brings.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

_DIRECTORY = Path(os.environ.get("SLIPWAY_FAULTS", "/nonexistent"))
_HANDLER = os.environ.get("SLIPWAY_REAL_HANDLER", "app.handler")
_HANG_SECONDS = 3600


def boundary_of(event: dict[str, Any]) -> str:
    """Name an event: state of a task, operation and purpose of the signer, method and path, part of a stream."""
    if "Records" in event:
        notifies = "Notifications" in os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        source = "stream" if "dynamodb" in event["Records"][0] else "queue"
        return f"{source}:{'notifications' if notifies else 'builds'}"
    if "connection_id" in event:
        return "stream:replay"
    if "eventType" in event.get("requestContext", {}):
        return f"stream:{event['requestContext']['eventType']}"
    if "state" in event:
        return str(event["state"])
    if "operation" in event:
        return f"{event['operation']}:{event.get('purpose', 'nonce')}"
    return str(event.get("routeKey", ""))


def take(matches: Callable[[dict[str, Any]], bool]) -> str | None:
    """Return the action of a fault that matches, if there is one; nobody else gets it."""
    for path in sorted(_DIRECTORY.glob("*.json")):
        try:
            fault = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if not matches(fault):
            continue
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        return str(fault["action"])
    return None


def _trigger(boundary: str, when: str, job_id: Any) -> None:
    """Do what was injected for this moment, if anything was."""

    def matches(fault: dict[str, Any]) -> bool:
        return (fault["boundary"], fault["when"]) == (boundary, when) and fault.get("job_id") in (None, job_id)

    if action := take(matches):
        _act(action)


def _at_next(service: str, operation: str, happens: Callable[[Any, Any, Any], Any]) -> None:
    """Do something else at the next call of this operation, in whichever client makes it.

    ``happens`` gets the original, the endpoint and the request, and answers for them.
    """
    from botocore.endpoint import Endpoint

    # botocore has no public place below its retries; its types do not show this one.
    endpoint: Any = Endpoint
    original = endpoint._send

    def send(self: Any, request: Any) -> Any:
        if _operation(request) == operation and service in (self._endpoint_prefix, "any"):
            endpoint._send = original
            return happens(original, self, request)
        return original(self, request)

    endpoint._send = send


def _operation(request: Any) -> str:
    """Which operation a request asks for; of those without a target, only what is done to WebSocket connections."""
    target = request.headers.get("X-Amz-Target", b"")
    name = target.decode() if isinstance(target, bytes) else str(target)
    if not name and "/@connections/" in request.url:
        return {"POST": "PostToConnection", "DELETE": "DeleteConnection"}.get(request.method, "")
    return name.rpartition(".")[2]


def _refuse_once(service: str, operation: str, status: int, body: dict[str, Any]) -> None:
    """Answer the next call of this operation ourselves."""
    from botocore.awsrequest import AWSResponse, HeadersDict

    class _Raw:
        def stream(self, **_: Any) -> Any:
            yield json.dumps(body).encode()

        def read(self) -> bytes:
            return json.dumps(body).encode()

    def refuse(_original: Any, _endpoint: Any, request: Any) -> Any:
        headers: Any = HeadersDict({"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "fault"})
        return AWSResponse(request.url, status, headers, _Raw())

    _at_next(service, operation, refuse)


def _die_at(operation: str) -> None:
    """End when the next call of this operation is done."""

    def die(original: Any, endpoint: Any, request: Any) -> Any:
        original(endpoint, request)
        os._exit(137)

    _at_next("any", operation, die)


def _act(action: str) -> None:
    if action == "kill":
        os._exit(137)
    if action == "hang":
        time.sleep(_HANG_SECONDS)
    if action.startswith("raise:"):
        raise type(action.removeprefix("raise:"), (Exception,), {})("by a test")
    if action.startswith("throttle:"):
        service, _, operation = action.removeprefix("throttle:").partition(".")
        _refuse_once(service, operation, 400, {"__type": "ThrottlingException", "message": "Rate exceeded"})
    if action.startswith("die:"):
        _die_at(action.removeprefix("die:"))
    if action == "conflict":
        reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
        body = {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "message": "Transaction cancelled, please refer cancellation reasons [TransactionConflict]",
            "CancellationReasons": reasons,
        }
        _refuse_once("any", "TransactWriteItems", 400, body)


def _cut_steps() -> None:
    """Let faults trigger around each step, where the function has steps."""
    steps: Any = sys.modules.get("slipway.jobs.steps")
    if steps is None or hasattr(steps, "is_cut"):
        return
    original = steps.perform

    def perform(boundary: str, job_id: str, step: Callable[[], Any]) -> Any:
        _trigger(boundary, "before", job_id)
        value = original(boundary, job_id, step)
        _trigger(boundary, "after", job_id)
        return value

    steps.perform, steps.is_cut = perform, True


def _cut(run: Callable[..., Any]) -> Callable[..., Any]:
    """Let faults trigger before and after what takes an event."""

    def cut(event: dict[str, Any], *more: Any) -> Any:
        boundary, job_id = boundary_of(event), event.get("job_id")
        _trigger(boundary, "before", job_id)
        answer = run(event, *more)
        _trigger(boundary, "after", job_id)
        return answer

    return cut


@cache
def _app() -> ModuleType:
    """Return the function's app; of a workflow's, each state is cut, whoever runs it."""
    app = importlib.import_module(_HANDLER.rpartition(".")[0])
    states = getattr(app, "STATES", {})
    states.update({name: _cut(state) for name, state in states.items()})
    _cut_steps()
    return app


def handler(event: dict[str, Any], context: Any) -> Any:
    """Call the real handler, with whatever faults were injected for it."""
    run = getattr(_app(), _HANDLER.rpartition(".")[2])
    return run(event, context) if hasattr(_app(), "STATES") else _cut(run)(event, context)


# This module is imported where the process starts.
if take(lambda fault: fault["when"] == "start" and fault["boundary"] in os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")):
    os._exit(137)
