"""The administrator's routes, and what a switch and a breaker do to requests."""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway import store
from slipway.control.breaker import OPEN_SECONDS, WINDOW_SECONDS, Breaker, Outcome
from slipway.control.store import Gate, Service, ServiceState, record_outcome, service_state
from slipway.jobs.gas import Served, add_gas
from slipway.jobs.store import AuditEvent, job_outcome
from slipway.limits.store import Quota
from slipway.settings import tier_limit
from slipway.store import Transaction
from slipway.times import now, to_text
from slipway.tokens.models import ModelState
from tests.support.clock import ManualClock
from tests.support.installation import Answer, Installation
from tests.support.nodes import RefusalError
from tests.support.wallets import ADMIN, ALICE, BOB

ROUTES = [
    "api_admin_model",
    "api_admin_pause",
    "api_admin_resume",
    "api_admin_audit",
    "api_admin_metrics",
    "api_admin_series",
    "api_admin_gas",
    "api_admin_deployments",
]
ENTRY = {"owner": ALICE.address, "state": "validated"}


def _admin(slipway: Installation, name: str, **parts: Any) -> Answer:
    return slipway.api(name, token=slipway.token(ADMIN), **parts)


@pytest.mark.parametrize("name", ROUTES)
def test_a_plain_user_may_not(slipway: Installation, name: str) -> None:
    answer = slipway.api(name, token=slipway.token(ALICE), raw="not json" if name != "api_admin_audit" else None)
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    (entry,) = slipway.audit()
    assert (entry["outcome"], entry["wallet"]) == ("FORBIDDEN", ALICE.address)
    assert {item["pk"] for item in slipway.items("control")} == {"CHAIN#31337"}


# ── Catalogue ───────────────────────────────────────────────────────────────────────────────────


def test_a_model_is_put_and_can_be_launched(slipway: Installation) -> None:
    body = {**ENTRY, "contributors": [BOB.address.lower()], "metrics": {"accuracy": 0.93}, "improvement": 0.125}
    answer = _admin(slipway, "api_admin_model", body=body, path={"id": "fresh"})
    assert answer.status == 200
    assert answer.body["model_id"] == "fresh"
    assert answer.body["contributors"] == [BOB.address]
    assert slipway.launch("fresh", account=BOB).status == 202


def test_a_model_is_replaced(slipway: Installation) -> None:
    _admin(slipway, "api_admin_model", body=ENTRY)
    assert _admin(slipway, "api_admin_model", body={**ENTRY, "state": "rejected"}).status == 200
    assert slipway.launch().code == "MODEL_NOT_VALIDATED"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("m", {**ENTRY, "owner": "alice"}, "owner"),
        ("m", {**ENTRY, "state": "shiny"}, "state"),
        ("m", {**ENTRY, "metrics": {"a": "NaN"}}, "metrics.a"),
        ("m", {**ENTRY, "extra": 1}, "extra"),
        ("m", {"owner": ALICE.address}, "state"),
        ("x" * 65, ENTRY, "model_id"),
        ("a%00b", ENTRY, "model_id"),
        ("%E2%80%AEb", ENTRY, "model_id"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused_with_the_field(
    slipway: Installation, path: str, body: dict[str, Any], field: str
) -> None:
    answer = _admin(slipway, "api_admin_model", body=body, path={"id": path})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert field in {entry["field"] for entry in answer.body["error"]["details"]["fields"]}


# ── Switch and breaker ──────────────────────────────────────────────────────────────────────────


def test_a_paused_service_takes_no_launches_until_it_is_resumed(slipway: Installation) -> None:
    slipway.model()
    paused = _admin(slipway, "api_admin_pause", body={"reason": "Moving house"})
    assert (paused.status, paused.body["paused"], paused.body["reason"]) == (200, True, "Moving house")
    assert paused.body["changed_by"] == ADMIN.address
    answer = slipway.launch()
    assert (answer.status, answer.code) == (503, "SERVICE_PAUSED")
    assert "Moving house" in answer.body["error"]["message"]
    assert int(answer.headers["retry-after"]) >= 1
    assert slipway.executions() == []
    assert _admin(slipway, "api_admin_resume", body={"reason": "Done"}).body["paused"] is False
    assert slipway.launch().status == 202


def test_reads_and_replays_go_on_while_paused(slipway: Installation) -> None:
    slipway.model()
    first = slipway.launch(headers={"idempotency-key": "k"})
    _admin(slipway, "api_admin_pause", body={"reason": "Moving house"})
    assert slipway.launch(headers={"idempotency-key": "k"}).body == first.body
    path = {"id": first.body["deployment_id"]}
    assert slipway.api("api_deployments_status", token=slipway.token(), path=path).status == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("nothing", {"reason": "x"}, 404), ("tokens", {}, 400), ("tokens", {"reason": ""}, 400), ("tokens", [], 400)],
)
def test_a_switch_that_makes_no_sense_is_refused(slipway: Installation, path: str, body: Any, status: int) -> None:
    assert _admin(slipway, "api_admin_pause", body=body, path={"service": path}).status == status


