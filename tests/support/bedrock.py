"""What a language model on Amazon Bedrock may answer, and a client that answers it."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import ThreadingHTTPServer
from itertools import count
from typing import Any

import botocore.exceptions

from slipway.settings import BedrockSettings
from tests.support.loopback_handler import LoopbackHandler

MODEL = "anthropic.claude-test-v1:0"
OWNER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
SETTINGS = BedrockSettings(MODEL, 60.0, Decimal(3), Decimal(15))
COUNTER = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @title Counter
/// @notice Counts what its owner counts.
contract Counter is Ownable {
    /// @notice How often it was counted.
    uint256 public count;

    /// @notice One was counted.
    event Counted(uint256 count);

    /// @param initialOwner Who may count.
    constructor(address initialOwner) Ownable(initialOwner) {}

    /// @notice Counts one.
    function increment() external onlyOwner {
        count += 1;
        emit Counted(count);
    }
}
"""


def draft(source: str = COUNTER, **changes: Any) -> dict[str, Any]:
    """Return the input of a call of submit_contract."""
    owner = {"name": "initialOwner", "type": "address", "value": OWNER}
    usual = {
        "contract_name": "Counter",
        "title": "A counter",
        "kind": "other",
        "source": source,
        "constructor_arguments": [owner],
        "assumed": ["It starts at zero."],
        "not_honoured": [],
    }
    return {**usual, **changes}


def calls(tool: str, given: Any, *, stop: str = "tool_use") -> dict[str, Any]:
    """Return an answer of Converse that calls a tool."""
    return answer([{"toolUse": {"toolUseId": "tooluse_1", "name": tool, "input": given}}], stop=stop)


def review(text: str = "A counter that only its owner counts up", *, met: bool = True) -> dict[str, Any]:
    """Return an answer of the second reading, with one wish."""
    return calls("submit_review", {"wishes": [{"text": text, "met": met, "how": "See increment"}]})


def answer(content: list[dict[str, Any]], *, stop: str = "end_turn") -> dict[str, Any]:
    """Return an answer of Converse."""
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop,
        "usage": {"inputTokens": 1000, "outputTokens": 200, "totalTokens": 1200},
        "metrics": {"latencyMs": 5},
    }


def error(code: str, status: int = 400) -> botocore.exceptions.ClientError:
    """Return an error as boto3 raises it."""
    response: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(response, "Converse")


@dataclass
class ScriptedClient:
    """Answers one after the other, and keeps what it was asked."""

    answers: Sequence[Any]
    asked: list[dict[str, Any]] = field(default_factory=list)

    def converse(self, **arguments: Any) -> Any:
        self.asked.append(arguments)
        found = self.answers[len(self.asked) - 1]
        if isinstance(found, Exception):
            raise found
        return found


@contextmanager
def served(answers: Sequence[tuple[int, dict[str, Any]]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Bedrock's runtime over HTTP on loopback: its address, and what it was asked (path and body).

    Args:
        answers: Status and body of each answer; an error's body has ``__type``.
    """
    asked: list[dict[str, Any]] = []
    numbers = count()

    class Handler(LoopbackHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["content-length"])))
            path = urllib.parse.unquote(self.path)
            asked.append({"path": path, "authorization": self.headers["authorization"], "body": content})
            status, body = answers[next(numbers)]
            text = json.dumps(body).encode()
            self.send_response(status)
            if "__type" in body:
                self.send_header("x-amzn-errortype", body["__type"])
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
