"""API Gateway's open WebSocket connections, in place of the service."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions


@dataclass
class OpenSockets:
    """What was sent to whom, and who was closed.

    Attributes:
        sent: Messages by connection; a connection that is not in it is gone.
        closed: Connections that were closed, in order.
        failures: What the next calls raise: an HTTP status, or an exception.
    """

    sent: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    failures: list[int | Exception] = field(default_factory=list)

    def open(self, connection_id: str) -> list[dict[str, Any]]:
        """Open a connection; what it is sent appears in the list."""
        return self.sent.setdefault(connection_id, [])

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """PostToConnection or DeleteConnection."""
        connection_id = arguments["ConnectionId"]
        if self.failures:
            failure = self.failures.pop(0)
            raise failure if isinstance(failure, Exception) else _error(failure, operation)
        if connection_id not in self.sent:
            raise _error(410, operation)
        if operation == "PostToConnection":
            self.sent[connection_id].append(json.loads(arguments["Data"]))
        else:
            self.closed.append(connection_id)
            del self.sent[connection_id]
        return {}


def _error(status: int, operation: str) -> botocore.exceptions.ClientError:
    code = {410: "GoneException", 429: "LimitExceededException"}.get(status, "InternalFailure")
    return botocore.exceptions.ClientError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        operation,
    )
