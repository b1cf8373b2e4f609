"""The half-open breaker of the Akash service: one workload is its probe, and what becomes of it decides."""

from __future__ import annotations

import time
from typing import Any

import pytest

from slipway.control.breaker import OPEN_SECONDS, PROBE_SECONDS, Decision, Outcome
from slipway.control.store import Gate, Service, ServiceState, record_outcome, service_state
from slipway.store import Transaction
from tests.functional.test_akash_deploy import close, deploy, finish
from tests.support.console_simulator import Simulator
from tests.support.installation import Installation
from tests.support.workloads import sdl_with

UNAVAILABLE = {"faults": [{"call": "create", "action": "unavailable"}]}


@pytest.fixture(autouse=True)
def _half_open(slipway: Installation, simulator: Simulator) -> None:
    for _ in range(3):
        record_outcome(Service.AKASH, Outcome.UNREACHABLE)
    assert deploy(slipway).code == "SERVICE_PAUSED"
    _passes("open_until")


def _passes(name: str) -> None:
    """End the time that the breaker waits for."""
    state = service_state(Service.AKASH)
    state.update([getattr(ServiceState, name).set(time.time() - 1)])


def _decision() -> Decision:
    return service_state(Service.AKASH).breaker.decide(time.time())


def _probe(slipway: Installation, scenario: dict[str, Any] | None = None) -> str:
    answer = deploy(slipway, sdl_with(scenario))
    assert answer.status == 202, answer.body
    refused = deploy(slipway)
    assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
    assert 1 <= int(refused.headers["retry-after"]) <= PROBE_SECONDS
    return str(answer.body["deployment_id"])


def test_a_probe_that_becomes_active_closes_it(slipway: Installation) -> None:
    assert finish(slipway, _probe(slipway))["status"] == "active"
    assert _decision() is Decision.ACCEPT
    assert [deploy(slipway).status for _ in range(2)] == [202, 202]


def test_a_probe_that_fails_because_of_akash_opens_it_again(slipway: Installation) -> None:
    found = finish(slipway, _probe(slipway, UNAVAILABLE))
    assert (found["status"], found["error"]["code"]) == ("error", "UPSTREAM_UNAVAILABLE")
    assert _decision() is Decision.REFUSE
    refused = deploy(slipway)
    assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
    assert PROBE_SECONDS > OPEN_SECONDS >= int(refused.headers["retry-after"]) > 1
    _passes("open_until")
    assert finish(slipway, _probe(slipway))["status"] == "active"
    assert _decision() is Decision.ACCEPT


def test_a_probe_that_says_nothing_of_akash_makes_room_for_another(slipway: Installation) -> None:
    deployment_id = _probe(slipway)
    assert close(slipway, deployment_id).status == 202
    assert finish(slipway, deployment_id)["status"] == "closed"
    assert _decision() is Decision.REFUSE
    _passes("probe_until")
    _probe(slipway)


def test_of_two_requests_that_both_would_probe_one_does(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, others = Transaction.commit, [Transaction()]

    def late(write: Transaction) -> None:
        if others:
            faster = others.pop()
            Gate(Service.AKASH).enter(faster)
            commit(faster)
        commit(write)

    monkeypatch.setattr(Transaction, "commit", late)
    refused = deploy(slipway)
    assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
    assert slipway.executions(slipway.akash_machine) == []


def test_a_replay_is_answered_and_is_no_probe(slipway: Installation) -> None:
    headers = {"idempotency-key": "probe"}
    first = deploy(slipway, headers=headers)
    assert first.status == 202
    again = deploy(slipway, headers=headers)
    assert (again.status, again.body) == (202, first.body)
    assert len(slipway.executions(slipway.akash_machine)) == 1


def test_an_estimate_reports_it_and_is_no_probe(slipway: Installation) -> None:
    before = service_state(Service.AKASH).breaker
    answer = slipway.api("api_deployments_estimate", body={"sdl": sdl_with()}, token=slipway.token())
    assert (answer.status, answer.body["refusals"]) == (200, [])
    assert service_state(Service.AKASH).breaker == before
    _probe(slipway)
    answer = slipway.api("api_deployments_estimate", body={"sdl": sdl_with()}, token=slipway.token())
    assert [refusal["code"] for refusal in answer.body["refusals"]] == ["SERVICE_PAUSED"]
