"""Fail-over between a chain's nodes, and what their answers mean."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from slipway.chain import json_rpc
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.models import Call, ChainFees
from slipway.chains import Chain
from slipway.errors import UpstreamUnavailableError
from tests.support.nodes import FakeNode

FIRST, SECOND = "https://first.test/v3/key-of-first", "https://second.test/v3/key-of-second"
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    """Time that passes only when somebody sleeps or a node takes it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(json_rpc, "time", clock)
    return clock


def _chain(*urls: str) -> Chain:
    entry = {"chain_id": 1, "name": "testnet", "rpc_urls": urls or (FIRST, SECOND), "max_fee_per_gas": "1"}
    return Chain.from_json(entry)


def _rpc(handler: Handler, *urls: str, deadline: float = 10.0) -> JsonRpc:
    return JsonRpc(_chain(*urls), httpx.Client(transport=httpx.MockTransport(handler)), deadline=deadline)


def _result(value: Any) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "result": value})


def _error(code: Any, message: str = "no", status: int = 200) -> httpx.Response:
    return httpx.Response(status, json={"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message}})


def _raises(error: Exception) -> httpx.Response:
    raise error


DOWN: list[tuple[str, Callable[[], httpx.Response]]] = [
    ("refused", lambda: _raises(httpx.ConnectError("connection refused"))),
    ("timeout", lambda: _raises(httpx.ReadTimeout("slow"))),
    ("closed", lambda: _raises(httpx.RemoteProtocolError("closed"))),
    ("429", lambda: httpx.Response(429, text="slow down")),
    ("429 with an error", lambda: _error(-32000, "slow down", 429)),
    ("500", lambda: httpx.Response(500, text="oops")),
    ("502", lambda: httpx.Response(502, text="<html>")),
    ("503 with an error", lambda: _error(-32000, "overloaded", 503)),
    ("limit in a 200", lambda: _error(-32005, "daily request count exceeded")),
    ("limit code 429 in a 200", lambda: _error(429, "rate limited")),
    ("401", lambda: httpx.Response(401, text="who are you")),
    ("403 with an error", lambda: _error(-32002, "rejected due to project ID settings", 403)),
    ("401 with an error", lambda: _error(-32002, "invalid project id", 401)),
    ("not JSON", lambda: httpx.Response(200, text="<html>")),
    ("a list", lambda: httpx.Response(200, json=[])),
    ("no result", lambda: httpx.Response(200, json={"jsonrpc": "2.0", "id": 1})),
    ("an error that is no object", lambda: httpx.Response(200, json={"error": "no"})),
]


@pytest.mark.parametrize("down", [entry[1] for entry in DOWN], ids=[entry[0] for entry in DOWN])
def test_an_address_that_is_down_is_passed_over(down: Callable[[], httpx.Response]) -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return down() if request.url.host == "first.test" else _result("0x10")

    assert _rpc(handle).block_number() == 16
    assert asked == ["first.test", "second.test"]


@pytest.mark.parametrize("down", [entry[1] for entry in DOWN], ids=[entry[0] for entry in DOWN])
def test_all_down_is_unavailable_and_tells_no_address(down: Callable[[], httpx.Response]) -> None:
    with pytest.raises(UpstreamUnavailableError) as caught:
        _rpc(lambda request: down()).block_number()
    told = str(caught.value) + json.dumps(caught.value.details)
    assert "key-of" not in told
    assert ".test" not in told
    assert "testnet" in told
    assert caught.value.retry_after


def test_the_first_address_is_preferred() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return _result("0x1")

    rpc = _rpc(handle)
    rpc.block_number()
    rpc.block_number()
    assert asked == ["first.test", "first.test"]


def test_a_node_that_comes_back_is_asked_again() -> None:
    answers = iter([httpx.Response(503), httpx.Response(503), _result("0x2")])
    assert _rpc(lambda request: next(answers)).block_number() == 2


def test_three_rounds_and_no_more() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(503)

    with pytest.raises(UpstreamUnavailableError):
        _rpc(handle, deadline=1000).block_number()
    assert asked == ["first.test", "second.test"] * 3


@pytest.mark.parametrize("urls", [(FIRST,), (FIRST, SECOND), (FIRST, SECOND, FIRST, SECOND)])
@pytest.mark.parametrize("deadline", [0.5, 1.0, 10.0])
def test_silent_nodes_never_take_more_than_the_deadline(clock: Clock, urls: tuple[str, ...], deadline: float) -> None:
    """A node that says nothing takes all the time that it was given."""

    def handle(request: httpx.Request) -> httpx.Response:
        clock.now += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("silent")

    began = clock.now
    with pytest.raises(UpstreamUnavailableError):
        _rpc(handle, *urls, deadline=deadline).block_number()
    assert clock.now - began <= deadline + 1e-6


def test_a_silent_first_address_leaves_time_for_the_second(clock: Clock) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "first.test":
            clock.now += request.extensions["timeout"]["read"]
            raise httpx.ReadTimeout("silent")
        assert request.extensions["timeout"]["read"] > 0.2
        return _result("0x7")

    assert _rpc(handle, deadline=1.0).block_number() == 7


def test_a_refused_call_is_not_tried_elsewhere() -> None:
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return _error(3, "execution reverted")

    with pytest.raises(RpcError) as caught:
        _rpc(handle).estimate_gas("0x" + "11" * 20, Call(None, b"", 0))
    assert len(asked) == 1
    assert (caught.value.rpc_code, caught.value.rpc_message) == (3, "execution reverted")
    assert "eth_estimateGas" in str(caught.value)


@pytest.mark.parametrize("code", [None, "abc", [], -32000.0])
def test_an_error_code_that_is_no_number_is_still_a_refusal(code: Any) -> None:
    with pytest.raises(RpcError, match="because"):
        _rpc(lambda request: _error(code, "because")).call("eth_call")


def test_a_refusal_with_status_400_or_500_is_a_refusal() -> None:
    for status in (400, 500):
        with pytest.raises(RpcError, match="invalid params"):
            _rpc(lambda request, status=status: _error(-32602, "invalid params", status)).call("eth_call")


def test_a_refused_read_is_no_word_on_the_launch() -> None:
    """Every node can tell its block number; one that refuses is out of order."""
    rpc = _rpc(lambda request: _error(-32000, "header not found"))
    for read in (rpc.block_number, rpc.fees, lambda: rpc.balance("0xa"), lambda: rpc.receipt("0x01")):
        with pytest.raises(UpstreamUnavailableError, match="header not found"):
            read()


def test_an_empty_result_is_an_answer() -> None:
    assert _rpc(lambda request: _result(None)).receipt("0x01") is None
    assert _rpc(lambda request: _result(None)).knows("0x01") is False
    assert _rpc(lambda request: _result(None)).block_hash(1) is None


def _node(**answers: Any) -> tuple[JsonRpc, FakeNode]:
    node = FakeNode(**answers)
    return JsonRpc(_chain(FIRST), node.client()), node


@pytest.mark.parametrize(
    ("reward", "tip"),
    [([["0x3"], ["0x1"], ["0x2"]], 2), ([], 0), (None, 0), ([[], ["0x5"]], 5)],
)
def test_fees_are_the_next_base_fee_and_the_median_tip(reward: Any, tip: int) -> None:
    rpc, _ = _node(eth_feeHistory={"baseFeePerGas": ["0x1", "0x2", "0x9"], "reward": reward})
    assert rpc.fees() == ChainFees(9, tip)


def test_a_creation_names_no_receiver() -> None:
    rpc, node = _node(eth_estimateGas="0x5208")
    assert rpc.estimate_gas("0xsender", Call(None, b"\x01", 0, 5)) == 21_000
    assert rpc.estimate_gas("0xsender", Call("0xto", b"", 0)) == 21_000
    assert node.asked[0][1] == [{"from": "0xsender", "data": "0x01", "value": "0x5"}]
    assert node.asked[1][1] == [{"from": "0xsender", "to": "0xto", "data": "0x", "value": "0x0"}]


def test_reads_are_decoded() -> None:
    rpc, node = _node(
        eth_getCode="0x6000",
        eth_getTransactionCount="0x2a",
        eth_getBalance="0xde0b6b3a7640000",
        eth_call="0x0102",
        eth_getBlockByNumber={"hash": "0xbb"},
        eth_sendRawTransaction="0xhash",
        eth_getTransactionByHash={"hash": "0x01"},
    )
    assert rpc.code_at("0xa") == b"\x60\x00"
    assert rpc.transaction_count("0xa") == 42
    assert node.asked[-1] == ("eth_getTransactionCount", ["0xa", "pending"])
    assert rpc.balance("0xa") == 10**18
    assert rpc.eth_call("0xa", b"\x01") == b"\x01\x02"
    assert rpc.block_hash(255) == "0xbb"
    assert node.asked[-1] == ("eth_getBlockByNumber", ["0xff", False])
    assert rpc.send_raw("0xraw") == "0xhash"
    assert rpc.knows("0x01")


def _receipt(**changes: Any) -> dict[str, Any]:
    return {
        "transactionHash": "0x01",
        "blockNumber": "0x10",
        "blockHash": "0x02",
        "status": "0x1",
        "gasUsed": "0x5208",
        "effectiveGasPrice": "0x3b9aca00",
        "contractAddress": None,
        **changes,
    }


def test_a_receipt_is_there_once_it_is_in_a_block() -> None:
    receipt = _node(eth_getTransactionReceipt=_receipt())[0].receipt("0x01")
    assert receipt is not None
    assert (receipt.block_number, receipt.gas_used, receipt.effective_gas_price) == (16, 21_000, 10**9)
    assert receipt.succeeded
    failed = _node(eth_getTransactionReceipt=_receipt(status="0x0"))[0].receipt("0x01")
    assert failed is not None
    assert not failed.succeeded
    assert _node(eth_getTransactionReceipt=_receipt(blockHash=None))[0].receipt("0x01") is None
