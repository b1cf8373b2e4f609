"""What follows from each answer of a node at each call, by the code that asks: a table of texts by calls.

``python -m bench.refusals [--check]`` puts every text of ``tests/support/rpc_refusals.json``, and answers that are no
JSON-RPC at all, in the way of each call of a chain that has one address, and then of one that has a second. It writes
``docs/refusals.md`` and its summary in ``docs/results.md``; with ``--check`` it writes nothing and exits with 1 if one
of them is stale.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local.paths import ROOT
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.models import Call
from slipway.chain.nodes import forget_nodes
from slipway.chain.rpc_errors import SEND, Verdict
from slipway.chains import Chain
from slipway.errors import UpstreamUnavailableError
from tests.support.clock import ManualClock

_TEXTS = ROOT / "tests" / "support" / "rpc_refusals.json"
_PAGE = ROOT / "docs" / "refusals.md"
_RESULTS = ROOT / "docs" / "results.md"
_MARKS = re.compile(r"(?<=<!-- refusals -->\n).*?(?=<!-- /refusals -->)", re.DOTALL)
_ADDRESS, _HASH, _MAX_TEXT = "0x" + "11" * 20, "0x" + "22" * 32, 78

# Each call that a job makes, by its column.
CALLS: dict[str, tuple[str, Callable[[JsonRpc], Any]]] = {
    "send": (SEND, lambda rpc: rpc.send_raw("0x02")),
    "call": ("eth_call", lambda rpc: rpc.eth_call(_ADDRESS, b"")),
    "estimate": ("eth_estimateGas", lambda rpc: rpc.estimate_gas(_ADDRESS, Call(_ADDRESS, b"", 0))),
    "receipt": ("eth_getTransactionReceipt", lambda rpc: rpc.receipt(_HASH)),
    "transaction": ("eth_getTransactionByHash", lambda rpc: rpc.knows(_HASH)),
    "fees": ("eth_feeHistory", lambda rpc: rpc.fees()),
    "nonce": ("eth_getTransactionCount", lambda rpc: rpc.transaction_count(_ADDRESS)),
    "balance": ("eth_getBalance", lambda rpc: rpc.balance(_ADDRESS)),
    "code": ("eth_getCode", lambda rpc: rpc.code_at(_ADDRESS)),
    "block": ("eth_getBlockByNumber", lambda rpc: rpc.block_hash(1)),
    "chain id": ("eth_chainId", lambda rpc: rpc.balance(_ADDRESS)),
}
_RIGHT = {
    SEND: _HASH,
    "eth_call": "0x",
    "eth_estimateGas": "0x5208",
    "eth_getTransactionReceipt": None,
    "eth_getTransactionByHash": None,
    "eth_feeHistory": {"baseFeePerGas": ["0x1"], "reward": []},
    "eth_maxPriorityFeePerGas": "0x1",
    "eth_getTransactionCount": "0x1",
    "eth_getBalance": "0x1",
    "eth_getCode": "0x",
    "eth_getBlockByNumber": {"hash": _HASH},
    "eth_blockNumber": "0x64",
    "eth_chainId": "0x1",
}


@dataclass(frozen=True)
class Text:
    """Something that a node or gateway answers.

    Attributes:
        client: Who says it.
        words: What is shown of it.
        calls: The columns where it is said so; the others were not seen to.
        answer: Makes the response to a call's id.
    """

    client: str
    words: str
    calls: frozenset[str]
    answer: Callable[[int], httpx.Response]


def _refusal(case: dict[str, Any]) -> Callable[[int], httpx.Response]:
    error = {name: case[name] for name in ("code", "message", "data") if name in case}
    return lambda number: httpx.Response(case["status"], json={"jsonrpc": "2.0", "id": number, "error": error})


def _result(number: int, result: Any) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": number, "result": result})


def _closed(_: int) -> httpx.Response:
    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")


def _silent(_: int) -> httpx.Response:
    raise httpx.ReadTimeout("no answer")


# What is no JSON-RPC refusal; every call gets it.
TRANSPORT: dict[str, Callable[[int], httpx.Response]] = {
    "a page of HTML": lambda _: httpx.Response(200, text="<html><title>It works!</title></html>"),
    "a page of HTML with 502": lambda _: httpx.Response(502, text="<html>502 Bad Gateway</html>"),
    "a page of HTML with 429": lambda _: httpx.Response(429, text="<html>Too Many Requests</html>"),
    "403 without a body": lambda _: httpx.Response(403),
    "a closed connection": _closed,
    "no answer in time": _silent,
    "nothing": lambda _: httpx.Response(200, text=""),
    "a list of answers": lambda number: httpx.Response(200, json=[{"jsonrpc": "2.0", "id": number, "result": "0x1"}]),
    "another request's id": lambda number: _result(number + 1000, "0x1"),
    "neither result nor error": lambda number: httpx.Response(200, json={"jsonrpc": "2.0", "id": number}),
    "an error that is a text": lambda number: httpx.Response(
        200, json={"jsonrpc": "2.0", "id": number, "error": "oops"}
    ),
    "an error without message": lambda number: httpx.Response(
        200, json={"jsonrpc": "2.0", "id": number, "error": {"code": -32000}}
    ),
    "an error in a list": lambda number: httpx.Response(
        200, json=[{"jsonrpc": "2.0", "id": number, "error": {"code": -32000, "message": "header not found"}}]
    ),
    "a message without error": lambda _: httpx.Response(200, json={"success": False, "message": "Invalid signature"}),
    "429 in a page of HTML with 200": lambda _: httpx.Response(200, text="<html>Too Many Requests</html>"),
    "compressed bytes that are broken": lambda _: httpx.Response(
        200, headers={"content-encoding": "gzip"}, content=b"\x1f\x8b\x08broken"
    ),
    "301 to another place": lambda _: httpx.Response(301, headers={"location": "https://node.test/"}),
    "402 without a body": lambda _: httpx.Response(402),
    "413 of a gateway": lambda _: httpx.Response(413, text="<html>413 Request Entity Too Large</html>"),
    "530 of a content network": lambda _: httpx.Response(530, text="error code: 1033"),
    "a number without prefix": lambda number: _result(number, "12"),
    "an answer about something else": lambda number: _result(
        number, {"hash": "0x01", "transactionHash": "0x01", "number": "0x9", "blockHash": "0x01"}
    ),
    "a result of another shape": lambda number: _result(number, {"unexpected": [True]}),
}


def texts() -> list[Text]:
    """Return every text once: those of sends are said at each call, for they are what a proxy says to anything."""
    found: dict[tuple[str, str], Text] = {}
    for case in json.loads(_TEXTS.read_text(encoding="utf-8")):
        answer = _refusal(case)
        status = f"HTTP {case['status']}" if case["status"] != httpx.codes.OK else ""
        beside = json.dumps(case["data"], ensure_ascii=False) if "data" in case else ""
        words = " · ".join(filter(None, (status, case["message"] or f"(only code {case['code']})", beside)))
        found.setdefault((case["client"], words), Text(case["client"], words, frozenset(CALLS), answer))
    transport = [Text("anybody", words, frozenset(CALLS), answer) for words, answer in TRANSPORT.items()]
    return [*found.values(), *transport]


def outcome(text: Text, call: str, *, addresses: int = 1) -> str:
    """Return what follows when the first address answers a call with a text."""
    method, ask = CALLS[call]
    asked = 0

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        body = json.loads(request.content)
        if body["method"] == method and request.url.host == "node1":
            asked += 1
            return text.answer(body["id"])
        return _result(body["id"], _RIGHT[body["method"]])

    entry = {"chain_id": 1, "name": "chain", "max_fee_per_gas": "1", "testnet": True}
    urls = [f"http://node{number}" for number in range(1, addresses + 1)]
    forget_nodes()
    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        rpc = JsonRpc(Chain.from_json({**entry, "rpc_urls": urls}), client, clock=ManualClock())
        try:
            ask(rpc)
        except RpcError as error:
            classification = error.classification
            if classification.verdict is Verdict.PAY_MORE:
                return f"pay more: {classification.least_tip} wei" if classification.least_tip else "pay more"
            return {Verdict.CHECK: "check", Verdict.FINAL: "fails"}[classification.verdict]
        except UpstreamUnavailableError:
            return "later" if asked > 1 else "next address"
    return "answered" if addresses == 1 else "next address answers"


def rows() -> list[tuple[Text, list[str]]]:
    """Return each text with its outcomes, in the order of the calls."""
    return [(text, [outcome(text, call) for call in CALLS]) for text in texts()]


def _cell(text: str) -> str:
    shown = text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
    return "`" + re.sub(r"\s+", " ", shown.replace("`", "'").replace("|", "¦")).strip() + "`"


def page(found: list[tuple[Text, list[str]]]) -> str:
    """Return the whole table. Calls with the same outcome share a cell."""
    reads = list(CALLS)[3:]
    lines = [
        "# Slipway's reaction to each answer of a node",
        "Written by `local/python -m bench.refusals`, which answers each call to a chain's only node with each text,",
        "through the real code. [Chains](chains.md#answers-of-nodes) explains the reactions.",
        "*Reads* are " + ", ".join(reads) + ".",
        "",
        "- *check*: the receipts and the nonce decide; *pay more*: signed again, with the tip that the node demands;",
        "- *later*: the next address is asked, in three rounds, and then again until the job's deadline;",
        "- *next address*: this one is not asked again in this call; *fails*: final, once no node has the transaction.",
        "",
        "| client | text | send | call | estimate | reads |",
        "|---|---|---|---|---|---|",
    ]
    for text, outcomes in found:
        send, call, estimate, *others = outcomes
        lines.append(f"| {text.client} | {_cell(text.words)} | {send} | {call} | {estimate} | {_together(others)} |")
    return "\n".join(lines) + "\n"


def _together(outcomes: list[str]) -> str:
    return ", ".join(dict.fromkeys(outcomes))


def summary(found: list[tuple[Text, list[str]]]) -> str:
    """Return how many texts have which outcome at each call."""
    kinds = ["check", "pay more", "later", "next address", "fails", "answered"]
    lines = ["| call | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for place, call in enumerate(CALLS):
        counts = Counter(outcomes[place].partition(":")[0] for _, outcomes in found)
        lines.append(f"| {call} | " + " | ".join(str(counts[kind]) for kind in kinds) + " |")
    clients = {text.client for text, _ in found}
    return "\n".join([f"{len(found)} texts of {len(clients)} clients and gateways:", "", *lines]) + "\n"


def stale(found: list[tuple[Text, list[str]]]) -> dict[Path, str]:
    """Return what the documents should be that are not."""
    results = _RESULTS.read_text(encoding="utf-8")
    wanted = {_PAGE: page(found), _RESULTS: _MARKS.sub(lambda _: summary(found), results)}
    return {path: text for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text}


def main() -> int:
    """Write or check both documents; return 1 when one is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args()
    outdated = stale(rows())
    for path, text in outdated.items():
        if given.check:
            print(f"{path.name} is stale: run local/python -m bench.refusals")
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if given.check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
