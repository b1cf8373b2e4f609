"""Fail-over between a chain's nodes, and what their answers mean."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.models import Call, ChainFees
from slipway.chain.rpc_errors import Verdict
from slipway.chains import Chain
from slipway.errors import UpstreamUnavailableError
from tests.support.clock import ManualClock
from tests.support.nodes import FakeNode, RefusalError

FIRST, SECOND = "https://first.test/v3/key-of-first", "https://second.test/v3/key-of-second"
THIRD, FOURTH = "https://third.test/v3/key-of-third", "https://fourth.test/v3/key-of-fourth"
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def _chain(*urls: str, **changes: Any) -> Chain:
    entry = {"chain_id": 1, "name": "testnet", "rpc_urls": urls or (FIRST, SECOND), "max_fee_per_gas": "1", **changes}
    return Chain.from_json(entry)


def _rpc(
    handler: Handler, *urls: str, deadline: float = 10.0, clock: ManualClock | None = None, **changes: Any
) -> JsonRpc:
    """Addresses of the chain; whatever they are asked besides which chain they are of is the handler's."""

    def handle(request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        answer = _result(hex(1)) if call["method"] == "eth_chainId" else handler(request)
        if answer.headers.get("content-type") == "application/json" and OURS in answer.text:
            answer = httpx.Response(answer.status_code, text=answer.text.replace(OURS, str(call["id"])))
        return answer

    client = httpx.Client(transport=httpx.MockTransport(handle))
    return JsonRpc(_chain(*urls, **changes), client, deadline=deadline, clock=clock or ManualClock())


OURS = "123456789"
"""Stands for the request's id in what a handler answers."""


def _result(value: Any) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": int(OURS), "result": value})


def _error(code: Any, message: str = "no", status: int = 200) -> httpx.Response:
    return httpx.Response(status, json={"jsonrpc": "2.0", "id": int(OURS), "error": {"code": code, "message": message}})


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
    ("header not found in a 200", lambda: _error(-32000, "header not found")),
    ("an internal error", lambda: _error(-32603, "Internal error")),
    ("a limit in words", lambda: _error(-32000, "429 Too Many Requests: over rate limit")),
    ("a method it lacks", lambda: _error(-32601, "the method does not exist/is not available")),
    ("words that nobody listed", lambda: _error(-32099, "computer says no")),
    ("an error code that is no number", lambda: _error([], "because")),
    ("400 with an error", lambda: _error(-32602, "invalid params", 400)),
    ("500 with an error", lambda: _error(-32602, "invalid params", 500)),
    ("a batch", lambda: httpx.Response(200, json=[{"jsonrpc": "2.0", "id": int(OURS), "result": "0x1"}])),
    ("another request's id", lambda: httpx.Response(200, json={"jsonrpc": "2.0", "id": 7, "result": "0x1"})),
    ("no id", lambda: httpx.Response(200, json={"jsonrpc": "2.0", "result": "0x1"})),
    ("a result with 500", lambda: httpx.Response(500, json={"jsonrpc": "2.0", "id": int(OURS), "result": "0x1"})),
    ("a redirect", lambda: httpx.Response(301, headers={"location": "https://login.test"})),
    ("half an answer", lambda: httpx.Response(200, text='{"jsonrpc": "2.0", "id": 1, "resu')),
    ("a body cut off", lambda: _raises(httpx.RemoteProtocolError("peer closed connection"))),
    ("a result of another shape", lambda: _result({"number": 16})),
    ("a result that is null", lambda: _result(None)),
    ("words for a number", lambda: _result("latest")),
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
def test_all_down_is_unavailable_and_reveals_no_address(down: Callable[[], httpx.Response]) -> None:
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


def test_an_address_that_failed_rests_and_is_asked_last(clock: ManualClock) -> None:
    asked: list[str] = []
    is_down = True

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(503) if is_down and request.url.host == "first.test" else _result("0x1")

    rpc = _rpc(handle, clock=clock)
    rpc.block_number()
    # What one caller found holds for the process.
    _rpc(handle, clock=clock).block_number()
    assert asked == ["first.test", "second.test", "second.test"]
    is_down = False
    clock.seconds += 60
    rpc.block_number()
    assert asked[3:] == ["first.test"]


def test_an_address_rests_longer_each_time_it_fails_and_a_minute_at_most(clock: ManualClock) -> None:
    asked: list[float] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "second.test":
            return _result("0x1")
        asked.append(clock.seconds)
        return httpx.Response(503)

    rpc = _rpc(handle, clock=clock)
    for _ in range(600):
        clock.seconds += 1
        rpc.block_number()
    pauses = [later - sooner for sooner, later in itertools.pairwise(asked)]
    assert len(pauses) >= 7
    assert pauses[0] <= 3
    assert max(pauses) <= 91
    assert pauses[5] > pauses[0]


def test_an_address_of_another_chain_is_never_used(clock: ManualClock) -> None:
    asked: list[tuple[str, str]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        asked.append((request.url.host, call["method"]))
        result = hex(5 if request.url.host == "first.test" else 1) if call["method"] == "eth_chainId" else "0x10"
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": call["id"], "result": result})

    client = httpx.Client(transport=httpx.MockTransport(handle))
    rpc = JsonRpc(_chain(), client, clock=clock)
    for _ in range(3):
        assert rpc.block_number() == 16
        clock.seconds += 1000
    assert asked == [
        ("first.test", "eth_chainId"),
        ("second.test", "eth_chainId"),
        *[("second.test", "eth_blockNumber")] * 3,
    ]
    with pytest.raises(UpstreamUnavailableError, match="address 1 is of chain 5, not 1"):
        JsonRpc(_chain(FIRST), client, clock=clock).block_number()


def test_nothing_but_too_much_to_do_is_distinguished_from_an_outage() -> None:
    def down(*answers: Callable[[], httpx.Response]) -> UpstreamUnavailableError:
        turn = itertools.cycle(answers)
        with pytest.raises(UpstreamUnavailableError) as caught:
            _rpc(lambda request: next(turn)()).block_number()
        return caught.value

    busy = lambda: httpx.Response(429, text="slow down")  # noqa: E731
    quota = lambda: _error(-32005, "daily request count exceeded")  # noqa: E731
    assert down(busy, quota).details == {"rate_limited": True}
    assert down(busy, lambda: httpx.Response(502)).details is None


def test_what_a_gateway_says_shows_no_key() -> None:
    words = "no route to https://first.test/v3/key-of-first?x=1, project key-of-first"
    with pytest.raises(UpstreamUnavailableError) as caught:
        _rpc(lambda request: _error(-32000, words)).block_number()
    assert "key-of-first" not in caught.value.message
    assert "no route to" in caught.value.message


# ── A node that lags ────────────────────────────────────────────────────────────────────────────


class TwoNodes:
    """The first says that things are missing; each has its own height and its own answer."""

    def __init__(self, first: int, second: int, answers: dict[str, tuple[Any, Any]]) -> None:
        self.heads = {"first.test": first, "second.test": second}
        self.answers = answers
        self.asked: list[tuple[str, str]] = []
        self.down: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        host, method = request.url.host, json.loads(request.content)["method"]
        self.asked.append((host, method))
        if host in self.down:
            return httpx.Response(503)
        if method == "eth_blockNumber":
            return _result(hex(self.heads[host]))
        answer = self.answers[method][host == "second.test"]
        return answer() if callable(answer) else _result(answer)


MISSING: list[tuple[str, Any, Any, Callable[[JsonRpc], Any], Any]] = [
    ("eth_getTransactionReceipt", None, "receipt", lambda rpc: getattr(rpc.receipt("0x01"), "block_number", None), 16),
    ("eth_getTransactionByHash", None, {"hash": "0x01"}, lambda rpc: rpc.knows("0x01"), True),
    ("eth_getCode", "0x", "0x6000", lambda rpc: rpc.code_at("0xa"), b"\x60\x00"),
    ("eth_getTransactionCount", "0x4", "0x5", lambda rpc: rpc.transaction_count("0xa"), 5),
    ("eth_getBlockByNumber", None, {"hash": "0xbb"}, lambda rpc: rpc.block_hash(9), "0xbb"),
]


@pytest.mark.parametrize(("method", "missing", "found", "ask", "value"), MISSING, ids=[entry[0] for entry in MISSING])
def test_a_node_that_lags_does_not_say_what_is_missing(
    method: str, missing: Any, found: Any, ask: Callable[[JsonRpc], Any], value: Any
) -> None:
    found = _receipt() if found == "receipt" else found
    nodes = TwoNodes(90, 100, {method: (missing, found)})
    assert ask(_rpc(nodes)) == value
    # Nobody else knows: then nobody knows.
    nodes = TwoNodes(90, 100, {method: (missing, found)})
    rpc = _rpc(nodes)
    assert ask(rpc) == value
    nodes.down = {"second.test"}
    with pytest.raises(UpstreamUnavailableError, match="behind"):
        ask(rpc)
    # At the same height its word counts.
    nodes.heads["first.test"] = 100
    assert ask(rpc) != value


def test_a_node_that_lags_much_is_asked_last(clock: ManualClock) -> None:
    nodes = TwoNodes(100, 150, {"eth_getCode": ("0x", "0x"), "eth_getBalance": ("0x1", "0x2")})
    rpc = _rpc(nodes, clock=clock, block_seconds=2)
    rpc.code_at("0xa")
    assert rpc.balance("0xa") == 2
    # Until it has caught up; what was heard of it is kept for a while.
    nodes.heads["first.test"] = 150
    clock.seconds += 30
    rpc.code_at("0xa")
    assert rpc.balance("0xa") == 1


def test_one_address_is_not_asked_for_its_block_to_compare_it_with_itself() -> None:
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["method"])
        return _result(None)

    rpc = _rpc(handle, FIRST)
    assert rpc.receipt("0x01") is None
    assert not rpc.knows("0x01")
    assert asked == ["eth_getTransactionReceipt", "eth_getTransactionByHash"]


def test_the_others_are_asked_for_their_block_now_and_then_and_not_each_time(clock: ManualClock) -> None:
    nodes = TwoNodes(100, 100, {"eth_getTransactionReceipt": (None, None)})
    rpc = _rpc(nodes, clock=clock)
    for _ in range(9):
        rpc.receipt("0x01")
        clock.seconds += 1
    assert nodes.asked.count(("second.test", "eth_blockNumber")) == 1


def _reverts() -> httpx.Response:
    return _error(3, "execution reverted")


def test_a_node_that_lags_does_not_say_that_a_call_reverts() -> None:
    nodes = TwoNodes(90, 100, {"eth_estimateGas": (_reverts, "0x5208")})
    assert _rpc(nodes).estimate_gas("0xa", Call("0xto", b"", 0)) == 21_000


@pytest.mark.parametrize(("heads", "second"), [((100, 100), "0x5208"), ((90, 100), _reverts)])
def test_a_revert_counts_at_the_present_height(heads: tuple[int, int], second: Any) -> None:
    with pytest.raises(RpcError, match="execution reverted"):
        _rpc(TwoNodes(*heads, {"eth_estimateGas": (_reverts, second)})).estimate_gas("0xa", Call("0xto", b"", 0))


# ── What pools say ──────────────────────────────────────────────────────────────────────────────


def _sent(*messages: str | None) -> Any:
    """Send to addresses that answer so, each the same each time; None takes it."""
    urls = (FIRST, SECOND, THIRD)[: len(messages)]
    words = dict(zip((httpx.URL(url).host for url in urls), messages, strict=True))

    def handle(request: httpx.Request) -> httpx.Response:
        message = words[request.url.host]
        return _result("0xhash") if message is None else _error(-32000, message)

    return _rpc(handle, *urls).send_raw("0xraw")


CHEAP, DEAR = "transaction underpriced: minimum needed 7", "transaction underpriced: minimum needed 9"


def test_one_pool_that_takes_it_is_enough() -> None:
    for message in ("header not found", "already known", CHEAP, "tx fee (2 ether) exceeds the configured cap", "huh?"):
        assert _sent(message, None) == "0xhash"


@pytest.mark.parametrize(
    ("messages", "verdict", "least_tip"),
    [
        (("huh?", "already known"), Verdict.CHECK, 0),
        ((CHEAP, "nonce too low"), Verdict.CHECK, 0),
        (("nonce too low", CHEAP), Verdict.CHECK, 0),
        ((CHEAP, "huh?", DEAR), Verdict.PAY_MORE, 9),
        ((DEAR, CHEAP), Verdict.PAY_MORE, 9),
        (("already known", "intrinsic gas too low"), Verdict.FINAL, 0),
    ],
)
def test_the_pools_are_weighed(messages: tuple[str, ...], verdict: Verdict, least_tip: int) -> None:
    with pytest.raises(RpcError) as caught:
        _sent(*messages)
    assert (caught.value.classification.verdict, caught.value.classification.least_tip) == (verdict, least_tip)


def test_what_no_pool_takes_now_is_unavailable() -> None:
    for messages in (
        ("insufficient funds", "txpool is full"),
        ("exceeds the configured cap",),
        ("huh?", "nonce too high"),
    ):
        with pytest.raises(UpstreamUnavailableError):
            _sent(*messages)


# ── Rounds and deadlines ────────────────────────────────────────────────────────────────────────


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


@pytest.mark.parametrize("urls", [(FIRST,), (FIRST, SECOND), (FIRST, SECOND, THIRD, FOURTH)])
@pytest.mark.parametrize("deadline", [0.5, 1.0, 10.0])
def test_silent_nodes_never_take_more_than_the_deadline(
    clock: ManualClock, urls: tuple[str, ...], deadline: float
) -> None:
    """A node that says nothing takes all the time that it was given."""

    def handle(request: httpx.Request) -> httpx.Response:
        clock.seconds += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("silent")

    began = clock.seconds
    with pytest.raises(UpstreamUnavailableError):
        _rpc(handle, *urls, deadline=deadline, clock=clock).block_number()
    assert clock.seconds - began <= deadline + 1e-6


def test_a_silent_first_address_leaves_time_for_the_second(clock: ManualClock) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "first.test":
            clock.seconds += request.extensions["timeout"]["read"]
            raise httpx.ReadTimeout("silent")
        assert request.extensions["timeout"]["read"] > 0.2
        return _result("0x7")

    assert _rpc(handle, deadline=1.0, clock=clock).block_number() == 7


def test_a_refused_call_is_not_tried_elsewhere() -> None:
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["method"] == "eth_blockNumber":
            return _result("0x10")
        asked.append(request)
        return _error(3, "execution reverted")

    with pytest.raises(RpcError) as caught:
        _rpc(handle).estimate_gas("0x" + "11" * 20, Call(None, b"", 0))
    assert len(asked) == 1
    assert (caught.value.refusal.code, caught.value.rpc_message) == (3, "execution reverted")
    assert "eth_estimateGas" in str(caught.value)


@pytest.mark.parametrize("code", [None, "abc", [], -32000.0])
def test_an_error_code_that_is_no_number_is_still_a_refusal(code: Any) -> None:
    with pytest.raises(RpcError, match="execution reverted"):
        _rpc(lambda request: _error(code, "execution reverted")).call("eth_call")


def _failing(code: int, message: str, status: int = 200) -> Handler:
    return lambda request: _error(code, message, status)


def test_a_refusal_with_status_400_or_500_is_a_refusal() -> None:
    for status in (400, 500):
        with pytest.raises(RpcError, match="execution reverted"):
            _rpc(_failing(3, "execution reverted", status)).call("eth_call")


def test_a_call_that_fails_otherwise_than_by_a_revert_is_unavailable() -> None:
    for message in ("invalid params", "header not found", "nonce too low", "intrinsic gas too low", "out of gas"):
        with pytest.raises(UpstreamUnavailableError, match=message):
            _rpc(_failing(-32000, message)).call("eth_call")


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


def _node(chain: Chain | None = None, **answers: Any) -> tuple[JsonRpc, FakeNode]:
    node = FakeNode(**{"eth_chainId": "0x1", "eth_maxPriorityFeePerGas": "0x0", **answers})
    return JsonRpc(chain or _chain(FIRST), node.client(), clock=ManualClock()), node


@pytest.mark.parametrize(
    ("reward", "tip"),
    [([["0x3"], ["0x1"], ["0x2"]], 2), ([], 0), (None, 0), ([[], ["0x5"]], 5)],
)
def test_fees_are_the_next_base_fee_and_the_median_tip(reward: Any, tip: int) -> None:
    rpc, _ = _node(eth_feeHistory={"baseFeePerGas": ["0x1", "0x2", "0x9"], "reward": reward})
    assert rpc.fees() == ChainFees(9, tip)


def _cannot_tell(params: list[Any]) -> Any:
    raise RefusalError(-32601, "the method does not exist/is not available")


def test_the_tip_is_what_blocks_took_or_the_node_suggests() -> None:
    history = {"baseFeePerGas": ["0x9"], "reward": [["0x5"]]}
    for suggested, tip in (("0x3", 5), ("0x7", 7), (_cannot_tell, 5), ("nonsense", 5)):
        rpc, _ = _node(eth_feeHistory=history, eth_maxPriorityFeePerGas=suggested)
        assert rpc.fees() == ChainFees(9, tip)


def test_a_chain_without_eip_1559_has_a_gas_price() -> None:
    rpc, node = _node(_chain(FIRST, fee_model="legacy"), eth_gasPrice="0x7")
    assert rpc.fees() == ChainFees(0, 7)
    assert [method for method, _ in node.asked] == ["eth_gasPrice"]


def test_a_creation_names_no_receiver() -> None:
    rpc, node = _node(eth_estimateGas="0x5208")
    assert rpc.estimate_gas("0xsender", Call(None, b"\x01", 0, 5)) == 21_000
    assert rpc.estimate_gas("0xsender", Call("0xto", b"", 0)) == 21_000
    assert node.asked[0][1] == [{"from": "0xsender", "data": "0x01", "value": "0x5"}]
    assert node.asked[1][1] == [{"from": "0xsender", "to": "0xto", "data": "0x", "value": "0x0"}]


@pytest.mark.parametrize("gas", ["0x0", "0x5207", None, "0x", {}])
def test_an_estimate_that_no_transaction_can_have_is_no_answer(gas: Any) -> None:
    rpc, _ = _node(eth_estimateGas=gas)
    with pytest.raises(UpstreamUnavailableError):
        rpc.estimate_gas("0xsender", Call("0xto", b"", 0))


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


def test_a_receipt_without_a_price_costs_what_the_transaction_offered() -> None:
    for price in (None, ""):
        receipt = _node(eth_getTransactionReceipt=_receipt(effectiveGasPrice=price))[0].receipt("0x01", offered=7)
        assert receipt is not None
        assert receipt.cost == 21_000 * 7


def test_a_receipt_of_a_rollup_costs_its_l1_fee_too() -> None:
    receipt = _node(eth_getTransactionReceipt=_receipt(l1Fee="0x64"))[0].receipt("0x01")
    assert receipt is not None
    assert receipt.cost == 21_000 * 10**9 + 100


@pytest.mark.parametrize(
    "number", ["12", "0x", "-0x1", "0x1_0", " 0x1", "0x1 ", 18, 1.0, True, None, ["0x1"], "latest"]
)
def test_what_is_no_quantity_is_no_answer(number: Any) -> None:
    """A text without prefix, read as hexadecimal, would be another number than was meant."""
    with pytest.raises(UpstreamUnavailableError):
        _node(eth_getTransactionCount=number)[0].transaction_count("0xaa")


@pytest.mark.parametrize("code", ["6001", "", None, {}, 96])
def test_code_is_hexadecimal_with_its_prefix(code: Any) -> None:
    with pytest.raises(UpstreamUnavailableError):
        _node(eth_getCode=code)[0].code_at("0xaa")


OTHER: dict[str, Any] = {"hash": "0x02", "transactionHash": "0x02", "input": "0x", "number": "0x8", "blockHash": "0x02"}


@pytest.mark.parametrize("answer", [OTHER, {}, "", [], True, "pending", _receipt(transactionHash="0x02")])
def test_an_answer_about_something_else_is_no_answer(answer: Any) -> None:
    """A cache in front of nodes once gave the wrong entry: that is no receipt of ours."""
    methods = ("eth_getTransactionReceipt", "eth_getTransactionByHash", "eth_getBlockByNumber")
    rpc, _ = _node(**dict.fromkeys(methods, answer))
    for ask in (rpc.receipt, rpc.knows, rpc.transaction, lambda _: rpc.block_hash(9)):
        with pytest.raises(UpstreamUnavailableError):
            ask("0x01")


def test_hashes_are_the_same_in_capital_letters() -> None:
    rpc, _ = _node(
        eth_getTransactionReceipt=_receipt(transactionHash="0xAB"), eth_getTransactionByHash={"hash": "0xAB"}
    )
    assert rpc.receipt("0xab")
    assert rpc.knows("0xab")


def _always(response: httpx.Response) -> Handler:
    return lambda _: response


PERMANENT = "intrinsic gas too low: execution reverted, invalid sender, invalid signature"


@pytest.mark.parametrize(
    "body",
    [
        {"error": PERMANENT},
        {"message": PERMANENT},
        {"errors": [{"message": PERMANENT, "code": 3}]},
        {"success": False, "detail": PERMANENT},
        [PERMANENT],
        [{"error": PERMANENT}],
        PERMANENT,
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_only_a_json_rpc_error_says_that_something_is_for_good(body: Any, status: int) -> None:
    for method in ("eth_sendRawTransaction", "eth_call", "eth_estimateGas"):
        for response in (httpx.Response(status, json=body), httpx.Response(status, text=f"<b>{PERMANENT}</b>")):
            with pytest.raises(UpstreamUnavailableError):
                _rpc(_always(response)).call(method)


@pytest.mark.parametrize(
    "response",
    [
        lambda: httpx.Response(200, json={"message": "Too many requests, slow down", "success": False}),
        lambda: httpx.Response(200, json={"error": "rate limit exceeded"}),
        lambda: httpx.Response(200, json=[{"error": {"code": -32005, "message": "daily quota"}}]),
        lambda: httpx.Response(200, json={"error": {"code": "429", "message": "no"}}),
        lambda: httpx.Response(200, json={"code": 429, "message": "no"}),
        lambda: httpx.Response(403, json={"error": {"code": 1, "message": {"text": "quota exceeded"}}}),
        lambda: httpx.Response(503, text="<html><style>a{}</style><h1>You are being rate limited</h1></html>"),
        lambda: httpx.Response(200, text="Too many requests"),
    ],
)
def test_too_much_to_do_is_seen_in_any_shape(response: Callable[[], httpx.Response]) -> None:
    with pytest.raises(UpstreamUnavailableError) as raised:
        _rpc(lambda _: response()).block_number()
    assert raised.value.details == {"rate_limited": True}


def test_what_a_pool_says_is_read_past_a_long_request() -> None:
    message = f"could not forward {'ab' * 200}: already known"
    with pytest.raises(RpcError) as raised:
        _rpc(lambda _: _error(-32000, message)).send_raw("0x02")
    assert raised.value.classification.verdict is Verdict.CHECK


def test_an_error_in_a_list_of_one_is_an_error() -> None:
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "nonce too low"}}
    with pytest.raises(RpcError) as raised:
        _rpc(lambda _: httpx.Response(200, json=[error])).send_raw("0x02")
    assert raised.value.classification.verdict is Verdict.CHECK
