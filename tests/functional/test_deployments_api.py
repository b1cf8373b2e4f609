"""Requests for token launches through the deployments function."""

from __future__ import annotations

import base64
import functools
import json
import re
import threading
import time
import uuid
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from slipway.chain.store import save_fee_cap
from slipway.times import now_text
from slipway.tokens.models import ModelState
from tests.support.installation import DEPLOYER, GWEI, Installation
from tests.support.nodes import RefusalError
from tests.support.waiting import eventually
from tests.support.wallets import ADMIN, ALICE, BOB

CREATED = "POST /api/deployments"


def _refused(slipway: Installation, answer: Any, status: int, code: str) -> None:
    """Require the envelope, an audit event, and nothing begun."""
    assert (answer.status, answer.body["error"]["code"]) == (status, code), answer.body
    assert answer.body["success"] is False
    assert answer.body["error"]["message"]
    assert set(answer.body) == {"success", "error", "request_id"}
    (entry,) = [entry for entry in slipway.audit() if entry["request_id"] == answer.body["request_id"]]
    assert (entry["outcome"], entry["source_ip"]) == (code, "203.0.113.7")


def _fields(answer: Any) -> set[str]:
    return {entry["field"] for entry in answer.body["error"]["details"]["fields"]}


def _launched(slipway: Installation) -> list[dict[str, Any]]:
    return [item for item in slipway.items("jobs") if item["sk"] == "DETAIL"]


# ── Accepted ────────────────────────────────────────────────────────────────────────────────────


def test_a_launch_is_accepted(slipway: Installation) -> None:
    slipway.model()
    answer = slipway.launch(token_name="Sentiment", token_symbol="SENT")
    assert answer.status == 202
    body = answer.body
    assert set(body) == {
        "success",
        "deployment_id",
        "model_id",
        "estimated_confirmation_time",
        "estimated_gas_cost",
        "status_url",
        "kind",
        "chain_id",
        "currency",
    }
    assert (body["chain_id"], body["currency"]) == (31337, "ETH")
    assert body["success"] is True
    assert body["model_id"] == "sentiment-v2"
    assert body["status_url"] == f"/api/deployments/{body['deployment_id']}/status"
    # 1.2 million of gas and 120 thousand, at twice the base fee of 1 gwei and a tip of 1 gwei.
    assert body["estimated_gas_cost"] == str(1_320_000 * 3 * GWEI)
    assert body["estimated_confirmation_time"] == 3
    assert str(uuid.UUID(body["deployment_id"])) == body["deployment_id"]


def test_it_is_written_whole_and_started_once(slipway: Installation) -> None:
    slipway.model()
    deployment_id = slipway.launch(token_name="Sentiment", token_symbol="SENT").body["deployment_id"]
    found = {(item["pk"], item["sk"].split("#")[0]) for item in slipway.items("jobs")}
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    assert {
        (f"DEPLOYMENT#{deployment_id}", "DETAIL"),
        (f"DEPLOYMENT#{deployment_id}", "EVENT"),
        ("MODEL#sentiment-v2", "LOCK"),
        ("SYMBOL#SENT", "LOCK"),
    } <= found
    (entry,) = slipway.audit()
    assert entry["pk"] == f"AUDIT#{day}"
    assert (entry["outcome"], entry["action"], entry["wallet"], entry["subject"], entry["source_ip"]) == (
        "accepted",
        CREATED,
        ALICE.address,
        "sentiment-v2",
        "203.0.113.7",
    )
    (execution,) = slipway.executions()
    assert execution["name"] == deployment_id
    client = boto3.client("stepfunctions")
    given = client.describe_execution(executionArn=execution["executionArn"])["input"]
    assert json.loads(given) == {"deployment_id": deployment_id}


