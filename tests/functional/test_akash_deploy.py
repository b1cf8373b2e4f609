"""Workloads from their request to their end: the functions, the state machine and the simulated network."""

from __future__ import annotations

import json
import time
import uuid
from functools import partial
from typing import Any

import boto3
import pytest

from slipway import settings
from slipway.akash import workflow
from slipway.akash.console import client as console_api
from slipway.akash.console.client import ConsoleApi
from slipway.akash.reconcile import AkashReconcile, Due
from slipway.akash.rules import Step
from slipway.akash.store import find_workload
from slipway.control.breaker import OPEN_SECONDS, Outcome
from slipway.control.store import Service, record_outcome
from slipway.executions import execution_starter, execution_status
from slipway.limits.store import Quota
from slipway.settings import tier_limit
from slipway.store import Transaction
from tests.support.clock import patient_seconds
from tests.support.console_simulator import Simulator
from tests.support.functions import event
from tests.support.installation import AKASH_SECONDS, Answer, Installation
from tests.support.state_machine import StateMachine
from tests.support.steps import Steps
from tests.support.wallets import ADMIN, ALICE, BOB
from tests.support.workloads import UNCERTAIN, put_workload, sdl_with, workload_machine


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Do what the workflow does."""
    return Steps().watch(monkeypatch)


def deploy(slipway: Installation, sdl: str | None = None, **more: Any) -> Answer:
    """POST /api/deployments."""
    parts = {key: more.pop(key) for key in ("headers", "token") if key in more}
    return slipway.api(
        "api_deployments_create", body={"sdl": sdl or sdl_with(), **more}, **{"token": slipway.token(), **parts}
    )


def finish(slipway: Installation, deployment_id: str) -> dict[str, Any]:
    """Run the state machine to its end; the deployment's detail then."""
    workload_machine(slipway).run({"deployment_id": deployment_id})
    return detail(slipway, deployment_id)


def detail(slipway: Installation, deployment_id: str) -> dict[str, Any]:
    answer = slipway.api("api_deployments_detail", token=slipway.token(), path={"id": deployment_id})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def close(slipway: Installation, deployment_id: str, token: str | None = None) -> Answer:
    return slipway.api("api_deployments_close", token=token or slipway.token(), path={"id": deployment_id})


def events(found: dict[str, Any]) -> list[str]:
    return [event["event"] for event in found["events"]]


def accepted(slipway: Installation, scenario: dict[str, Any] | None = None, *env: str, **more: Any) -> str:
    answer = deploy(slipway, sdl_with(scenario, *env), **more)
    assert answer.status == 202, answer.body
    return str(answer.body["deployment_id"])


def sums(simulator: Simulator) -> tuple[int, int, int]:
    """(open, closed, leased) of the ledger."""
    ledger = simulator.ledger()
    return ledger["open"], ledger["closed"], ledger["leased"]


# ── The way there ───────────────────────────────────────────────────────────────────────────────


def test_a_workload_becomes_active(slipway: Installation, simulator: Simulator) -> None:
    answer = deploy(slipway, preferences={"region": "EU-central", "maxPrice": "1"}, deposit="7.5")
    assert answer.status == 202
    deployment_id = answer.body["deployment_id"]
    assert answer.body == {
        "success": True,
        "deployment_id": deployment_id,
        "kind": "akash",
        "status": "pending",
        "services": ["web"],
        "deposit": "7.5",
        "currency": "USD",
        "status_url": f"/api/deployments/{deployment_id}/status",
    }
    (execution,) = slipway.executions(slipway.akash_machine)
    assert execution["name"] == deployment_id
    found = finish(slipway, deployment_id)
    assert found["status"] == "active", found
    (entry,) = simulator.ledger()["deployments"]
    assert (entry["dseq"], entry["state"], entry["deposit"]) == (found["dseq"], "active", "7500000.0")
    assert entry["leases"][0]["provider"] == found["provider"] == found["leases"][0]["provider"]
    assert found["services"]["web"] == {"available": 1, "total": 1, "uris": found["services"]["web"]["uris"]}
    assert found["services"]["web"]["uris"]
    assert float(found["usd_per_hour"]) > 0
    assert found["observed_at"]
    assert events(found) == ["pending", "created", "bid_chosen", "leased", "active"]
    chosen = found["events"][2]["data"]
    assert chosen["chosen"] == [found["provider"]]
    assert any(bid["why_not"] == "is not in EU-central" for bid in chosen["bids"])


def test_the_cheapest_audited_provider_is_taken(slipway: Installation, simulator: Simulator) -> None:
    found = finish(slipway, accepted(slipway))
    names = {entry["address"]: entry["name"] for entry in simulator.http.get("/_simulator/providers").json()}
    assert names[found["provider"]] == "rheintal"


