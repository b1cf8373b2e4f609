"""Akash workloads through the deployed template, against the simulated network, with waits scaled."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.stack.launches import Token, account, bearer
from tests.support.waiting import eventually
from tests.support.workloads import sdl_with

QUICK = {"bids": {"delay": 1, "spread": 1}, "start": {"silent_for": 1, "ready_after": 2}}
SETTLED = {"active", "closed", "error"}
END_SECONDS = 120

# What the network does to a workload, and how that ends: (scenario, preferences, status, code, leased).
ENDINGS: dict[str, tuple[dict[str, Any], dict[str, Any], str, str | None, bool]] = {
    "plain": ({}, {}, "active", None, True),
    "no bids": ({"bids": {"none": True}}, {}, "error", "BID_TIMEOUT", False),
    "no audited bids": (
        {"bids": {"from": "unaudited", "timeout": 3000}}, {"auditedOnly": True}, "error", "BID_TIMEOUT", False,
    ),
    "no bid in the region": ({}, {"region": "mars"}, "error", "BID_TIMEOUT", False),
    "bid withdrawn": (
        {"faults": [{"call": "lease", "action": "bid_closed", "times": 1}]}, {}, "active", None, True,
    ),
    "unheard create": (
        {"faults": [{"call": "create", "action": "drop", "performed": True, "times": 1}]}, {}, "active", None, True,
    ),
    "too little credit": (
        {"faults": [{"call": "create", "action": "payment_required"}]}, {}, "error", "PAYMENT_REQUIRED", False,
    ),
    "wallet not ready": (
        {"faults": [{"call": "create", "action": "wallet_provisioning", "times": 3}]}, {}, "active", None, True,
    ),
    "everything unavailable now and then": (
        {"faults": [{"call": call, "action": "unavailable", "times": 2}
                    for call in ("create", "bids", "lease", "detail")]}, {}, "active", None, True,
    ),
    "close not settled": (
        {"bids": {"none": True}, "faults": [{"call": "close", "action": "not_settled", "times": 2}]},
        {}, "error", "BID_TIMEOUT", False,
    ),
    "never ready": ({"start": {"never_ready": True}}, {}, "error", "NOT_READY", True),
}  # fmt: skip


def quick(scenario: dict[str, Any]) -> dict[str, Any]:
    """Return a scenario at a good pace."""
    return {
        **QUICK,
        **scenario,
        "bids": {**QUICK["bids"], **scenario.get("bids", {})},
        "start": {**QUICK["start"], **scenario.get("start", {})},
    }


def deploy(stack: Any, token: Token, scenario: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
    headers = {**bearer(token), **more.pop("headers", {})}
    body = {"sdl": more.pop("text", None) or sdl_with({"id": uuid.uuid4().hex, **quick(scenario or {})}), **more}
    answer: httpx.Response = stack.http.post("/api/deployments", json=body, headers=headers)
    return answer


def read(stack: Any, token: Token, deployment_id: str) -> dict[str, Any]:
    answer = stack.http.get(f"/api/deployments/{deployment_id}", headers=bearer(token))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def settled(stack: Any, token: Token, deployment_id: str, statuses: set[str] | None = None) -> dict[str, Any]:
    return eventually(
        lambda: read(stack, token, deployment_id),
        lambda found: found["status"] in (statuses or SETTLED),
        within=END_SECONDS,
        every=0.5,
    )


def on_network(stack: Any, dseq: str) -> dict[str, Any]:
    ledger = httpx.get(f"{stack.described['console_api']}/_simulator/ledger", timeout=30).json()
    return next(entry for entry in ledger["deployments"] if entry["dseq"] == dseq)


@pytest.fixture(scope="module")
def accepted(stack: Any, user: Token) -> dict[str, str]:
    """Return a workload for each ending, all at once."""

    def post(name: str) -> tuple[str, str]:
        scenario, preferences, *_ = ENDINGS[name]
        # One wallet's requests at the same moment may meet in its counters, and are to be sent again.
        answer = eventually(
            lambda: deploy(stack, user, scenario, preferences=preferences),
            lambda answer: answer.status_code != 409,
            within=END_SECONDS,
            every=lambda answer: int(answer.headers["retry-after"]),
        )
        assert answer.status_code == 202, answer.text
        return name, str(answer.json()["deployment_id"])

    with ThreadPoolExecutor(4) as threads:
        return dict(threads.map(post, ENDINGS))


@pytest.mark.parametrize("name", ENDINGS)
def test_how_a_workload_ends(stack: Any, user: Token, accepted: dict[str, str], name: str) -> None:
    _, _, status, code, leased = ENDINGS[name]
    found = settled(stack, user, accepted[name])
    assert (found["status"], (found["error"] or {}).get("code")) == (status, code), found
    assert next(event["event"] for event in found["events"]) == "pending"
    if found["dseq"]:
        entry = on_network(stack, found["dseq"])
        assert entry["state"] == ("active" if status == "active" else "closed")
        assert bool(entry["leases"]) is leased
    if status == "active":
        assert found["services"]["web"]["available"] == 1
        assert found["services"]["web"]["uris"]


def test_an_active_workload_is_closed_and_proved_closed(stack: Any, user: Token, accepted: dict[str, str]) -> None:
    deployment_id = accepted["plain"]
    dseq = settled(stack, user, deployment_id)["dseq"]
    answer = stack.http.delete(f"/api/deployments/{deployment_id}", headers=bearer(user))
    assert (answer.status_code, answer.json()["status"]) == (202, "active")
    found = settled(stack, user, deployment_id, {"closed"})
    assert found["closed_at"]
    assert on_network(stack, dseq)["state"] == "closed"
    again = stack.http.delete(f"/api/deployments/{deployment_id}", headers=bearer(user))
    assert (again.status_code, again.json()["status"]) == (200, "closed")


@pytest.mark.parametrize("event", ["pending", "created", "leased"])
def test_a_wish_to_close_wins_while_it_is_pending(stack: Any, user: Token, event: str) -> None:
    deployment_id = deploy(stack, user, {"start": {"never_ready": True}}).json()["deployment_id"]
    eventually(
        lambda: [entry["event"] for entry in read(stack, user, deployment_id)["events"]],
        lambda events: event in events,
        within=END_SECONDS,
    )
    assert stack.http.delete(f"/api/deployments/{deployment_id}", headers=bearer(user)).status_code == 202
    found = settled(stack, user, deployment_id)
    assert (found["status"], found["error"]) == ("closed", None)
    if found["dseq"]:
        assert on_network(stack, found["dseq"])["state"] == "closed"


def test_a_lease_that_the_provider_gives_up_is_noticed(stack: Any, user: Token) -> None:
    deployment_id = deploy(stack, user).json()["deployment_id"]
    dseq = settled(stack, user, deployment_id)["dseq"]
    httpx.post(f"{stack.described['console_api']}/_simulator/deployments/{dseq}/leases/close").raise_for_status()
    machines = stack.client("stepfunctions")
    closed = eventually(
        lambda: read(stack, user, deployment_id),
        lambda found: found["status"] == "closed",
        within=END_SECONDS,
        every=3,
        meanwhile=lambda: machines.start_execution(stateMachineArn=stack.outputs["ReconcileArn"]),
    )
    assert closed["close_reason"] == "The provider closed the lease"
    assert on_network(stack, dseq)["state"] == "closed"


def test_many_requests_with_one_key_are_one_workload(stack: Any, user: Token) -> None:
    headers = {"idempotency-key": uuid.uuid4().hex}
    text = sdl_with({"id": uuid.uuid4().hex, **QUICK})
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: deploy(stack, user, text=text, headers=headers), range(8)))
    assert {answer.status_code for answer in answers} == {202}
    (deployment_id,) = {answer.json()["deployment_id"] for answer in answers}
    settled(stack, user, deployment_id)
    ledger = httpx.get(f"{stack.described['console_api']}/_simulator/ledger", timeout=30).json()
    dseq = read(stack, user, deployment_id)["dseq"]
    mine = on_network(stack, dseq)
    assert ledger["manifests"][mine["hash"]] == {"creates": 1, "open": 1, "leased": 1}
    assert (
        deploy(stack, user, text=text, headers=headers, deposit="6").json()["error"]["code"] == "IDEMPOTENCY_MISMATCH"
    )


def test_workloads_and_their_owner(stack: Any, user: Token, accepted: dict[str, str]) -> None:
    stranger = stack.sign_in(account(stack, "user", 1))
    deployment_id = accepted["no bids"]
    for method, path in (("GET", ""), ("GET", "/status"), ("DELETE", "")):
        answer = stack.http.request(method, f"/api/deployments/{deployment_id}{path}", headers=bearer(stranger))
        assert answer.status_code == 404
    listed = stack.http.get("/api/deployments?kind=akash&limit=100", headers=bearer(user)).json()["deployments"]
    assert set(accepted.values()) <= {entry["deployment_id"] for entry in listed}
    assert {entry["kind"] for entry in listed} == {"akash"}
    theirs = stack.http.get("/api/deployments?kind=akash", headers=bearer(stranger)).json()["deployments"]
    assert theirs == []


def test_an_invalid_sdl_and_an_estimate(stack: Any, user: Token) -> None:
    answer = deploy(stack, user, text=sdl_with(services__web__expose__0__port=0))
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "services.web.expose[0].port"
    estimate = stack.http.post("/api/deployments/estimate", json={"sdl": sdl_with()}, headers=bearer(user))
    assert estimate.status_code == 200, estimate.text
    assert estimate.json()["refusals"] == []
    assert float(estimate.json()["usd_per_hour"]) > 0
