"""Writes that DynamoDB makes and whose answers are lost, so that they are tried again."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber


def lose_an_answer(monkeypatch: pytest.MonkeyPatch, operation: str) -> list[str]:
    """Let the next call of a DynamoDB operation succeed without an answer.

    Returns:
        A list that has the operation's name for each call of it from now on.
    """
    usual, calls = BotocoreStubber.__call__, list[str]()

    def stub(stubber: Any, event_name: str, request: Any, **more: Any) -> Any:
        answer = usual(stubber, event_name, request, **more)
        if event_name == f"before-send.dynamodb.{operation}":
            calls.append(operation)
            if len(calls) == 1:
                raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    monkeypatch.setattr(BotocoreStubber, "__call__", stub)
    return calls