def test_status_and_list_show_both_kinds(slipway: Installation, simulator: Simulator) -> None:
    slipway.model()
    token_id = slipway.launch().body["deployment_id"]
    akash_id = accepted(slipway)
    finish(slipway, akash_id)

    def listed(query: str = "", account: Any = ALICE) -> list[tuple[str, str]]:
        answer = slipway.api("api_deployments_list", token=slipway.token(account), query=query)
        assert answer.status == 200, answer.body
        return [(entry["kind"], entry["deployment_id"]) for entry in answer.body["deployments"]]

    assert listed() == [("akash", akash_id), ("token", token_id)]
    assert listed("kind=token") == [("token", token_id)]
    assert listed("kind=akash") == [("akash", akash_id)]
    assert listed("status=active") == [("akash", akash_id)]
    assert listed("kind=akash&status=closed") == []
    assert listed("status=pending") == [("token", token_id)]
    assert listed(account=BOB) == []
    page = slipway.api("api_deployments_list", token=slipway.token(), query="limit=1").body
    second = slipway.api("api_deployments_list", token=slipway.token(), query=f"limit=1&cursor={page['next_cursor']}")
    assert [entry["deployment_id"] for entry in second.body["deployments"]] == [token_id]
    status = slipway.api("api_deployments_status", token=slipway.token(), path={"id": akash_id})
    assert status.body["status"] == "active"
    assert status.body["kind"] == "akash"
    assert slipway.api("api_deployments_status", token=slipway.token(BOB), path={"id": akash_id}).status == 404


def test_every_placement_gets_a_lease(slipway: Installation, simulator: Simulator) -> None:
    price = {"pricing": {"small": {"denom": "uact", "amount": 10000}}}
    text = sdl_with(profiles__placement__second=price, deployment__web__second={"profile": "small", "count": 2})
    found = finish(slipway, deploy(slipway, text).body["deployment_id"])
    assert found["status"] == "active"
    assert [lease["gseq"] for lease in found["leases"]] == [1, 2]


