"""Limits, switches, the audit trail and the metrics summary, through HTTP."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.stack.launches import Token, account, bearer, ended, launch, new_model


def test_five_launches_an_hour_even_when_asked_at_once(stack: Any, admin: Token) -> None:
    """Eight requests race; the window lets exactly five through. Refused requests and replays do not count."""
    limited = account(stack, "user", -1)
    token = stack.sign_in(limited)
    for _ in range(3):
        assert launch(stack, token, "no-such-model", limited["address"]).status_code == 404
    models = [new_model(stack, admin, limited["address"]) for _ in range(8)]

    def ask(model_id: str) -> Any:
        return stack.http.post(
            "/api/deployments",
            json={"model_id": model_id, "user_address": limited["address"]},
            headers={**bearer(token), "idempotency-key": model_id},
        )

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, models))
    assert sorted(answer.status_code for answer in answers) == [202] * 5 + [429] * 3, [a.text for a in answers]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert refused.headers["ratelimit-limit"] == "5"
    assert refused.headers["ratelimit-remaining"] == "0"
    assert 3000 < int(refused.headers["retry-after"]) <= 3600
    assert refused.headers["ratelimit-reset"] == refused.headers["retry-after"]
    accepted = next(model for model, answer in zip(models, answers, strict=True) if answer.status_code == 202)
    assert ask(accepted).status_code == 202, "a replay is answered as before"
    estimate = stack.http.post(
        "/api/deployments/estimate",
        json={"model_id": models[0], "user_address": limited["address"]},
        headers=bearer(token),
    )
    assert "RATE_LIMIT_EXCEEDED" in {refusal["code"] for refusal in estimate.json()["refusals"]}
    for answer in answers:
        if answer.status_code == 202:
            assert ended(stack, token, answer.json()["deployment_id"])["status"] == "completed"


def test_a_paused_service_finishes_what_runs_and_takes_nothing_new(
    stack: Any, admin: Token, user: Token, owner: str
) -> None:
    running_model, new = new_model(stack, admin, owner), new_model(stack, admin, owner)
    key = {**bearer(user), "idempotency-key": str(uuid.uuid4())}
    body = {"model_id": running_model, "user_address": owner}
    running = stack.http.post("/api/deployments", json=body, headers=key).json()
    stack.http.post("/api/admin/tokens/pause", json={"reason": "moving nodes"}, headers=bearer(admin))
    try:
        refused = launch(stack, user, new, owner)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "SERVICE_PAUSED")
        assert "moving nodes" in refused.json()["error"]["message"]
        assert int(refused.headers["retry-after"]) > 0
        assert stack.http.post("/api/deployments", json=body, headers=key).json() == running
        assert ended(stack, user, running["deployment_id"])["status"] == "completed"
    finally:
        stack.http.post("/api/admin/tokens/resume", json={"reason": "moved"}, headers=bearer(admin))
    assert launch(stack, user, new, owner).status_code == 202


def test_only_known_services_by_administrators(stack: Any, admin: Token, user: Token) -> None:
    body = {"reason": "x"}
    unknown = stack.http.post("/api/admin/toys/pause", json=body, headers=bearer(admin))
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "NOT_FOUND")
    for method, path in (
        ("POST", "/api/admin/tokens/pause"),
        ("POST", "/api/admin/tokens/resume"),
        ("GET", "/api/admin/audit"),
        ("GET", "/api/admin/metrics"),
    ):
        answer = stack.http.request(method, path, json=body, headers=bearer(user))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_the_trail_reports_every_attempt_and_can_be_searched(stack: Any, admin: Token, user: Token, owner: str) -> None:
    # The trail is every test's; this one looks at what happened since it began.
    began = {"from": _moment(time.time() - 1)}
    model_id = new_model(stack, admin, owner)
    accepted = launch(stack, user, model_id, owner)
    refused = launch(stack, user, model_id, owner)
    assert (accepted.status_code, refused.status_code) == (202, 409)
    assert ended(stack, user, accepted.json()["deployment_id"])["status"] == "completed"

    def found(filters: dict[str, str], limit: int = 50) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        cursor = None
        for _ in range(100):
            parameters = {**filters, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
            answer = stack.http.get("/api/admin/audit", params=parameters, headers=bearer(admin))
            assert answer.status_code == 200, answer.text
            page = answer.json()
            events += page["events"]
            cursor = page["next_cursor"]
            if not cursor:
                return events
        raise AssertionError("the pages never end")

    by_model = found({"model": model_id}, limit=3)
    assert [(event["action"], event["outcome"]) for event in by_model] == [
        ("token_deploy", "completed"),
        ("POST /api/deployments", "TOKEN_EXISTS"),
        ("POST /api/deployments", "accepted"),
        ("PUT /api/admin/models/{id}", "accepted"),
    ]
    attempts = [event for event in by_model if event["action"] == "POST /api/deployments"]
    assert {event["user"] for event in attempts} == {owner}
    assert all(event["source_ip"] and event["request_id"] for event in attempts)
    assert [event["outcome"] for event in found({"model": model_id, "outcome": "TOKEN_EXISTS"})] == ["TOKEN_EXISTS"]
    by_user = found({"user": owner, **began}, limit=2)
    assert {event["request_id"] for event in attempts} <= {event["request_id"] for event in by_user}
    assert {event["user"] for event in by_user} == {owner}
    assert by_user == sorted(by_user, key=lambda event: event["at"], reverse=True)
    everything = found(began, limit=3)
    assert set(map(str, everything)) <= set(map(str, found(began)))
    assert len(everything) == len({(event["at"], event["request_id"], event["outcome"]) for event in everything})
    assert set(map(str, by_model)) <= set(map(str, everything))
    late = _moment(time.time() + 3600)
    assert found({"from": late, "to": late}) == []


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "0"},
        {"limit": "x"},
        {"user": "0x12"},
        {"from": "yesterday"},
        {"from": "2026-01-01"},
        {"cursor": "e30"},
    ],
)
def test_a_search_that_makes_no_sense(stack: Any, admin: Token, parameters: dict[str, str]) -> None:
    answer = stack.http.get("/api/admin/audit", params=parameters, headers=bearer(admin))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_the_summary_counts_what_ended(stack: Any, admin: Token, user: Token, owner: str) -> None:
    before = stack.http.get("/api/admin/metrics", headers=bearer(admin)).json()
    status = ended(stack, user, launch(stack, user, new_model(stack, admin, owner), owner).json()["deployment_id"])
    after = stack.http.get("/api/admin/metrics", headers=bearer(admin)).json()
    assert after["completed"] >= before["completed"] + 1
    assert int(after["gas_used"]) - int(before["gas_used"]) >= int(status["gas_used"])
    assert int(after["total_cost"]) - int(before["total_cost"]) >= int(status["total_cost"])
    assert 0 < after["p50_seconds"] <= after["p95_seconds"]
    assert 0 < after["success_rate"] <= 1
    assert after["completed"] + after["failed"] == after["completed"] + sum(after["errors"].values())
    assert after["in_flight"] >= 0
    assert after["paused"] is False