def test_a_warm_accepted_post_is_three_reads_one_transaction_and_one_start(slipway: Installation) -> None:
    """The limiter's write is in the transaction."""
    slipway.model()
    slipway.model("other")
    slipway.launch()
    slipway.calls.clear()
    slipway.node.asked.clear()
    assert slipway.launch("other").status == 202
    print(f"calls of AWS by a warm accepted POST: {', '.join(operation for _, operation, _ in slipway.calls)}")
    assert Counter(operation for _, operation, _ in slipway.calls) == {
        "BatchGetItem": 2,
        "GetItem": 2,
        "TransactWriteItems": 1,
        "StartExecution": 1,
    }
    # The batches are the caller's standing, and the switch with the breaker and the caller's limits. The rest is the
    # chain's configuration, and what its gas may cost today.
    reads = [arguments["Key"]["pk"]["S"].split("#")[0] for _, _, arguments in slipway.called("GetItem")]
    assert sorted(reads) == ["BUDGET", "CHAIN"]
    ((_, _, transaction),) = slipway.called("TransactWriteItems")
    written = [next(iter(item.values())) for item in transaction["TransactItems"]]
    keys = [write.get("Key") or write["Item"] for write in written]
    assert sum(key["pk"]["S"].startswith("RATE#") for key in keys) == 1
    assert sorted(method for method, _ in slipway.node.asked) == [
        "eth_call",
        "eth_estimateGas",
        "eth_estimateGas",
        "eth_feeHistory",
        "eth_maxPriorityFeePerGas",
    ]


def test_slow_reads_of_the_chain_overlap(slipway: Installation) -> None:
    slipway.model()
    slipway.launch("unknown")
    methods = {"eth_feeHistory", "eth_call", "eth_estimateGas"}
    quick, asked, all_asked = dict(slipway.node.answers), set[str](), threading.Event()

    def slow(method: str) -> Any:
        def answer(params: list[Any]) -> Any:
            asked.add(method)
            if asked == methods:
                all_asked.set()
            all_asked.wait(60)
            found = quick[method]
            return found(params) if callable(found) else found

        return answer

    for method in methods:
        slipway.node.answers[method] = slow(method)
    assert slipway.launch().status == 202


def test_defaults(slipway: Installation) -> None:
    slipway.model()
    deployment_id = slipway.launch().body["deployment_id"]
    found = slipway.api("api_deployments_detail", token=slipway.token(), path={"id": deployment_id}).body
    assert (found["token_name"], found["token_symbol"]) == ("Hokusai sentiment-v2", "SENTIMENTV")
    assert re.fullmatch(r"[A-Z0-9-]{1,10}", found["token_symbol"])


def test_generated_symbols_are_unique_and_chosen_ones_may_be_shared(slipway: Installation) -> None:
    symbols = []
    for model_id in ("sentiment-v2", "sentiment v2", "sentiment_v2"):
        slipway.model(model_id)
        assert slipway.launch(model_id).status == 202
    symbols = [item["token_symbol"] for item in _launched(slipway)]
    assert len(set(symbols)) == 3
    slipway.model("fourth")
    assert slipway.launch("fourth", token_symbol=symbols[0]).status == 202
    slipway.model(symbols[1])
    assert slipway.launch(symbols[1]).status == 202
    assert [item["token_symbol"] for item in _launched(slipway)].count(symbols[1]) == 1


def test_the_token_may_be_in_the_body(slipway: Installation) -> None:
    slipway.model()
    body = {"model_id": "sentiment-v2", "user_address": ALICE.address, "auth_token": slipway.token()}
    assert slipway.api("api_deployments_create", body=body).status == 202


def test_the_header_comes_before_the_body(slipway: Installation) -> None:
    slipway.model()
    body = {"model_id": "sentiment-v2", "user_address": ALICE.address, "auth_token": slipway.token()}
    assert slipway.api("api_deployments_create", body=body, token="forged").status == 401


def test_a_contributor_may_launch(slipway: Installation) -> None:
    slipway.model(contributors=(BOB.address,))
    assert slipway.launch(account=BOB).status == 202


def test_any_spelling_of_the_address_is_the_callers(slipway: Installation) -> None:
    slipway.model()
    assert slipway.launch(user_address=ALICE.address.lower()).status == 202