# ── What is refused ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sdl": sdl_with(services__web__expose__0__port=0)}, "services.web.expose[0].port"),
        ({"sdl": "a: ["}, "sdl"),
        ({"sdl": sdl_with() + " " * 70_000}, "sdl"),
        ({"sdl": 5}, "sdl"),
        ({}, "model_id"),
        ({"sdl": sdl_with(), "model_id": "m"}, "sdl"),
        ({"sdl": sdl_with(), "deposit": "0.1"}, "deposit"),
        ({"sdl": sdl_with(), "deposit": "-1"}, "deposit"),
        ({"sdl": sdl_with(), "deposit": "1e2"}, "deposit"),
        ({"sdl": sdl_with(), "preferences": {"maxPrice": "cheap"}}, "preferences.maxPrice"),
        ({"sdl": sdl_with(), "preferences": {"gpu": "a100"}}, "preferences.gpu"),
        ({"sdl": sdl_with(), "wallet": "0x"}, "wallet"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_created(
    slipway: Installation, simulator: Simulator, body: dict[str, Any], field: str
) -> None:
    for route in ("api_deployments_create", "api_deployments_estimate"):
        answer = slipway.api(route, body=body, token=slipway.token())
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert field in [entry["field"] for entry in answer.body["error"]["details"]["fields"]]
    assert simulator.ledger()["deployments"] == []
    assert slipway.executions(slipway.akash_machine) == []
    assert not [item for item in slipway.items("jobs") if item["pk"].startswith("DEPLOYMENT#")]


def test_a_body_that_is_too_large_is_refused(slipway: Installation, simulator: Simulator) -> None:
    text = sdl_with()
    assert deploy(slipway, text + "\n" + "#" * (65_536 - len(text) - 1)).status == 202
    assert deploy(slipway, "x" * 300_000).code == "PAYLOAD_TOO_LARGE"
    padded = {"model_id": "m", "user_address": "0x" + "1" * 70_000}
    assert slipway.api("api_deployments_create", body=padded, token=slipway.token()).code == "PAYLOAD_TOO_LARGE"


def test_too_little_credit_is_reported_at_once(slipway: Installation, simulator: Simulator) -> None:
    simulator.http.post("/_simulator/accounts", json={"name": "default", "key": simulator.key, "dollars": 3})
    try:
        answer = deploy(slipway)
        assert (answer.status, answer.code) == (402, "PAYMENT_REQUIRED")
        assert "details" not in answer.body["error"]
        assert not any(digit in answer.body["error"]["message"] for digit in "0123456789")
        answer = deploy(slipway, token=slipway.token(ADMIN))
        assert answer.body["error"]["details"] == {"credit": "3", "deposit": "5", "missing": "2"}
        assert deploy(slipway, deposit="2.5").status == 202
        estimate = slipway.api("api_deployments_estimate", body={"sdl": sdl_with()}, token=slipway.token())
        assert [refusal["code"] for refusal in estimate.body["refusals"]] == ["PAYMENT_REQUIRED"]
    finally:
        simulator.http.post("/_simulator/accounts", json={"name": "default", "key": simulator.key, "dollars": 1000})


def test_the_service_can_be_paused_and_has_limits(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slipway.control.store import Service, set_switch

    set_switch(Service.AKASH, paused=True, reason="moving", changed_by="test")
    assert deploy(slipway).code == "SERVICE_PAUSED"
    set_switch(Service.AKASH, paused=False, reason=None, changed_by="test")
    monkeypatch.setenv("AKASH_LIMITS", json.dumps({"standard": {"hour": 2, "day": 5}}))
    settings.tier_limit.cache_clear()
    assert [deploy(slipway).status for _ in range(3)] == [202, 202, 429]
    estimate = slipway.api("api_deployments_estimate", body={"sdl": sdl_with()}, token=slipway.token())
    assert [refusal["code"] for refusal in estimate.body["refusals"]] == ["RATE_LIMIT_EXCEEDED"]
    assert deploy(slipway, token=slipway.token(BOB)).status == 202


def test_one_workload_at_a_time_tries_an_open_breaker_and_a_refused_one_does_not(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = slipway.token(exp=int(time.time()) + 86400)
    for _ in range(3):
        record_outcome(Service.AKASH, Outcome.UNREACHABLE)
    assert deploy(slipway, token=token).code == "SERVICE_PAUSED"
    later = time.time() + OPEN_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setenv("AKASH_LIMITS", '{"standard": {"hour": 1, "day": 1}}')
    tier_limit.cache_clear()
    write = Transaction()
    Quota("workloads", ALICE.address, tier_limit("workloads", "standard")).count_within(write)
    write.commit()
    assert deploy(slipway, token=token).code == "RATE_LIMIT_EXCEEDED"
    monkeypatch.delenv("AKASH_LIMITS")
    tier_limit.cache_clear()
    assert deploy(slipway, token=token).status == 202
    assert deploy(slipway, token=token).code == "SERVICE_PAUSED"


def test_an_idempotency_key_makes_one_workload(slipway: Installation, simulator: Simulator) -> None:
    headers = {"idempotency-key": "one"}
    first, again = (deploy(slipway, headers=headers) for _ in range(2))
    assert first.body == again.body
    assert deploy(slipway, headers=headers, deposit="6").code == "IDEMPOTENCY_MISMATCH"
    assert len(slipway.executions(slipway.akash_machine)) == 1
    finish(slipway, first.body["deployment_id"])
    assert sums(simulator) == (1, 0, 1)


def test_an_estimate_changes_nothing(slipway: Installation, simulator: Simulator) -> None:
    gpu = {"units": 2, "attributes": {"vendor": {"nvidia": [{"model": "a100"}]}}}
    text = sdl_with(profiles__compute__small__resources__gpu=gpu)
    before = slipway.items("jobs")
    answer = slipway.api("api_deployments_estimate", body={"sdl": text}, token=slipway.token())
    assert answer.status == 200, answer.body
    body = answer.body
    assert (body["kind"], body["estimate"], body["refusals"]) == ("akash", True, [])
    assert body["resources"] == {
        "cpu_millicores": 500, "memory_bytes": 2**29, "storage_bytes": 2**30, "gpus": 2,
    }  # fmt: skip
    assert float(body["gpu_usd_per_hour"]) > 1
    assert float(body["usd_per_hour"]) > float(body["gpu_usd_per_hour"])
    assert float(body["usd_per_month"]) == pytest.approx(float(body["usd_per_hour"]) * 730, rel=0.01)
    assert slipway.items("jobs") == before
    assert simulator.ledger()["deployments"] == []


def test_a_gpu_that_no_provider_has_is_refused_at_the_estimate(slipway: Installation, simulator: Simulator) -> None:
    def refusals(model: str) -> list[dict[str, str]]:
        gpu = {"units": 1, "attributes": {"vendor": {"nvidia": [{"model": model}]}}}
        text = sdl_with(profiles__compute__small__resources__gpu=gpu)
        answer = slipway.api("api_deployments_estimate", body={"sdl": text}, token=slipway.token())
        found: list[dict[str, str]] = answer.body["refusals"]
        return found

    (refusal,) = refusals("NVIDIA GB300 NVL72")
    assert refusal["code"] == "VALIDATION_ERROR"
    assert "nvidia/gb300nvl72" in refusal["message"]
    assert "nvidia/a100" in refusal["message"]
    assert refusals("NVIDIA A100-SXM4-80GB") == []


def test_akash_that_is_not_there(slipway: Installation) -> None:
    began = patient_seconds()
    assert deploy(slipway).status == 202
    answer = slipway.api("api_deployments_estimate", body={"sdl": sdl_with()}, token=slipway.token())
    assert (answer.status, answer.code) == (502, "UPSTREAM_UNAVAILABLE")
    assert patient_seconds() - began < 4


@pytest.mark.parametrize("action", ["hang", "drop", "unavailable", "challenge"])
def test_no_request_waits_longer_than_two_seconds(slipway: Installation, simulator: Simulator, action: str) -> None:
    simulator.control(faults=[{"call": "*", "action": action}])
    began = patient_seconds()
    assert deploy(slipway).status == 202
    accepted_after = patient_seconds() - began
    began = patient_seconds()
    answer = slipway.api("api_deployments_estimate", body={"sdl": sdl_with()}, token=slipway.token())
    assert (answer.status, answer.code) == (502, "UPSTREAM_UNAVAILABLE")
    assert max(accepted_after, patient_seconds() - began) < 2


def test_akash_that_is_not_set_up(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    from slipway.akash.service import akash_service

    monkeypatch.setenv("AKASH_API_KEY_SECRET_ARN", "")
    settings.akash_settings.cache_clear()
    akash_service.cache_clear()
    answer = deploy(slipway)
    assert (answer.status, answer.code) == (502, "UPSTREAM_UNAVAILABLE")
    assert "not set up" in answer.body["error"]["message"]
    assert slipway.invoke("ReconcileTasks", event("reconcile_find_workloads")) == {"steps": []}


# ── What goes wrong on Akash ────────────────────────────────────────────────────────────────────


def test_no_bids_in_time(slipway: Installation, simulator: Simulator) -> None:
    began = slipway.clock.now()
    found = finish(slipway, accepted(slipway, {"bids": {"none": True}}))
    assert (found["status"], found["error"]["code"]) == ("error", "BID_TIMEOUT")
    assert slipway.clock.now() - began >= settings.akash_timeouts().bid_timeout
    assert "no bids yet" in found["error"]["message"]
    assert events(found)[-3:] == ["close_sent", "confirmed_closed", "error"]
    assert sums(simulator) == (0, 1, 0)


@pytest.mark.parametrize(
    ("bids", "preferences", "why"),
    [
        ({"from": "unaudited"}, {"auditedOnly": True}, "is not audited"),
        ({"from": "offline"}, {}, "comes from a provider that is offline"),
        ({}, {"gpuType": "H100", "region": "eu-central"}, "is not in eu-central"),
        ({}, {"maxPrice": "0.000001"}, "costs more than 0.000001 USD an hour"),
    ],
)
def test_bids_that_will_not_do(
    slipway: Installation, simulator: Simulator, bids: dict[str, Any], preferences: dict[str, Any], why: str
) -> None:
    found = finish(slipway, accepted(slipway, {"bids": bids}, preferences=preferences))
    assert found["error"]["code"] == "BID_TIMEOUT"
    looked = [event["data"]["bids"] for event in found["events"] if event["event"] == "bids"]
    assert why in {bid["why_not"] for bids in looked for bid in bids}
    assert sums(simulator) == (0, 1, 0)


def test_a_bid_that_is_gone_is_left_for_another(slipway: Installation, simulator: Simulator) -> None:
    found = finish(slipway, accepted(slipway, {"faults": [{"call": "lease", "action": "bid_closed", "times": 1}]}))
    assert found["status"] == "active"
    assert events(found).count("bid_chosen") == 2
    gone, taken = (event["data"]["chosen"] for event in found["events"] if event["event"] == "bid_chosen")
    assert gone != taken
    assert sums(simulator) == (1, 0, 1)


def test_every_bid_is_gone(slipway: Installation, simulator: Simulator) -> None:
    found = finish(slipway, accepted(slipway, {"faults": [{"call": "lease", "action": "bid_closed"}]}))
    assert found["error"]["code"] == "BID_TIMEOUT"
    assert sums(simulator) == (0, 1, 0)


@pytest.mark.parametrize(
    "fault",
    [
        {"call": "lease", "action": "drop", "performed": True, "times": 6},
        {"call": "lease", "action": "unavailable", "times": 6},
        {"call": "manifest", "action": "unavailable", "times": 3},
        {"call": "bids", "action": "unavailable", "times": 6},
        {"call": "providers", "action": "error", "times": 6},
        {"call": "detail", "action": "drop", "times": 6},
        {"call": "create", "action": "wallet_provisioning", "times": 3},
        {"call": "create", "action": "rate_limited", "times": 3},
        {"call": "create", "action": "challenge", "times": 1},
        {"call": "create", "action": "unavailable", "times": 2},
        {"call": "create", "action": "error", "times": 1},
        {"call": "create", "action": "malformed", "times": 1},
    ],
    ids=lambda fault: f"{fault['call']}-{fault['action']}",
)
def test_what_passes_is_waited_for(slipway: Installation, simulator: Simulator, fault: dict[str, Any]) -> None:
    found = finish(slipway, accepted(slipway, {"faults": [fault]}))
    assert found["status"] == "active", found
    assert sums(simulator) == (1, 0, 1)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"call": "create", "action": "payment_required"}, "PAYMENT_REQUIRED"),
        ({"call": "create", "action": "unauthorized"}, "UPSTREAM_UNAVAILABLE"),
        ({"call": "create", "action": "rate_limited"}, "UPSTREAM_UNAVAILABLE"),
        ({"call": "create", "action": "unavailable"}, "UPSTREAM_UNAVAILABLE"),
    ],
)
def test_what_stays_is_reported_and_nothing_is_left_open(
    slipway: Installation, simulator: Simulator, fault: dict[str, Any], code: str
) -> None:
    found = finish(slipway, accepted(slipway, {"faults": [fault]}))
    assert (found["status"], found["error"]["code"]) == ("error", code), found
    assert simulator.ledger()["deployments"] == []