def test_a_chain_out_of_reach_opens_the_breaker_and_a_probe_closes_it(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    slipway.model()
    token = slipway.token(exp=int(time.time()) + 86400)
    whole = slipway.node.answers["eth_feeHistory"]
    slipway.node.answers["eth_feeHistory"] = None
    for _ in range(3):
        assert slipway.launch(token=token).code == "UPSTREAM_UNAVAILABLE"
    slipway.node.answers["eth_feeHistory"] = whole
    refused = slipway.launch(token=token)
    assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
    wait = int(refused.headers["retry-after"])
    assert 1 <= wait <= 60
    later = time.time() + wait + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert slipway.launch(token=token).status == 202
    slipway.model("next")
    # Its launch is the probe; nobody else passes before it has ended.
    assert slipway.launch("next", token=token).code == "SERVICE_PAUSED"
    record_outcome(Service.TOKENS, Outcome.SUCCESS)
    assert slipway.launch("next", token=token).status == 202


def test_requests_that_would_be_refused_anyway_say_nothing_of_the_chain(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No stranger without a model, and nobody over the limit, stops the service for everybody."""
    slipway.model("taken")
    assert slipway.launch("taken").status == 202
    slipway.model()
    slipway.model("rejected", state=ModelState.REJECTED)
    monkeypatch.setenv("LAUNCH_LIMITS", '{"standard": {"hour": 2, "day": 2}, "premium": {"hour": 1, "day": 1}}')
    tier_limit.cache_clear()
    whole = slipway.node.answers["eth_feeHistory"]
    slipway.node.answers["eth_feeHistory"] = None
    before = service_state(Service.TOKENS).breaker
    refused = [("unknown", ALICE), ("sentiment-v2", BOB), ("rejected", ALICE), ("taken", ALICE)]
    for model_id, account in refused:
        assert slipway.launch(model_id, account=account).code != "UPSTREAM_UNAVAILABLE"
    assert service_state(Service.TOKENS).breaker == before
    # Over the limit as well.
    write = Transaction()
    Quota("launches", ALICE.address, tier_limit("launches", "standard")).count_within(write)
    write.commit()
    for _ in range(3):
        assert slipway.launch().code in ("UPSTREAM_UNAVAILABLE", "RATE_LIMIT_EXCEEDED")
    assert service_state(Service.TOKENS).breaker == before
    slipway.node.answers["eth_feeHistory"] = whole


def test_a_provider_that_has_too_much_to_do_is_no_outage(slipway: Installation) -> None:
    slipway.model()
    whole = slipway.node.answers["eth_feeHistory"]

    def busy(_: list[Any]) -> Any:
        raise RefusalError(429, "Too Many Requests")

    slipway.node.answers["eth_feeHistory"] = busy
    for _ in range(4):
        answer = slipway.launch()
        assert (answer.code, answer.body["error"]["details"]) == ("UPSTREAM_UNAVAILABLE", {"rate_limited": True})
    slipway.node.answers["eth_feeHistory"] = whole
    assert slipway.launch().status == 202


@pytest.fixture
def half_open(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> str:
    """Leave a breaker that would let one launch through, and return a token that is still valid then."""
    slipway.model()
    token = slipway.token(exp=int(time.time()) + 86400)
    for _ in range(3):
        record_outcome(Service.TOKENS, Outcome.UNREACHABLE)
    assert slipway.launch(token=token).code == "SERVICE_PAUSED"
    later = time.time() + OPEN_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    return token


def _is_the_probe(slipway: Installation, token: str) -> None:
    """Whether the next launch is let through, and the one after it is not."""
    slipway.model("probe")
    assert slipway.launch("probe", token=token).status == 202
    slipway.model("after")
    assert slipway.launch("after", token=token).code == "SERVICE_PAUSED"


def test_a_request_that_is_refused_is_no_probe(slipway: Installation, half_open: str) -> None:
    before = service_state(Service.TOKENS).breaker
    assert slipway.launch("unknown", token=half_open).code == "MODEL_NOT_FOUND"
    slipway.model("rejected", state=ModelState.REJECTED)
    assert slipway.launch("rejected", token=half_open).code == "MODEL_NOT_VALIDATED"
    assert slipway.launch(token=half_open, token_symbol="not a symbol").code == "VALIDATION_ERROR"
    assert service_state(Service.TOKENS).breaker == before
    _is_the_probe(slipway, half_open)


def test_a_request_over_its_limit_is_no_probe(
    slipway: Installation, half_open: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUNCH_LIMITS", '{"standard": {"hour": 1, "day": 1}}')
    tier_limit.cache_clear()
    write = Transaction()
    Quota("launches", ALICE.address, tier_limit("launches", "standard")).count_within(write)
    write.commit()
    assert slipway.launch(token=half_open).code == "RATE_LIMIT_EXCEEDED"
    assert not service_state(Service.TOKENS).breaker.probe_until


def test_a_model_that_has_its_launch_and_a_replay_are_no_probes(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    slipway.model()
    token = slipway.token(exp=int(time.time()) + 86400)
    first = slipway.launch(token=token, headers={"idempotency-key": "k"})
    for _ in range(3):
        record_outcome(Service.TOKENS, Outcome.UNREACHABLE)
    later = time.time() + OPEN_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert slipway.launch(token=token).code == "TOKEN_EXISTS"
    assert slipway.launch(token=token, headers={"idempotency-key": "k"}).body == first.body
    _is_the_probe(slipway, token)


def test_of_two_requests_that_both_would_probe_one_does(
    slipway: Installation, half_open: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, others = Transaction.commit, [Transaction()]

    def late(write: Transaction) -> None:
        if others:
            faster = others.pop()
            Gate(Service.TOKENS).enter(faster)
            commit(faster)
        commit(write)

    monkeypatch.setattr(Transaction, "commit", late)
    refused = slipway.launch(token=half_open)
    assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
    assert slipway.executions() == []


def test_outcomes_reported_at_once_are_all_counted(slipway: Installation) -> None:
    for _ in range(3):
        record_outcome(Service.TOKENS, Outcome.SUCCESS)
    record_outcome(Service.TOKENS, Outcome.FAILURE)
    breaker = service_state(Service.TOKENS).breaker
    assert (breaker.successes, breaker.failures) == (3, 1)
    for _ in range(2):
        record_outcome(Service.TOKENS, Outcome.SUCCESS)
    breaker = service_state(Service.TOKENS).breaker
    assert (breaker.successes, breaker.failures) == (5, 1)


@given(
    told=st.lists(st.tuples(st.sampled_from(Outcome), st.floats(0, WINDOW_SECONDS * 0.7)), max_size=25),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_stored_of_the_breaker_is_what_its_rules_say(
    slipway: Installation, told: list[tuple[Outcome, float]]
) -> None:
    """A success that changes nothing is counted without a read: it must come to the same."""
    ServiceState(*("SERVICE#tokens", "STATE")).delete()
    expected, clock = Breaker(), ManualClock()
    for outcome, seconds in told:
        clock.seconds += seconds
        expected = expected.after(outcome, clock.time())
        record_outcome(Service.TOKENS, outcome, clock)
    stored = service_state(Service.TOKENS).breaker
    assert asdict(stored) == pytest.approx(asdict(expected))


def test_a_success_that_changes_nothing_costs_one_write(slipway: Installation) -> None:
    for _ in range(2):
        record_outcome(Service.TOKENS, Outcome.SUCCESS)
    before = service_state(Service.TOKENS)
    asked: list[str] = []
    dispatch = store.connection.dispatch

    def noted(name: str, arguments: Any) -> Any:
        asked.append(name)
        return dispatch(name, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.connection, "dispatch", noted)
        record_outcome(Service.TOKENS, Outcome.SUCCESS)
    assert asked == ["UpdateItem"]
    assert service_state(Service.TOKENS).successes == before.successes + 1


# ── Audit trail ─────────────────────────────────────────────────────────────────────────────────


def _events(slipway: Installation, **query: Any) -> Answer:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return _admin(slipway, "api_admin_audit", query=text)


def _trail(slipway: Installation) -> None:
    slipway.model()
    slipway.launch()
    slipway.launch()
    slipway.launch("unknown", account=BOB)
    slipway.api("api_deployments_create", body={})


def test_the_trail_reports_who_from_where_what_and_how_it_ended(slipway: Installation) -> None:
    _trail(slipway)
    answer = _events(slipway)
    assert answer.status == 200
    assert sorted(entry["outcome"] for entry in answer.body["events"]) == sorted(
        ["AUTH_FAILED", "MODEL_NOT_FOUND", "TOKEN_EXISTS", "accepted"]
    )
    entry = next(entry for entry in answer.body["events"] if entry["outcome"] == "MODEL_NOT_FOUND")
    assert (entry["user"], entry["subject"], entry["source_ip"], entry["action"]) == (
        BOB.address,
        "unknown",
        "203.0.113.7",
        "POST /api/deployments",
    )
    assert entry["request_id"]


def test_the_trail_is_narrowed_by_user_model_and_outcome(slipway: Installation) -> None:
    _trail(slipway)

    def outcomes(**query: Any) -> list[str]:
        return sorted(entry["outcome"] for entry in _events(slipway, **query).body["events"])

    assert outcomes(user=ALICE.address.lower()) == ["TOKEN_EXISTS", "accepted"]
    assert outcomes(model="unknown") == ["MODEL_NOT_FOUND"]
    assert outcomes(outcome="AUTH_FAILED") == ["AUTH_FAILED"]
    assert outcomes(user=ALICE.address, model="sentiment-v2", outcome="accepted") == ["accepted"]
    assert outcomes(user=BOB.address, model="sentiment-v2") == []
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    after = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert _events(slipway, **{"from": tomorrow, "to": after}).body["events"] == []


@pytest.mark.parametrize("narrowed", [{}, {"user": ALICE.address}, {"model": "sentiment-v2"}])
def test_pages_of_the_trail_together_are_the_trail(slipway: Installation, narrowed: dict[str, str]) -> None:
    slipway.model()
    for _ in range(5):
        slipway.launch()
    found, cursor = [], None
    for _ in range(10):
        page = _events(slipway, limit=2, **narrowed, **({"cursor": cursor} if cursor else {})).body
        assert len(page["events"]) <= 2
        found += [entry["request_id"] for entry in page["events"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    whole = [entry["request_id"] for entry in _events(slipway, **narrowed).body["events"]]
    assert found == whole
    assert len(found) == 5
    assert _events(slipway, limit=5, **narrowed).body["next_cursor"] is None
    assert _events(slipway, limit=4, **narrowed).body["next_cursor"]


def test_a_trail_of_days_goes_on_where_a_page_ends_with_a_day(slipway: Installation) -> None:
    for day in (20, 20, 19, 18, 18):
        AuditEvent(
            f"AUDIT#2026-01-{day}",
            f"2026-01-{day}T10:00:00.000Z#{uuid.uuid4().hex}",
            action="POST /api/deployments",
            outcome="accepted",
            created_at=f"2026-01-{day}T10:00:00.000Z",
        ).save()
    days = {"from": "2026-01-17T00:00:00Z", "to": "2026-01-21T00:00:00Z"}
    for limit, pages in ((1, [20, 20, 19, 18, 18]), (2, [20, 20, 19, 18, 18]), (3, [20, 20, 19, 18, 18])):
        found, cursor, asked = [], None, 0
        while True:
            page = _events(slipway, limit=limit, **days, **({"cursor": cursor} if cursor else {})).body
            found += [int(entry["at"][8:10]) for entry in page["events"]]
            asked += 1
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert found == pages
        assert asked == -(-len(pages) // limit)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"user": "alice"}, "user"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-01-01"}, "to"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}, "from"),
        ({"from": "2026-06-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
        ({"to": "0001-01-01T00:00:00Z"}, "to"),
        ({"to": "9999-12-31T23:59:59-23:59"}, "to"),
        ({"from": "9999-12-31T23:59:59-23:59"}, "from"),
        ({"limit": 0}, "limit"),
        ({"cursor": "x"}, "cursor"),
    ],
    ids=str,
)
def test_a_question_that_makes_no_sense_is_refused_with_the_field(
    slipway: Installation, query: dict[str, Any], field: str
) -> None:
    answer = _events(slipway, **query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert {entry["field"] for entry in answer.body["error"]["details"]["fields"]} == {field}


# ── Metrics ─────────────────────────────────────────────────────────────────────────────────────


def test_the_summary_adds_up(slipway: Installation) -> None:
    slipway.model()
    slipway.launch()
    for seconds, outcome in ((10, "completed"), (20, "completed"), (30, "completed"), (99, "DEPLOYMENT_FAILED")):
        job_outcome("token", outcome, seconds, 1000, 5000).save()
    answer = _admin(slipway, "api_admin_metrics", query="service=tokens")
    assert answer.status == 200
    body = answer.body
    assert (body["completed"], body["failed"], body["success_rate"]) == (3, 1, 0.75)
    assert (body["p50_seconds"], body["p95_seconds"]) == (20, 30)
    assert (body["gas_used"], body["total_cost"]) == ("4000", "20000")
    assert body["errors"] == {"DEPLOYMENT_FAILED": 1}
    assert (body["in_flight"], body["paused"], body["truncated"]) == (1, False, False)


def test_the_summary_of_nothing(slipway: Installation) -> None:
    body = _admin(slipway, "api_admin_metrics", query="").body
    assert (body["completed"], body["success_rate"], body["p50_seconds"], body["gas_used"]) == (0, None, None, "0")


class CloudWatch:
    """Answers with one point for each query; the emulator here knows no percentiles."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self.asked: dict[str, Any] = {}

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        stats = [(query["Id"], query["MetricStat"]) for query in asked["MetricDataQueries"]]
        values = {("Count", "Sum"): 2.0, ("5xx", "Sum"): 1.0, ("Latency", "p50"): 20.5, ("Latency", "p95"): 40.0}
        return {
            "MetricDataResults": [
                {"Id": query, "Timestamps": [self._at], "Values": [values[stat["Metric"]["MetricName"], stat["Stat"]]]}
                for query, stat in stats
            ]
        }


def test_a_series_has_jobs_and_requests_by_the_hour(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, outcome in ((10, "completed"), (30, "completed"), (99, "DEPLOYMENT_FAILED")):
        job_outcome("token", outcome, seconds, 1000, 5000).save()
    moment = now()
    hour = moment.replace(minute=0, second=0, microsecond=0)
    cloudwatch = CloudWatch(hour)
    monkeypatch.setattr("slipway.control.series.aws_client", lambda *_: cloudwatch)
    answer = _admin(
        slipway, "api_admin_series", query=f"service=tokens&from={quote(to_text(moment - timedelta(hours=5)))}"
    )
    assert answer.status == 200
    body = answer.body
    assert (body["step"], body["currency"], body["chain_id"], body["truncated"]) == ("hour", "ETH", 31337, False)
    *before, last = body["points"]
    assert len(before) == 5
    assert last["at"] == to_text(hour)
    assert (last["completed"], last["failed"], last["p50_seconds"], last["p95_seconds"]) == (2, 1, 10, 30)
    assert (last["gas_used"], last["total_cost"]) == ("3000", "15000")
    assert (last["requests"], last["server_errors"]) == (2, 1)
    assert (last["p50_milliseconds"], last["p95_milliseconds"]) == (20.5, 40)
    asked = cloudwatch.asked["MetricDataQueries"][0]["MetricStat"]
    assert (asked["Metric"]["Namespace"], asked["Period"]) == ("AWS/ApiGateway", 3600)
    assert asked["Metric"]["Dimensions"] == [{"Name": "ApiId", "Value": "a1b2c3d4e5"}]
    assert cloudwatch.asked["StartTime"] == hour - timedelta(hours=5)
    assert {(point["requests"], point["completed"], point["success_rate"]) for point in before} == {(0, 0, None)}


def test_a_series_by_the_day_begins_at_midnight(slipway: Installation) -> None:
    job_outcome("build", "completed", 10, 1000, 5000).save()
    body = _admin(slipway, "api_admin_series", query="service=builds&step=day").body
    assert {point["at"][10:] for point in body["points"]} == {"T00:00:00.000Z"}
    assert sum(point["completed"] for point in body["points"]) == 1
    assert body["chain_id"] is None


def test_a_series_without_cloudwatch_has_jobs_alone(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://monitoring.test")

    monkeypatch.setattr("slipway.control.series.aws_client", silent)
    job_outcome("token", "completed", 10, 1000, 5000).save()
    last = _admin(slipway, "api_admin_series", query="").body["points"][-1]
    assert (last["completed"], last["requests"], last["p95_milliseconds"]) == (1, None, None)


@pytest.mark.parametrize("query", ["service=boats", "step=minute", "from=2026-01-01T00:00:00Z"])
def test_a_series_of_what_is_none_is_refused(slipway: Installation, query: str) -> None:
    assert _admin(slipway, "api_admin_series", query=query).status in (400, 404)


def _spend(wallet: str, number: int, at: datetime, *, chain_id: int = 31337, cost: int = 10**18) -> None:
    write = Transaction()
    add_gas(
        write,
        Served("token", wallet),
        job_id=f"job-{number}",
        purpose="deploy",
        chain_id=chain_id,
        transaction_hash=f"0x{number:064x}",
        gas=21_000,
        cost=cost,
        signed_at=to_text(at),
    )
    write.commit()


def test_gas_is_summed_by_wallet_chain_and_day_and_never_over_currencies(slipway: Installation) -> None:
    moment = now()
    _spend(ALICE.address, 1, moment - timedelta(days=1), cost=2**80)
    _spend(ALICE.address, 2, moment)
    _spend(ALICE.address, 3, moment, chain_id=7777)
    _spend(BOB.address, 4, moment)
    # Written down again, by one who read it before it was signed again.
    _spend(BOB.address, 4, moment - timedelta(seconds=5))
    _spend(BOB.address, 5, moment - timedelta(days=40))
    body = _admin(slipway, "api_admin_gas").body
    sums = {
        (one["wallet"], cost["chain_id"]): (cost["currency"], cost["transactions"], int(cost["cost"]))
        for one in body["wallets"]
        for cost in one["costs"]
    }
    assert sums == {
        (ALICE.address, 31337): ("ETH", 2, 2**80 + 10**18),
        # A chain that is not configured any more.
        (ALICE.address, 7777): (None, 1, 10**18),
        (BOB.address, 31337): ("ETH", 1, 10**18),
    }
    assert [one["wallet"] for one in body["wallets"]] == [ALICE.address, BOB.address], "most transactions first"
    assert len(body["days"]) == 32
    assert sum(cost["transactions"] for day in body["days"] for cost in day["costs"]) == 4
    assert {row["transaction_hash"][-1] for row in body["transactions"]} == {"1", "2", "3", "4"}
    assert body["transactions"][-1]["transaction_hash"][-1] == "1", "newest first"
    mine = _admin(slipway, "api_admin_gas", query=f"user={BOB.address.lower()}").body
    assert [one["wallet"] for one in mine["wallets"]] == [BOB.address]
    before = quote(to_text(moment - timedelta(hours=12)))
    earlier = _admin(slipway, "api_admin_gas", query=f"to={before}").body
    assert [row["transaction_hash"][-1] for row in earlier["transactions"]] == ["1"]


def test_more_gas_than_is_counted_is_named(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slipway.control.gas._MAX_COUNTED", 3)
    monkeypatch.setattr("slipway.control.gas._MAX_SHOWN", 2)
    for number in range(5):
        _spend(ALICE.address, number, now() - timedelta(hours=13 * number))
    body = _admin(slipway, "api_admin_gas").body
    assert body["truncated"]
    assert body["wallets"][0]["costs"][0]["transactions"] == 3
    assert [row["job_id"] for row in body["transactions"]] == ["job-0", "job-1"]


@pytest.mark.parametrize("query", ["user=alice", "from=2026-01-01T00:00:00Z", "wallet=0x1"])
def test_gas_of_what_makes_no_sense_is_refused(slipway: Installation, query: str) -> None:
    assert _admin(slipway, "api_admin_gas", query=query).code == "VALIDATION_ERROR"


def test_the_summary_of_a_service_that_is_none(slipway: Installation) -> None:
    assert _admin(slipway, "api_admin_metrics", query="service=boats").status == 404


# ── Deployments of all users ────────────────────────────────────────────────────────────────────


def _listed(slipway: Installation, query: str = "") -> list[str]:
    """Return the models of all pages of two, in order."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        body = _admin(slipway, "api_admin_deployments", query=f"limit=2&{query}{more}").body
        assert len(body["deployments"]) <= 2
        found += [entry["model_id"] for entry in body["deployments"]]
        cursor = body["next_cursor"]
    return found


def test_an_administrator_finds_any_deployment(slipway: Installation) -> None:
    for number, account in enumerate((ALICE, BOB, ALICE)):
        slipway.model(f"m{number}", owner=account.address)
        assert slipway.launch(f"m{number}", account=account).status == 202
    assert _listed(slipway) == ["m2", "m1", "m0"]
    assert _listed(slipway, f"user={ALICE.address}") == ["m2", "m0"]
    assert _listed(slipway, "model=m1") == ["m1"]
    assert _listed(slipway, "status=pending") == ["m2", "m1", "m0"]
    assert _listed(slipway, "status=completed") == []
    assert _listed(slipway, "to=2026-01-01T00:00:00Z&from=2025-12-31T00:00:00Z") == []
    (entry,) = _admin(slipway, "api_admin_deployments", query="model=m1").body["deployments"]
    assert (entry["user_address"], entry["kind"], entry["status"]) == (BOB.address, "token", "pending")
    refused = _admin(slipway, "api_admin_deployments", query="cursor=x")
    assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")