def test_a_start_that_fails_leaves_a_launch_that_is_started_later(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    slipway.model()
    machine = slipway.state_machine
    boto3.client("stepfunctions").delete_state_machine(stateMachineArn=machine)
    answer = slipway.launch(headers={"idempotency-key": "k"})
    assert answer.status == 202
    (item,) = _launched(slipway)
    assert item["open_shard"].startswith("OPEN#")
    assert item["open_until"]


# ── Idempotency-Key ─────────────────────────────────────────────────────────────────────────────


def test_the_same_key_and_body_get_the_same_answer(slipway: Installation) -> None:
    slipway.model()
    first = slipway.launch(headers={"idempotency-key": "key-1"})
    again = slipway.launch(headers={"idempotency-key": "key-1"})
    other_spelling = slipway.launch(headers={"idempotency-key": "key-1"}, user_address=ALICE.address.lower())
    assert (again.status, again.body) == (202, first.body)
    assert other_spelling.body == first.body
    assert len(_launched(slipway)) == 1
    assert len(slipway.executions()) == 1


def test_the_same_key_with_another_body_is_refused(slipway: Installation) -> None:
    slipway.model()
    slipway.model("other")
    slipway.launch(headers={"idempotency-key": "key-1"})
    _refused(slipway, slipway.launch("other", headers={"idempotency-key": "key-1"}), 409, "IDEMPOTENCY_MISMATCH")
    assert len(_launched(slipway)) == 1


def test_a_replay_is_answered_while_the_chain_is_down(slipway: Installation) -> None:
    slipway.model()
    first = slipway.launch(headers={"idempotency-key": "key-1"})
    slipway.node.answers["eth_feeHistory"] = {}
    slipway.node.answers["eth_call"] = "0x" + "00" * 12 + "44" * 20
    assert slipway.launch(headers={"idempotency-key": "key-1"}).body == first.body


def test_a_replay_starts_what_was_written_but_not_started(slipway: Installation) -> None:
    slipway.model()
    client = boto3.client("stepfunctions")
    client.delete_state_machine(stateMachineArn=slipway.state_machine)
    first = slipway.launch(headers={"idempotency-key": "key-1"})
    assert first.status == 202
    definition = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
    client.create_state_machine(
        name="TokenDeploy", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/any"
    )
    assert slipway.executions() == []
    assert slipway.launch(headers={"idempotency-key": "key-1"}).body == first.body
    assert [execution["name"] for execution in slipway.executions()] == [first.body["deployment_id"]]


def test_a_key_is_each_wallets_own(slipway: Installation) -> None:
    slipway.model("a")
    slipway.model("b", owner=BOB.address)
    first = slipway.launch("a", headers={"idempotency-key": "key-1"})
    second = slipway.launch("b", account=BOB, headers={"idempotency-key": "key-1"})
    assert (first.status, second.status) == (202, 202)


def test_a_key_is_forgotten_after_a_day(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    slipway.model("a")
    slipway.model("b")
    token = slipway.token(exp=int(time.time()) + 10 * 86400)
    slipway.launch("a", headers={"idempotency-key": "key-1"}, token=token)
    later = time.time() + 86400 + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert slipway.launch("b", headers={"idempotency-key": "key-1"}, token=token).status == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "tab\tbed", "ü"])
def test_a_key_that_is_not_visible_ascii_is_refused(slipway: Installation, key: str) -> None:
    slipway.model()
    answer = slipway.launch(headers={"idempotency-key": key})
    _refused(slipway, answer, 400, "VALIDATION_ERROR")
    assert _fields(answer) == {"Idempotency-Key"}


# ── Refused ─────────────────────────────────────────────────────────────────────────────────────


def test_one_token_a_model(slipway: Installation) -> None:
    slipway.model(contributors=(BOB.address,))
    first = slipway.launch()
    for account in (ALICE, BOB):
        again = slipway.launch(account=account)
        _refused(slipway, again, 409, "TOKEN_EXISTS")
        assert again.body["error"]["details"] == {"deployment_id": first.body["deployment_id"]}
    assert len(_launched(slipway)) == 1
    assert len(slipway.executions()) == 1


def test_a_token_that_the_registry_has_is_refused(slipway: Installation) -> None:
    slipway.model()
    slipway.node.answers["eth_call"] = "0x" + "00" * 12 + "44" * 20
    _refused(slipway, slipway.launch(), 409, "TOKEN_EXISTS")
    assert _launched(slipway) == []