def test_an_sdl_that_akash_refuses(slipway: Installation, simulator: Simulator) -> None:
    text = sdl_with(deployment__web__anywhere__count=500)
    found = finish(slipway, deploy(slipway, text).body["deployment_id"])
    assert (found["status"], found["error"]["code"]) == ("error", "VALIDATION_ERROR")
    assert "count" in found["error"]["message"]


def test_services_that_never_become_available(slipway: Installation, simulator: Simulator) -> None:
    found = finish(slipway, accepted(slipway, {"start": {"never_ready": True}}))
    assert (found["status"], found["error"]["code"]) == ("error", "NOT_READY")
    assert sums(simulator) == (0, 1, 1)


def test_a_provider_that_gives_the_lease_up(slipway: Installation, simulator: Simulator, steps: Steps) -> None:
    def give_up() -> None:
        (entry,) = simulator.ledger()["deployments"]
        simulator.http.post(f"/_simulator/deployments/{entry['dseq']}/leases/close").raise_for_status()

    steps.hooks["akash_deploy:lease", "after"] = give_up
    found = finish(slipway, accepted(slipway, {"start": {"never_ready": True}}))
    assert (found["status"], found["error"]["code"]) == ("error", "LEASE_CLOSED")
    assert sums(simulator) == (0, 1, 1)


