"""Live status and cost of workloads over the simulator of the Console API."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from slipway.akash.status.models import LiveStatus
from slipway.akash.status.service import LiveWorkloads, live_workloads
from slipway.akash.status.store import cache_answer
from tests.support.clock import SkippingClock, patient_seconds
from tests.support.console_simulator import RPC_PORT, Simulator, sdl
from tests.support.functions import event
from tests.support.installation import Installation

WORKLOAD = "0f8fad5b-d9cb-469f-a165-70867728950e"
pytestmark = pytest.mark.usefixtures("console")


def _later(seconds: float) -> LiveWorkloads:
    live = live_workloads()
    live._clock = SkippingClock().restart(seconds)
    return live


def _status(dseq: str, later: float = 0.0) -> LiveStatus:
    began = patient_seconds()
    found = _later(later).status(WORKLOAD, dseq)
    assert patient_seconds() - began < 2
    return found


def test_a_running_workload_is_reported_with_its_addresses_and_cost(slipway: Installation, console: Simulator) -> None:
    dseq = console.ready(sdl(exposes=RPC_PORT)).dseq
    told = _status(dseq)
    assert (told.state, told.stale) == ("active", False)
    assert told.services is not None
    (service,) = told.services
    assert (service.name, service.available, service.total) == ("web", 1, 1)
    (port,) = service.ports
    assert (port.port, port.protocol) == (7072, "TCP")
    assert port.host
    assert 30000 <= port.external_port <= 32767
    (lease,) = told.leases
    assert (lease.state, lease.reachable) == ("active", True)
    assert told.cost is not None
    assert Decimal(told.cost.price_per_block.amount) > 0
    assert Decimal(told.cost.spent.amount) + Decimal(told.cost.balance.amount) == 5_000_000
    assert told.cost.runway_seconds
    assert told.cost.balance.usd


@pytest.mark.parametrize("ports", [{"kind": "null"}, {"kind": "no_host"}])
def test_what_providers_leave_out_is_null(slipway: Installation, console: Simulator, ports: dict[str, Any]) -> None:
    told = _status(console.ready(sdl({"ports": ports}, exposes=RPC_PORT)).dseq)
    assert told.services is not None
    assert [port.host for port in told.services[0].ports] == ([] if ports["kind"] == "null" else [None])


def test_a_provider_that_says_nothing_is_reported(slipway: Installation, console: Simulator) -> None:
    told = _status(console.leased(sdl({"start": {"silent_for": 1000}})).dseq)
    assert told.services is None
    assert [lease.reachable for lease in told.leases] == [False]
    assert told.cost is not None


def test_fifteen_seconds_are_served_from_the_copy(slipway: Installation, console: Simulator) -> None:
    dseq = console.ready().dseq
    _status(dseq)
    console.control(faults=[{"call": "detail", "action": "error"}])
    told = _status(dseq, 14)
    assert told.stale is False
    assert told.age_seconds is not None
    assert 14 <= told.age_seconds < 15


def test_a_slow_upstream_is_waited_for_in_the_background_alone(slipway: Installation, console: Simulator) -> None:
    dseq = console.ready().dseq
    console.control(latency={"detail": 2.5})
    first = _status(dseq)
    assert (first.as_of, first.stale, first.services) == (None, True, None)
    assert slipway.invoked == [{"deployment_id": WORKLOAD, "dseq": dseq}]
    slipway.refresh()
    assert _status(dseq).stale is False
    # Upstream is known to be slow now, so the next reader does not even try.
    began = patient_seconds()
    old = _status(dseq, 60)
    assert patient_seconds() - began < 0.5
    assert old.stale is True
    assert old.age_seconds is not None
    assert old.age_seconds >= 57
    assert len(slipway.invoked) == 1


def test_a_stuck_upstream_holds_nobody(slipway: Installation, console: Simulator) -> None:
    dseq = console.ready().dseq
    _status(dseq)
    console.control(faults=[{"call": "*", "action": "hang"}])
    for _ in range(3):
        told = _status(dseq, 30)
        assert told.stale is True
        assert told.services
    assert len(slipway.invoked) == 1


def test_the_final_cost_of_a_closed_workload_stays(slipway: Installation, console: Simulator) -> None:
    dseq = console.ready().dseq
    console.advance(3600)
    console.api.close_deployment(dseq)
    told = _status(dseq, 10_000)
    assert told.cost is not None
    assert (told.state, told.cost.estimate, told.cost.balance.amount) == ("closed", False, "0")
    assert Decimal(told.cost.spent.amount) == Decimal(console.entry(dseq)["paid"])
    console.control(faults=[{"call": "*", "action": "error"}])
    slipway.invoked.clear()
    later = _status(dseq, 10**7)
    assert (later.cost, later.stale) == (told.cost, False)
    assert slipway.invoked == []


def test_a_copy_from_before_the_end_is_not_good(slipway: Installation, console: Simulator) -> None:
    dseq = console.ready().dseq
    assert _status(dseq).state == "active"
    console.api.close_deployment(dseq)
    assert _status(dseq).state == "active"
    assert live_workloads().status(WORKLOAD, dseq, ended=True).state == "closed"


def test_a_key_that_is_refused_leaves_the_old_copy(slipway: Installation, console: Simulator) -> None:
    dseq = console.ready().dseq
    _status(dseq)
    console.control(faults=[{"call": "*", "action": "unauthorized"}])
    told = _status(dseq, 60)
    assert (told.stale, told.state) == (True, "active")


def test_what_the_workflow_learned_is_kept(slipway: Installation, console: Simulator) -> None:
    dseq = console.ready().dseq
    cache_answer(WORKLOAD, console.api.deployment(dseq), time.time() - 9, time.time())
    console.control(faults=[{"call": "*", "action": "hang"}])
    assert _status(dseq).stale is False
    began = patient_seconds()
    assert _status(dseq, 20).stale is True
    assert patient_seconds() - began < 0.5


def test_whether_a_workload_is_over_is_upstreams_word(slipway: Installation, console: Simulator) -> None:
    dseq = console.ready().dseq
    assert live_workloads().has_ended(WORKLOAD, dseq) is False
    console.http.post(f"/_simulator/deployments/{dseq}/leases/close").raise_for_status()
    assert _later(2).has_ended(WORKLOAD, dseq) is True
    other = console.ready().dseq
    console.control(faults=[{"call": "*", "action": "error"}])
    assert live_workloads().has_ended("another", other) is False


def test_a_refresh_that_fails_fails_nobody(slipway: Installation, console: Simulator) -> None:
    slipway.invoke("RefreshFunction", event("refresh_workload"))
    assert slipway.items("jobs") == []


def test_the_list_of_providers_is_refreshed_by_its_event(slipway: Installation, console: Simulator) -> None:
    slipway.invoke("RefreshFunction", event("refresh_providers"))
    assert {item["pk"] for item in slipway.items("control")} >= {"PROVIDERS"}