@pytest.mark.parametrize(
    ("model", "account", "status", "code"),
    [
        (None, ALICE, 404, "MODEL_NOT_FOUND"),
        (ModelState.REGISTERED, ALICE, 409, "MODEL_NOT_VALIDATED"),
        (ModelState.REJECTED, ALICE, 409, "MODEL_NOT_VALIDATED"),
        (ModelState.VALIDATED, BOB, 403, "FORBIDDEN"),
        (ModelState.REGISTERED, BOB, 403, "FORBIDDEN"),
    ],
)
def test_models_that_may_not_be_launched(
    slipway: Installation, model: ModelState | None, account: Any, status: int, code: str
) -> None:
    if model:
        slipway.model(state=model)
    _refused(slipway, slipway.launch(account=account), status, code)
    assert (slipway.audit()[-1]["wallet"], slipway.audit()[-1]["subject"]) == (account.address, "sentiment-v2")
    assert _launched(slipway) == []
    assert slipway.executions() == []


def test_a_user_address_that_is_not_the_callers_is_refused(slipway: Installation) -> None:
    slipway.model()
    _refused(slipway, slipway.launch(user_address=BOB.address), 403, "FORBIDDEN")


def test_a_fee_over_the_cap_is_refused_and_the_cap_changes_without_a_deployment(slipway: Installation) -> None:
    slipway.model()
    save_fee_cap(31337, 3 * GWEI - 1)
    answer = slipway.launch()
    _refused(slipway, answer, 503, "INSUFFICIENT_GAS")
    assert int(answer.headers["retry-after"]) >= 1
    assert _launched(slipway) == []
    save_fee_cap(31337, 3 * GWEI)
    assert slipway.launch().status == 202


def test_the_templates_cap_holds_where_none_is_configured(slipway: Installation) -> None:
    slipway.model()
    slipway.node.answers["eth_feeHistory"] = {"baseFeePerGas": [hex(100 * GWEI)] * 2, "reward": [[hex(GWEI)]]}
    _refused(slipway, slipway.launch(), 503, "INSUFFICIENT_GAS")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="null"),
        pytest.param({}, id="empty"),
        pytest.param([], id="a list"),
        pytest.param("0x", id="text"),
    ],
)
def test_a_chain_that_does_not_report_its_fees_is_unavailable(slipway: Installation, answer: Any) -> None:
    slipway.model()
    slipway.node.answers["eth_feeHistory"] = answer
    _refused(slipway, slipway.launch(), 502, "UPSTREAM_UNAVAILABLE")
    assert _launched(slipway) == []


def test_a_chain_that_is_slow_to_report_its_fees_is_unavailable(slipway: Installation) -> None:
    slipway.model()
    with slipway.node.slow("eth_feeHistory"):
        _refused(slipway, slipway.launch(), 502, "UPSTREAM_UNAVAILABLE")
    assert _launched(slipway) == []


def test_a_chain_that_would_revert_the_launch_refuses_it(slipway: Installation) -> None:
    slipway.model()

    def revert(params: list[Any]) -> Any:
        raise RefusalError(3, "execution reverted: not a registrar")

    slipway.node.answers["eth_estimateGas"] = revert
    _refused(slipway, slipway.launch(), 500, "DEPLOYMENT_FAILED")
    assert _launched(slipway) == []


def test_no_limit_is_used_up_by_refusals(slipway: Installation) -> None:
    slipway.model()
    for _ in range(8):
        slipway.launch("unknown")
    assert slipway.launch().status == 202


def test_five_launches_an_hour(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    token = slipway.token(exp=int(time.time()) + 10 * 86400)
    for number in range(6):
        slipway.model(f"m{number}")
    for number in range(5):
        accepted = slipway.launch(f"m{number}", token=token)
        assert accepted.status == 202
        assert accepted.headers["ratelimit-limit"] == "5"
        assert accepted.headers["ratelimit-remaining"] == str(4 - number)
        assert 3500 <= int(accepted.headers["ratelimit-reset"]) <= 3600
    answer = slipway.launch("m5", token=token)
    _refused(slipway, answer, 429, "RATE_LIMIT_EXCEEDED")
    assert 3500 <= int(answer.headers["retry-after"]) <= 3600
    assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == ("5", "0")
    later = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later)
    assert slipway.launch("m5", token=token).status == 202