@pytest.mark.parametrize("action", ["not_settled", "unavailable", "drop"])
def test_a_close_that_can_not_be_done_yet(slipway: Installation, simulator: Simulator, action: str) -> None:
    scenario = {"bids": {"none": True}, "faults": [{"call": "close", "action": action, "times": 6}]}
    found = finish(slipway, accepted(slipway, scenario))
    assert found["error"]["code"] == "BID_TIMEOUT"
    assert sums(simulator) == (0, 1, 0)


def test_a_deployment_that_is_closed_elsewhere_meanwhile(slipway: Installation, simulator: Simulator) -> None:
    found = finish(slipway, accepted(slipway, {"bids": {"none": True}, "cleaned_after": 100}))
    assert found["status"] == "error"
    assert sums(simulator) == (0, 1, 0)


def test_an_unreachable_provider_does_not_block_closing(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = accepted(slipway)
    found = finish(slipway, deployment_id)
    simulator.set_online(found["provider"], False)
    simulator.control(faults=[{"call": "detail", "action": "drop"}])
    close(slipway, deployment_id)
    assert finish(slipway, deployment_id)["status"] == "closed"
    assert sums(simulator) == (0, 1, 1)


# ── Creates of which nobody knows whether they happened ─────────────────────────────────────────


@pytest.mark.parametrize("action", ["drop", "hang", "unavailable", "malformed"])
@pytest.mark.parametrize("performed", [True, False])
def test_a_create_of_a_known_sdl_is_found_again(
    slipway: Installation, simulator: Simulator, action: str, performed: bool
) -> None:
    text = sdl_with()
    finish(slipway, deploy(slipway, text).body["deployment_id"])
    simulator.control(
        bids={"delay": 1, "spread": 1},
        faults=[{"call": "create", "action": action, "performed": performed, "times": 1}],
    )
    found = finish(slipway, deploy(slipway, text).body["deployment_id"])
    assert found["status"] == "active", found
    assert ("recovered" in events(found)) is performed
    (sums_of_it,) = simulator.ledger()["manifests"].values()
    assert sums_of_it == {"creates": 2, "open": 2, "leased": 2}


@pytest.mark.parametrize("action", ["drop", "hang", "unavailable", "malformed"])
def test_the_first_create_of_an_sdl_is_found_by_its_manifest(
    slipway: Installation, simulator: Simulator, action: str
) -> None:
    fault = {"call": "create", "action": action, "performed": True, "times": 1}
    found = finish(slipway, accepted(slipway, {"faults": [fault]}))
    assert (found["status"], events(found).count("recovered")) == ("active", 1)
    assert sums(simulator) == (1, 0, 1)


def test_fifty_workloads_with_a_fifth_of_the_creates_unheard_are_fifty_deployments(
    slipway: Installation, simulator: Simulator
) -> None:
    fault = {"call": "create", "action": "drop", "performed": True, "probability": 0.2}
    simulator.control(
        bids={"delay": 1, "spread": 1}, start={"silent_for": 1, "ready_after": 1}, seed=17, faults=[fault]
    )
    owner = ALICE.address
    for number in range(50):
        put_workload(str(uuid.UUID(int=number)), owner, sdl_with(None, f"NUMBER={number // 2}"))
    recovered = 0
    for number in range(50):
        found = finish(slipway, str(uuid.UUID(int=number)))
        assert found["status"] == "active"
        recovered += events(found).count("recovered")
    assert recovered > 4
    assert sums(simulator) == (50, 0, 50)
    assert {entry["creates"] for entry in simulator.ledger()["manifests"].values()} == {2}


@pytest.mark.parametrize("action", ["drop", "unavailable"])
def test_what_a_create_made_unheard_is_closed_if_its_manifest_is_not_known(
    slipway: Installation, simulator: Simulator, action: str
) -> None:
    fault = {"call": "create", "action": action, "performed": True, "times": 1}
    deployment_id = deploy(slipway, sdl_with({"faults": [fault]}, **UNCERTAIN)).body["deployment_id"]
    found = finish(slipway, deployment_id)
    assert found["status"] == "active"
    assert sums(simulator) == (2, 0, 1)
    reconcile(slipway, wait=OLD_ENOUGH)
    assert sums(simulator) == (1, 1, 1)
    assert next(entry for entry in simulator.ledger()["deployments"] if entry["dseq"] == found["dseq"])["leases"]


def test_creates_that_are_never_heard_of_end(slipway: Installation, simulator: Simulator) -> None:
    fault = {"call": "create", "action": "drop", "performed": True}
    text = sdl_with({"faults": [fault]}, **UNCERTAIN)
    found = finish(slipway, deploy(slipway, text).body["deployment_id"])
    assert (found["status"], found["error"]["code"]) == ("error", "UPSTREAM_UNAVAILABLE")
    assert sums(simulator)[0] == 3
    reconcile(slipway, wait=OLD_ENOUGH)
    assert sums(simulator) == (0, 3, 0)


def test_a_deployment_is_never_adopted_twice(slipway: Installation, simulator: Simulator) -> None:
    text = sdl_with()
    first = finish(slipway, deploy(slipway, text).body["deployment_id"])
    simulator.control(
        bids={"delay": 1, "spread": 1},
        faults=[{"call": "create", "action": "drop", "performed": True, "probability": 0.5}],
        seed=7,
    )
    ids = [deploy(slipway, text).body["deployment_id"] for _ in range(8)]
    found = [first, *(finish(slipway, deployment_id) for deployment_id in ids)]
    dseqs = [entry["dseq"] for entry in found if entry["dseq"]]
    assert len(set(dseqs)) == len(dseqs)
    reconcile(slipway, wait=OLD_ENOUGH)
    still_open = {entry["dseq"] for entry in simulator.ledger()["deployments"] if entry["state"] == "active"}
    assert still_open == {entry["dseq"] for entry in found if entry["status"] == "active"}
    assert sums(simulator)[2] == len(still_open)


class _Death(BaseException):
    """The function's process ends, whatever it would have caught."""


# What Step Functions calls that.
_TIMED_OUT = type("Sandbox.Timedout", (Exception,), {})
# Where a process dies, once: what it would have called next, whether it still does, and how many creates that costs of
# an SDL whose manifest is known, and of one whose manifest nobody can tell.
DEATHS = {
    "before the create is sent": ("slipway.akash.console.client.ConsoleApi.create_deployment", False, 1, 1),
    "when the create was sent": ("slipway.akash.console.client.ConsoleApi.create_deployment", True, 1, 2),
    "when the manifest was kept": ("slipway.akash.workflow.keep_manifest", True, 1, 1),
    "when the bids were read": ("slipway.akash.console.client.ConsoleApi.bids", True, 1, 1),
    "when the lease was taken": ("slipway.akash.console.client.ConsoleApi.create_leases", True, 1, 1),
    "when the status was read": ("slipway.akash.console.client.ConsoleApi.deployment", True, 1, 1),
}


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
@pytest.mark.parametrize("death", DEATHS)
def test_a_process_that_dies_in_the_middle_of_a_task(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, death: str, known: bool
) -> None:
    target, performed, creates_known, creates_new = DEATHS[death]
    text = sdl_with(**({} if known else UNCERTAIN))
    if known:
        finish(slipway, deploy(slipway, text).body["deployment_id"])
    module, _, name = target.rpartition(".")
    place: Any = ConsoleApi if module.endswith("ConsoleApi") else workflow
    original: Any = getattr(place, name)
    died: list[str] = []

    def dying(*arguments: Any, **more: Any) -> Any:
        if died:
            return original(*arguments, **more)
        died.append(name)
        if performed:
            original(*arguments, **more)
        raise _Death

    monkeypatch.setattr(place, name, dying)

    def invoke(payload: dict[str, Any]) -> Any:
        try:
            return slipway.invoke("AkashDeployTasks", payload)
        except _Death:
            raise _TIMED_OUT from None

    deployment_id = deploy(slipway, text).body["deployment_id"]
    StateMachine("akash_deploy", invoke, slipway.clock.advance).run({"deployment_id": deployment_id})
    assert died
    found = detail(slipway, deployment_id)
    assert found["status"] == "active", found
    (told,) = simulator.ledger()["manifests"].values()
    assert told["creates"] == (1 + creates_known if known else creates_new)
    assert told["leased"] == (2 if known else 1)
    reconcile(slipway, wait=OLD_ENOUGH)
    assert sums(simulator)[0] == told["leased"]


def test_a_process_that_dies_while_it_closes(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = ConsoleApi.close_deployment
    died: list[bool] = []

    def dying(*arguments: Any, **more: Any) -> Any:
        original(*arguments, **more)
        if not died:
            died.append(True)
            raise _Death

    monkeypatch.setattr(ConsoleApi, "close_deployment", dying)

    def invoke(payload: dict[str, Any]) -> Any:
        try:
            return slipway.invoke("AkashDeployTasks", payload)
        except _Death:
            raise _TIMED_OUT from None

    deployment_id = accepted(slipway, {"bids": {"none": True}})
    StateMachine("akash_deploy", invoke, slipway.clock.advance).run({"deployment_id": deployment_id})
    assert detail(slipway, deployment_id)["error"]["code"] == "BID_TIMEOUT"
    assert sums(simulator) == (0, 1, 0)


# ── The owner closes it ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", [Step.CREATE, Step.RECOVER, Step.COLLECT, Step.LEASE, Step.READY])
def test_the_owners_wish_wins_over_every_step(
    slipway: Installation, simulator: Simulator, steps: Steps, step: Step, when: str
) -> None:
    text = sdl_with()
    finish(slipway, deploy(slipway, text).body["deployment_id"])
    unheard = step is Step.RECOVER
    faults = [{"call": "create", "action": "drop", "performed": True, "times": 1}] if unheard else []
    simulator.control(bids={"delay": 1, "spread": 1}, faults=faults)
    deployment_id = deploy(slipway, text).body["deployment_id"]
    asked = []
    steps.hooks[f"akash_deploy:{step}", when] = lambda: asked.append(close(slipway, deployment_id))
    workload_machine(slipway).run({"deployment_id": deployment_id})
    (answer,) = asked
    found = detail(slipway, deployment_id)
    if found["status"] == "active":  # the wish came after its last look; an execution of its own serves it
        assert step is Step.READY
        assert len(slipway.executions(slipway.akash_machine)) == 3
        found = finish(slipway, deployment_id)
    assert answer.status == 202
    assert answer.body["close_requested_at"]
    assert (found["status"], found["close_reason"], found["error"]) == ("closed", "The owner closed it", None)
    assert sums(simulator)[0] == 1


def test_an_active_workload_is_closed(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = accepted(slipway)
    finish(slipway, deployment_id)
    assert close(slipway, deployment_id, slipway.token(BOB)).status == 404
    first, again = close(slipway, deployment_id), close(slipway, deployment_id)
    assert (first.status, again.status) == (202, 202)
    assert first.body["status"] == again.body["status"] == "active"
    assert first.body["close_requested_at"] == again.body["close_requested_at"]
    names = {execution["name"] for execution in slipway.executions(slipway.akash_machine)}
    assert names == {deployment_id, f"{deployment_id}-2"}
    found = finish(slipway, deployment_id)
    assert found["status"] == "closed"
    assert found["closed_at"]
    assert found["services"] == {}
    after = close(slipway, deployment_id)
    assert (after.status, after.body["status"]) == (200, "closed")
    assert sums(simulator) == (0, 1, 1)


def test_a_wish_during_a_failure_makes_it_closed(slipway: Installation, simulator: Simulator, steps: Steps) -> None:
    deployment_id = accepted(slipway, {"bids": {"none": True}})
    steps.hooks["akash_deploy:close", "before"] = lambda: close(slipway, deployment_id)
    workload_machine(slipway).run({"deployment_id": deployment_id})
    assert detail(slipway, deployment_id)["status"] == "closed"


# ── Reconcile ───────────────────────────────────────────────────────────────────────────────────


# How old an orphan is: nothing of a create is under way any more.
OLD_ENOUGH = 2 * AKASH_SECONDS["CREATE"] + 1


def reconciler(slipway: Installation) -> AkashReconcile:
    arn = slipway.akash_machine
    starter, status = execution_starter(arn), partial(execution_status, arn)
    return AkashReconcile(console_api.console_api, settings.akash_timeouts(), starter, status, slipway.clock)


def reconcile(slipway: Installation, wait: float = 0.0) -> Due:
    """Do what one run does for Akash."""
    slipway.clock.advance(wait)
    with slipway.acting_as("ReconcileTasks"):
        found = reconciler(slipway).find()
        for deployment_id in found.deployment_ids:
            reconciler(slipway).reconcile_job(deployment_id)
        for dseq in found.orphans:
            reconciler(slipway).close_orphan(dseq)
    return found


def overdue(deployment_id: str) -> None:
    from slipway.akash.store import AkashDeployment

    deployment = find_workload(deployment_id)
    assert deployment
    deployment.update(actions=[AkashDeployment.open_until.set("2020-01-01T00:00:00.000Z")])


def test_a_workload_whose_execution_never_began_is_started(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = accepted(slipway)
    assert reconcile(slipway).deployment_ids == []
    overdue(deployment_id)
    assert reconcile(slipway).deployment_ids == [deployment_id]
    assert len(slipway.executions(slipway.akash_machine)) == 1
    (execution,) = slipway.executions(slipway.akash_machine)
    boto3.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    overdue(deployment_id)
    reconcile(slipway)
    names = {execution["name"] for execution in slipway.executions(slipway.akash_machine)}
    assert names == {deployment_id, f"{deployment_id}-2"}
    assert finish(slipway, deployment_id)["status"] == "active"


@pytest.mark.parametrize("how", ["deployment", "lease", "nothing"])
def test_a_lease_that_was_lost_is_noticed(slipway: Installation, simulator: Simulator, how: str) -> None:
    deployment_id = accepted(slipway)
    found = finish(slipway, deployment_id)
    if how == "deployment":
        simulator.api.close_deployment(found["dseq"])
    elif how == "lease":
        simulator.http.post(f"/_simulator/deployments/{found['dseq']}/leases/close").raise_for_status()
    due = reconcile(slipway, wait=0.01)
    if how == "nothing":
        assert due.deployment_ids == []
        assert detail(slipway, deployment_id)["status"] == "active"
        return
    assert due.deployment_ids == [deployment_id]
    ended = finish(slipway, deployment_id)
    assert ended["status"] == "closed"
    assert (
        ended["close_reason"]
        == {
            "deployment": "The deployment was closed on Akash",
            "lease": "The provider closed the lease",
        }[how]
    )
    assert sums(simulator) == (0, 1, 1)


def test_a_deployment_of_nobodys_is_closed_when_it_is_old_enough(slipway: Installation, simulator: Simulator) -> None:
    young = simulator.created(sdl_with()).dseq
    assert reconcile(slipway).orphans == []
    assert reconcile(slipway, wait=OLD_ENOUGH).orphans == [young]
    assert simulator.entry(young)["state"] == "closed"
    assert reconcile(slipway).orphans == []


def test_a_deployment_with_a_lease_is_never_taken_for_an_orphan(slipway: Installation, simulator: Simulator) -> None:
    finish(slipway, accepted(slipway))
    simulator.ready(sdl_with())
    assert reconcile(slipway, wait=OLD_ENOUGH).orphans == []
    assert sums(simulator) == (2, 0, 2)


def test_a_deployment_that_a_workload_owns_is_not_an_orphan(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = accepted(slipway)
    slipway.invoke("AkashDeployTasks", {"deployment_id": deployment_id})
    assert reconcile(slipway, wait=OLD_ENOUGH).orphans == []
    dseq = detail(slipway, deployment_id)["dseq"]
    assert reconciler(slipway).close_orphan(dseq) == "owned"
    assert simulator.entry(dseq)["state"] == "active"


# ── The administrator ───────────────────────────────────────────────────────────────────────────


def test_the_administrator_sees_how_workloads_do(slipway: Installation, simulator: Simulator) -> None:
    finish(slipway, accepted(slipway))
    finish(slipway, accepted(slipway, {"bids": {"none": True}}))
    accepted(slipway)
    found = slipway.api("api_admin_metrics", token=slipway.token(ADMIN), query="service=akash").body
    assert (found["completed"], found["failed"], found["in_flight"]) == (1, 1, 1)
    assert found["errors"] == {"BID_TIMEOUT": 1}
    outcomes = [event["outcome"] for event in slipway.audit() if event["action"] == "akash_deploy"]
    assert sorted(outcomes) == ["BID_TIMEOUT", "completed"]


# ── Secrets ─────────────────────────────────────────────────────────────────────────────────────


def test_what_a_workload_keeps_secret_is_shown_nowhere(
    slipway: Installation, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment_id = accepted(slipway, None, "PASSWORD=correct-horse-battery")
    found = finish(slipway, deployment_id)
    listed = slipway.api("api_deployments_list", token=slipway.token()).body
    written = capsys.readouterr()
    for text in (json.dumps(found), json.dumps(listed), written.out, written.err, repr(slipway.items("control"))):
        assert "correct-horse-battery" not in text
        assert simulator.key not in text
    assert "correct-horse-battery" not in repr(slipway.items("jobs"))
