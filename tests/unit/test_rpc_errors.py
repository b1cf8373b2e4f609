"""What refusals of nodes mean: hundreds of texts of the field, and what holds for all of them."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.chain.rpc_errors import CALL, ESTIMATE, SEND, Classification, Refusal, Verdict, classify

REFUSALS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "support" / "rpc_refusals.json").read_text(encoding="utf-8")
)
PREFIXES = (
    "",
    "INTERNAL_ERROR: ",
    "submit transaction to pool failed: ",
    "rpc error: code = Unknown desc = ",
    "[Request ID: 0f1c] ",
)
SUFFIXES = ("", ".", " (request id 0f1c)", "\n", " [see https://docs.test/errors]")


def _classify(case: dict[str, Any], message: str) -> Verdict:
    return classify(Refusal(case["method"], case["status"], case["code"], message, case.get("data"))).verdict


@pytest.mark.parametrize(
    "case", REFUSALS, ids=lambda case: f"{case['client']}: {case['method']}: {case['message']}"[:90]
)
def test_what_clients_and_gateways_say(case: dict[str, Any]) -> None:
    assert _classify(case, case["message"]) == case["means"]


def test_the_list_is_wide() -> None:
    sends = {case["message"] for case in REFUSALS if case["method"] == SEND}
    assert len(sends) >= 150
    assert min(Counter(case["means"] for case in REFUSALS if case["method"] == SEND).values()) >= 15
    assert len({case["client"] for case in REFUSALS}) >= 40


@given(
    st.sampled_from([case for case in REFUSALS if case["message"]]),
    st.sampled_from(PREFIXES),
    st.sampled_from(SUFFIXES),
    st.sampled_from([str.lower, str.upper, str]),
    st.booleans(),
)
def test_wrapping_changes_no_verdict(
    case: dict[str, Any], prefix: str, suffix: str, letters: Any, in_json: bool
) -> None:
    message = prefix + letters(case["message"]) + suffix
    if in_json:
        message = "400 Bad Request: " + json.dumps({"jsonrpc": "2.0", "id": 7, "error": {"message": message}})
    assert _classify(case, message) == case["means"]


def test_a_relay_puts_the_nodes_words_into_its_own_errors_data() -> None:
    said = {"code": -32000, "message": "transaction underpriced: minimum needed 7"}
    for data in (said, {"error": said}, [said], {"body": json.dumps({"error": said})}, said["message"]):
        refusal = Refusal(SEND, 200, -32603, "Internal JSON-RPC error.", data)
        assert classify(refusal) == Classification(Verdict.PAY_MORE, 7)
    deep: Any = said
    for _ in range(10_000):
        deep = [deep]
    assert classify(Refusal(SEND, 200, -32603, "", deep)).verdict is Verdict.LATER


@given(
    st.text(),
    st.sampled_from([SEND, CALL, ESTIMATE, "eth_getCode"]),
    st.integers(-40_000, 40_000),
    st.integers(200, 599),
)
def test_random_text_is_never_final(message: str, method: str, code: int, status: int) -> None:
    assert classify(Refusal(method, status, code, message)).verdict is not Verdict.FINAL


@pytest.mark.parametrize(
    "message",
    [
        "unknown transaction type of request",
        "the intrinsic value of gas is low today",
        "caller gas limit exceeds the block gas limit",
        "Transaction gas limit is greater than the block gas limit",
        "gas limit is too high",
        "invalid signature of the JWT in the authorization header",
        "invalid argument 0: hex string has odd length",
        "rlp: input list has too many elements",
        "changes reverted",
        "the transaction has been reverted by the database, please retry",
        "VM exception: guest revert to snapshot in progress",
        "upstream reverted with 502",
        "invalid chain id 'eth' in path, see the networks of this service",
        "Plugin has marked the transaction as invalid: sequencer overloaded",
    ],
)
def test_near_misses_are_not_final(message: str) -> None:
    for method in (CALL, ESTIMATE, "eth_getBalance"):
        assert classify(Refusal(method, 200, -32000, message)).verdict is not Verdict.FINAL
    if "type" not in message:
        assert classify(Refusal(SEND, 200, -32000, message)).verdict is not Verdict.FINAL


def test_a_gateway_that_turns_a_request_away_judges_nothing() -> None:
    for status in (401, 402, 403, 404, 408, 425, 429):
        for message in ("execution reverted", "intrinsic gas too low", "invalid sender"):
            for method in (SEND, CALL, ESTIMATE):
                assert classify(Refusal(method, status, 3, message)).verdict is not Verdict.FINAL


@pytest.mark.parametrize(
    ("message", "least_tip"),
    [
        ("transaction gas price below minimum: gas tip cap 1, minimum needed 25000000000", 25 * 10**9),
        ("INTERNAL_ERROR: transaction underpriced: tip needed 1000000, tip permitted 1", 10**6),
        ("transaction priority fee below minimum required priority fee 1000000000", 10**9),
        ("gas price too low (minimal: 1000, got: 10)", 1000),
        ("transaction underpriced", 0),
        ("tip 1 below minimum 30 gwei", 30 * 10**9),
        ("priority fee below minimum of 1.5 Gwei", 15 * 10**8),
        ("maxPriorityFeePerGas must be at least 25000000000", 25 * 10**9),
        ("maxPriorityFeePerGas must be >= 30000000000 wei", 30 * 10**9),
        ("required gas price 30 gwei, offered 1 gwei", 30 * 10**9),
        ("transaction underpriced: gas tip cap 0 < minimum 1", 1),
        ("gas price too low: it must be at least 10% higher", 0),
        ("gas price below the minimum of 999999999999999999999", 0),
        ("Gas price '1' is below configured minimum gas price '710000000000'", 710 * 10**9),
        ("FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 1, BaseFee: 7", 0),
    ],
)
def test_what_a_node_wants_is_read(message: str, least_tip: int) -> None:
    assert classify(Refusal(SEND, 200, -32000, message)) == Classification(Verdict.PAY_MORE, least_tip)


def test_too_much_to_do_is_load_and_no_outage() -> None:
    for status, code, message in (
        (429, 0, ""),
        (200, -32005, "project ID request rate exceeded"),
        (200, -32000, '429 Too Many Requests: {"error":{"code":-32016,"message":"over rate limit"}}'),
        (200, -32012, "credits limited to 6000/sec"),
    ):
        assert classify(Refusal("eth_call", status, code, message)) == Classification(Verdict.LATER, is_load=True)
    assert not classify(Refusal("eth_call", 200, -32603, "Internal error")).is_load
    # Besu's code for a limit is also its code for this.
    assert not classify(Refusal(SEND, 200, -32005, "Transaction gas limit exceeds block gas limit")).is_load