# ── Who asks comes first ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "event_name",
    [
        "api_deployments_create",
        "api_deployments_estimate",
        "api_deployments_list",
        "api_deployments_detail",
        "api_deployments_status",
        "api_deployments_close",
        "api_admin_model",
        "api_admin_pause",
        "api_admin_resume",
        "api_admin_audit",
        "api_admin_metrics",
    ],
)
def test_every_protected_route_wants_a_token(slipway: Installation, event_name: str) -> None:
    answers = [
        slipway.api(event_name, headers=headers)
        for headers in ({}, {"authorization": "Basic dXNlcjpwYXNz"}, {"authorization": "Bearer"})
    ]
    for answer in answers:
        assert (answer.status, answer.code, answer.body["success"]) == (401, "AUTH_FAILED", False)
        assert answer.headers["www-authenticate"] == "Bearer"
    # The first of a kind in a minute is written.
    _refused(slipway, answers[0], 401, "AUTH_FAILED")
    minutes = [entry["created_at"][:16] for entry in slipway.audit()]
    assert len(minutes) == len(set(minutes))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"nbf": 9_999_999_999},
        {"aud": "another"},
        {"iss": "https://evil.test"},
        {"exp": None},
        {"aud": None},
        {"iss": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("where", ["header", "body"])
def test_wrong_tokens_are_refused_wherever_they_stand(
    slipway: Installation, changes: dict[str, Any], where: str
) -> None:
    slipway.model()
    token = slipway.token(**changes)
    body = {"model_id": "sentiment-v2", "user_address": ALICE.address}
    if where == "header":
        answer = slipway.api("api_deployments_create", token=token, body=body)
    else:
        answer = slipway.api("api_deployments_create", body={**body, "auth_token": token})
    _refused(slipway, answer, 401, "AUTH_FAILED")
    assert _launched(slipway) == []


@pytest.mark.parametrize(
    "raw", ["not json", "", "{", "[1]", '{"auth_token": 7}', "[" * 50_000, '{"model_id": 7}', "x" * 70_000]
)
def test_a_stranger_learns_nothing_of_the_body(slipway: Installation, raw: str) -> None:
    _refused(slipway, slipway.api("api_deployments_create", raw=raw), 401, "AUTH_FAILED")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ("not json", "body"),
        ("", "body"),
        ("[1]", "body"),
        ('"text"', "body"),
        ("null", "body"),
        ('{"model_id": "a", "model_id": "b"}', "body"),
        ('{"model_id": NaN}', "body"),
        ("[" * 50_000, "body"),
        ('{"\\ud800": 1}', "body"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(slipway: Installation, raw: str, field: str) -> None:
    answer = slipway.api("api_deployments_create", raw=raw, token=slipway.token())
    _refused(slipway, answer, 400, "VALIDATION_ERROR")
    assert field in _fields(answer)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sdl": "version: 2"}, "sdl"),
        ({"user_address": "0x70997970c51812dc3A010C7d01b50e0d17dc79C8"}, "user_address"),
        ({"user_address": "0x1"}, "user_address"),
        ({"model_id": "x" * 65}, "model_id"),
        ({"model_id": "a\u0000b"}, "model_id"),
        ({"model_id": "a\u202eb"}, "model_id"),
        ({"token_name": "x" * 51}, "token_name"),
        ({"token_symbol": "abc"}, "token_symbol"),
        ({"token_symbol": "ABCDEFGHIJK"}, "token_symbol"),
    ],
)
def test_a_bad_field_is_named(slipway: Installation, changes: dict[str, Any], field: str) -> None:
    answer = slipway.launch(**changes)
    _refused(slipway, answer, 400, "VALIDATION_ERROR")
    assert _fields(answer) == {field}
    assert field in answer.body["error"]["message"]


def test_a_body_over_64_kilobytes_is_too_large(slipway: Installation) -> None:
    token = slipway.token()
    body = {"model_id": "m", "user_address": ALICE.address}
    fill = 64 * 1024 - len(json.dumps({**body, "token_name": ""}))
    just = slipway.api("api_deployments_create", token=token, body={**body, "token_name": "x" * fill})
    _refused(slipway, just, 400, "VALIDATION_ERROR")
    over = slipway.api("api_deployments_create", token=token, body={**body, "token_name": "x" * (fill + 1)})
    _refused(slipway, over, 413, "PAYLOAD_TOO_LARGE")


# ── Estimate ────────────────────────────────────────────────────────────────────────────────────


def _estimate(slipway: Installation, model_id: str = "sentiment-v2", account: Any = ALICE, **more: Any) -> Any:
    body = {"model_id": model_id, "user_address": account.address, **more}
    return slipway.api("api_deployments_estimate", token=slipway.token(account), body=body)


@pytest.mark.parametrize("slipway", [{"l1_fee": "op-stack"}], indirect=True)
def test_an_estimate_counts_what_a_rollup_charges_besides_gas(slipway: Installation) -> None:
    slipway.model()
    oracle, charge = "0x420000000000000000000000000000000000000F", 10**16
    slipway.node.answers["eth_call"] = lambda params: f"0x{charge if params[0]['to'] == oracle else 0:064x}"
    body = _estimate(slipway).body
    # Of the creation and of the registration; half as much again at most.
    assert body["expected_cost"] == str(1_100_000 * 2 * GWEI + 2 * charge)
    assert body["most_cost"] == str(1_320_000 * 3 * GWEI + 3 * charge)


def test_an_estimate_reports_the_figures_and_changes_nothing(slipway: Installation) -> None:
    slipway.model()
    before = slipway.items("jobs"), slipway.items("control")
    answer = _estimate(slipway)
    assert answer.status == 200
    assert answer.body == {
        "model_id": "sentiment-v2",
        "token_name": "Hokusai sentiment-v2",
        "token_symbol": "SENTIMENTV",
        "initial_supply": None,
        "max_supply": None,
        "gas": 1_320_000,
        "max_fee_per_gas": str(3 * GWEI),
        "max_priority_fee_per_gas": str(GWEI),
        "fee_cap": "200000000000",
        "estimated_gas_cost": str(1_320_000 * 3 * GWEI),
        "most_cost": str(1_320_000 * 3 * GWEI),
        # Without the margin, at the base fee and the tip of now.
        "expected_cost": str(1_100_000 * 2 * GWEI),
        "payer": "account",
        "currency": "ETH",
        "chain": 31337,
        "kind": "token",
        "estimated_confirmation_time": 3,
        "refusals": [],
    }
    assert (slipway.items("jobs"), slipway.items("control")) == before
    assert {operation for _, operation, _ in slipway.calls} <= {"BatchGetItem", "GetItem", "GetPublicKey"}
    senders = {params[0]["from"] for method, params in slipway.node.asked if method == "eth_estimateGas"}
    assert senders == {DEPLOYER}


def _codes(answer: Any) -> list[str]:
    assert answer.status == 200
    assert all(refusal["message"] for refusal in answer.body["refusals"])
    return [refusal["code"] for refusal in answer.body["refusals"]]


def test_an_estimate_names_every_reason_to_refuse(slipway: Installation) -> None:
    assert _codes(_estimate(slipway)) == ["MODEL_NOT_FOUND"]
    slipway.model(state=ModelState.REGISTERED)
    save_fee_cap(31337, 1)
    assert _codes(_estimate(slipway)) == ["MODEL_NOT_VALIDATED", "INSUFFICIENT_GAS"]
    assert _codes(_estimate(slipway, account=BOB)) == ["FORBIDDEN", "INSUFFICIENT_GAS"]
    save_fee_cap(31337, None)
    slipway.model()
    assert slipway.launch().status == 202
    assert _codes(_estimate(slipway)) == ["TOKEN_EXISTS"]
    # The lock and the registry say the same; the owner reads it once.
    slipway.node.answers["eth_call"] = "0x" + "00" * 12 + "44" * 20
    found = _estimate(slipway)
    assert _codes(found) == ["TOKEN_EXISTS"]
    assert found.body["gas"] is None
    slipway.model("other")
    slipway.node.answers["eth_call"] = "0x" + "00" * 32
    slipway.node.answers["eth_feeHistory"] = None
    assert _codes(_estimate(slipway, "other")) == ["UPSTREAM_UNAVAILABLE"]


def test_an_estimate_names_a_limit_that_is_used_up(slipway: Installation) -> None:
    for number in range(5):
        slipway.model(f"m{number}")
        slipway.launch(f"m{number}")
    slipway.model("next")
    assert _codes(_estimate(slipway, "next")) == ["RATE_LIMIT_EXCEEDED"]


def test_an_estimate_for_somebody_else_is_refused(slipway: Installation) -> None:
    _refused(slipway, _estimate(slipway, user_address=BOB.address), 403, "FORBIDDEN")


# ── Reads ───────────────────────────────────────────────────────────────────────────────────────


def test_status_and_details_of_a_launch(slipway: Installation) -> None:
    slipway.model()
    deployment_id = slipway.launch().body["deployment_id"]
    status = slipway.api("api_deployments_status", token=slipway.token(), path={"id": deployment_id})
    assert status.status == 200
    assert set(status.body) == {
        "kind",
        "deployment_id",
        "chain_id",
        "status",
        "model_id",
        "token_name",
        "token_symbol",
        "created_at",
        "updated_at",
    }
    assert status.body["status"] == "pending"
    detail = slipway.api("api_deployments_detail", token=slipway.token(), path={"id": deployment_id}).body
    assert (detail["kind"], detail["chain_id"], detail["user_address"]) == ("token", 31337, ALICE.address)
    listed = slipway.api("api_deployments_list", token=slipway.token()).body
    # What is not known yet is left out, wherever a launch is shown.
    assert listed == {"deployments": [status.body], "next_cursor": None}
    assert {name: detail[name] for name in status.body} == status.body
    assert None not in detail.values()
    assert [entry["event"] for entry in detail["events"]] == ["pending"]


@pytest.mark.parametrize("name", ["api_deployments_status", "api_deployments_detail", "api_deployments_close"])
def test_another_owners_launch_is_not_there(slipway: Installation, name: str) -> None:
    slipway.model()
    deployment_id = slipway.launch().body["deployment_id"]
    others = slipway.api(name, token=slipway.token(BOB), path={"id": deployment_id})
    nobodys = slipway.api(name, token=slipway.token(BOB), path={"id": str(uuid.uuid4())})
    _refused(slipway, others, 404, "NOT_FOUND")
    _refused(slipway, nobodys, 404, "NOT_FOUND")
    assert others.body["error"] == nobodys.body["error"]


@pytest.mark.parametrize("given", ["x", "DETAIL", "..", "%23", "0" * 36, "A" * 1000])
def test_an_id_that_is_none_is_not_there(slipway: Installation, given: str) -> None:
    answer = slipway.api("api_deployments_status", token=slipway.token(), path={"id": given})
    _refused(slipway, answer, 404, "NOT_FOUND")
    assert not [call for call in slipway.called("GetItem") if "DEPLOYMENT" in json.dumps(call[2])]


def test_a_token_that_is_not_signed_is_cancelled_once(slipway: Installation) -> None:
    slipway.model()
    deployment_id = slipway.launch().body["deployment_id"]
    close = functools.partial(slipway.api, "api_deployments_close", path={"id": deployment_id})
    for _ in range(2):
        answer = close(token=slipway.token())
        assert (answer.status, answer.body["status"], answer.body["error"]["code"]) == (200, "failed", "CANCELLED")
    assert len(_launched(slipway)) == 1


def _page(slipway: Installation, account: Any = ALICE, **query: Any) -> Any:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return slipway.api("api_deployments_list", token=slipway.token(account), query=text)


def _pass_a_millisecond() -> None:
    """Let a millisecond pass: lists are in the order of times, which are written in milliseconds."""
    before = now_text()
    eventually(now_text, lambda text: text > before, every=0.001)


def test_a_list_is_ones_own_newest_first_and_paged(slipway: Installation) -> None:
    for number in range(5):
        slipway.model(f"m{number}")
        assert slipway.launch(f"m{number}").status == 202
        _pass_a_millisecond()
    slipway.model("bobs", owner=BOB.address)
    slipway.launch("bobs", account=BOB)
    assert [entry["model_id"] for entry in _page(slipway).body["deployments"]] == ["m4", "m3", "m2", "m1", "m0"]
    found: list[str] = []
    cursor, pages = None, 0
    while True:
        page = _page(slipway, limit=2, **({"cursor": cursor} if cursor else {}))
        assert page.status == 200
        found += [entry["model_id"] for entry in page.body["deployments"]]
        pages += 1
        cursor = page.body["next_cursor"]
        if not cursor:
            break
    assert found == ["m4", "m3", "m2", "m1", "m0"]
    assert pages == 3
    assert [entry["model_id"] for entry in _page(slipway, BOB).body["deployments"]] == ["bobs"]


def test_a_full_last_page_is_the_last(slipway: Installation) -> None:
    for number in range(4):
        slipway.model(f"m{number}")
        assert slipway.launch(f"m{number}").status == 202
    assert _page(slipway, limit=4).body["next_cursor"] is None
    assert _page(slipway, limit=4, kind="token").body["next_cursor"] is None
    first = _page(slipway, limit=2).body
    last = _page(slipway, limit=2, cursor=first["next_cursor"]).body
    assert (len(last["deployments"]), last["next_cursor"]) == (2, None)


def test_a_list_is_filtered(slipway: Installation) -> None:
    slipway.model()
    slipway.launch()
    assert len(_page(slipway, kind="token").body["deployments"]) == 1
    assert len(_page(slipway, kind="token", status="pending").body["deployments"]) == 1
    assert _page(slipway, kind="akash").body == {"deployments": [], "next_cursor": None}
    assert _page(slipway, status="completed").body["deployments"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"status": "done"}, "status"),
        ({"kind": "boat"}, "kind"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "NQ"}, "cursor"),
        ({"cursor": "x" * 1025}, "cursor"),
        ({"cursor": base64.urlsafe_b64encode(b'["a", "b", ""]').decode()}, "cursor"),
    ],
    ids=str,
)
def test_a_query_that_makes_no_sense_is_refused_with_the_field(
    slipway: Installation, query: dict[str, Any], field: str
) -> None:
    answer = _page(slipway, **query)
    _refused(slipway, answer, 400, "VALIDATION_ERROR")
    assert _fields(answer) == {field}


def test_anothers_cursor_shows_nothing_of_theirs(slipway: Installation) -> None:
    for number in range(3):
        slipway.model(f"m{number}")
        slipway.launch(f"m{number}")
        _pass_a_millisecond()
    cursor = _page(slipway, limit=1).body["next_cursor"]
    assert cursor
    assert _page(slipway, BOB, cursor=cursor).body["deployments"] == []


def test_a_list_of_one_model_has_its_launches_alone(slipway: Installation) -> None:
    for model_id in ("a", "b"):
        slipway.model(model_id)
        slipway.launch(model_id)
    assert [entry["model_id"] for entry in _page(slipway, model_id="a").body["deployments"]] == ["a"]
    assert len(_page(slipway, model_id="a", status="pending").body["deployments"]) == 1
    for query in ({"model_id": "a", "kind": "akash"}, {"model_id": "a", "status": "failed"}, {"model_id": "c"}):
        assert _page(slipway, **query).body == {"deployments": [], "next_cursor": None}
    assert _page(slipway, BOB, model_id="a").body["deployments"] == []


# ── Whose launch it is to read ──────────────────────────────────────────────────────────────────

READS = ["api_deployments_detail", "api_deployments_status"]


@pytest.mark.parametrize("name", READS)
def test_a_models_owner_reads_a_contributors_launch(slipway: Installation, name: str) -> None:
    slipway.model(contributors=(BOB.address,))
    deployment_id = slipway.launch(account=BOB).body["deployment_id"]
    answer = slipway.api(name, token=slipway.token(ALICE), path={"id": deployment_id})
    assert (answer.status, answer.body["deployment_id"]) == (200, deployment_id)
    # To read is not to change.
    closed = slipway.api("api_deployments_close", token=slipway.token(ALICE), path={"id": deployment_id})
    assert closed.status == 404


@pytest.mark.parametrize("name", READS)
def test_an_owners_launch_is_no_contributors_to_read(slipway: Installation, name: str) -> None:
    slipway.model(contributors=(BOB.address,))
    deployment_id = slipway.launch().body["deployment_id"]
    assert slipway.api(name, token=slipway.token(BOB), path={"id": deployment_id}).status == 404


@pytest.mark.parametrize("name", READS)
def test_an_administrator_reads_any_launch(slipway: Installation, name: str) -> None:
    slipway.model()
    deployment_id = slipway.launch().body["deployment_id"]
    assert slipway.api(name, token=slipway.token(ADMIN), path={"id": deployment_id}).status == 200
    closed = slipway.api("api_deployments_close", token=slipway.token(ADMIN), path={"id": deployment_id})
    assert closed.status == 404
