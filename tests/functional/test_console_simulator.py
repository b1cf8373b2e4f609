"""The Console API simulator, asked over HTTP by Slipway's own client."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest

from local.console_api.clock import Clock
from local.console_api.keys import DEFAULT_KEY
from local.console_api.market import Market
from local.console_api.server import running
from slipway.akash.console.models import LeaseId
from slipway.akash.rules import created_within, manifest_hash
from slipway.errors import (
    BidClosedError,
    CreateOutcomeUnknownError,
    EscrowNotSettledError,
    InvalidSdlError,
    NotFoundError,
    PaymentRequiredError,
    SlipwayError,
    UpstreamAuthenticationError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
    WalletProvisioningError,
)
from tests.support.clock import patient_seconds
from tests.support.console_simulator import RPC_PORT, Simulator, sdl
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def _url() -> Iterator[str]:
    with running(Market(Clock())) as url:
        yield url


@pytest.fixture
def simulator(_url: str) -> Simulator:
    simulator = Simulator(_url)
    simulator.http.post("/_simulator/reset").raise_for_status()
    return simulator


# ── Keys ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x-api-key": "nonsense"}, 401),
        ({"x-api-key": DEFAULT_KEY.replace("local", "production")}, 401),
        ({"x-api-key": DEFAULT_KEY[:-1] + "g"}, 401),
        ({"authorization": "Bearer e30.e30.e30"}, 401),
        ({"x-api-key": DEFAULT_KEY, "authorization": "Bearer e30.e30.e30"}, 400),
        ({"x-api-key": DEFAULT_KEY}, 200),
    ],
)
def test_whose_key_it_is_is_judged_first(simulator: Simulator, headers: dict[str, str], status: int) -> None:
    assert simulator.http.get("/v1/deployments", headers=headers).status_code == status
    if status != 200:
        assert simulator.http.post("/v1/deployments", headers=headers, content="{").status_code == status
    assert simulator.http.get("/v1/providers").status_code == 200


def test_an_account_sees_its_own_deployments_alone(simulator: Simulator) -> None:
    other = simulator.http.post("/_simulator/accounts", json={"name": "other"}).json()
    stranger = Simulator(simulator.url, other["key"])
    dseq = simulator.created().dseq
    assert stranger.api.active_deployments() == []
    assert stranger.api.bids(dseq) == []
    for call in (stranger.api.deployment, stranger.api.close_deployment):
        with pytest.raises(NotFoundError):
            call(dseq)
    assert [found.dseq for found in simulator.api.active_deployments()] == [dseq]


def test_a_key_that_is_not_known_is_reported_as_such(simulator: Simulator) -> None:
    with pytest.raises(UpstreamAuthenticationError) as caught:
        Simulator(simulator.url, "ac.sk.local." + "0" * 64).created()
    assert "0000" not in str(caught.value)


# ── The way of a deployment ─────────────────────────────────────────────────────────────────────


def test_from_create_to_close(simulator: Simulator) -> None:
    api = simulator.api
    before = time.time_ns() // 1_000_000
    created = simulator.created(sdl(exposes=[*RPC_PORT, {"port": 8080, "as": 80, "to": [{"global": True}]}]))
    assert created_within(created.dseq, before, time.time_ns() // 1_000_000, skew=0)
    assert api.bids(created.dseq) == []
    simulator.advance(5)
    bids = api.bids(created.dseq)
    assert {bid.state for bid in bids} == {"open"}
    audited = {provider.owner for provider in api.providers() if provider.is_audited and provider.is_online}
    assert {bid.id.provider for bid in bids} == audited
    assert len({bid.price.amount for bid in bids}) == len(bids)
    assert {bid.price.denom for bid in bids} == {"uact"}

    chosen = min(bids, key=lambda bid: bid.price.amount)
    leased = api.create_leases(created.manifest, [chosen.id])
    assert leased.deployment.hash == manifest_hash(created.manifest)
    assert leased.leases[0].status is None
    assert {bid.state for bid in api.bids(created.dseq)} == {"active", "lost"}

    simulator.advance(3)
    status = api.deployment(created.dseq).leases[0].status
    assert status is not None
    assert status.services["web"].available_replicas == 0
    simulator.advance(3)
    status = api.deployment(created.dseq).leases[0].status
    assert status is not None
    assert status.services["web"].available_replicas == 1
    assert len(status.services["web"].uris) == 1
    (port,) = status.forwarded_ports["web"]
    assert (port.port, port.proto) == (7072, "TCP")
    assert 30000 <= port.external_port <= 32767

    api.close_deployment(created.dseq)
    api.close_deployment(created.dseq)
    closed = api.deployment(created.dseq)
    assert closed.is_closed
    assert closed.open_leases == []
    assert api.active_deployments() == []


def test_money_moves_by_blocks_and_comes_back(simulator: Simulator) -> None:
    start = simulator.api.balances()
    found = simulator.leased()
    price = found.leases[0].price.amount
    opened = simulator.api.deployment(found.dseq).escrow_account.state
    assert opened.funds[0].amount == 5_000_000
    simulator.advance(600)
    later = simulator.api.deployment(found.dseq).escrow_account.state
    assert later.transferred[0].amount == price * 100
    assert later.funds[0].amount == 5_000_000 - price * 100
    held = simulator.api.balances()
    assert held.balance == start.balance - 5
    assert held.total == pytest.approx(start.total - price / 10_000, abs=Decimal("0.000001"))
    simulator.api.close_deployment(found.dseq)
    simulator.advance(6000)
    assert simulator.api.balances().deployments == 0
    assert simulator.api.balances().balance == held.total
    assert Decimal(simulator.entry(found.dseq)["paid"]) == price * 100


def test_an_escrow_can_run_dry(simulator: Simulator) -> None:
    found = simulator.leased(sdl({"bids": {"price_factor": 1000}}, amount=10**9))
    simulator.advance(10**7)
    dry = simulator.api.deployment(found.dseq)
    assert dry.leases[0].state == "insufficient_funds"
    assert dry.escrow_account.state.state == "overdrawn"
    assert dry.escrow_account.state.funds[0].amount == 0


def test_an_update_keeps_ports_and_changes_the_hash(simulator: Simulator) -> None:
    found = simulator.ready(sdl(exposes=RPC_PORT))
    status = found.leases[0].status
    assert status is not None
    port = status.forwarded_ports["web"][0].external_port
    updated = simulator.api.update_deployment(found.dseq, sdl(exposes=RPC_PORT, env=["A=b"]))
    assert updated.deployment.hash != found.deployment.hash
    simulator.advance(5)
    status = simulator.api.deployment(found.dseq).leases[0].status
    assert status is not None
    assert status.forwarded_ports["web"][0].external_port == port
    assert status.services["web"].observed_generation == 2


def test_ports_are_new_with_every_lease(simulator: Simulator) -> None:
    ports = set()
    for _ in range(3):
        status = simulator.ready(sdl(exposes=RPC_PORT)).leases[0].status
        assert status is not None
        ports.add(status.forwarded_ports["web"][0].external_port)
    assert len(ports) == 3


def test_a_lease_is_taken_once_however_often_it_is_asked_for(simulator: Simulator) -> None:
    created = simulator.created()
    simulator.advance(5)
    first, second, *_ = simulator.api.bids(created.dseq)
    simulator.api.create_leases(created.manifest, [first.id])
    again = simulator.api.create_leases(created.manifest, [second.id])
    assert [lease.id.provider for lease in again.leases] == [first.id.provider]


def test_bids_fit_resources_attributes_and_price(simulator: Simulator) -> None:
    def bidders(text: str) -> set[str]:
        created = simulator.created(text)
        simulator.advance(5)
        names = {provider.owner: provider.organization for provider in simulator.api.providers()}
        return {names[bid.id.provider] for bid in simulator.api.bids(created.dseq)}

    assert bidders(sdl(gpu="a100")) == {"prairie", "cascade"}
    assert bidders(sdl(gpu="mi300")) == set()
    assert bidders(sdl(attributes={"region": "eu-west"})) == {"polder"}
    assert bidders(sdl(amount=1)) == set()


def test_pages_of_the_active_deployments(simulator: Simulator) -> None:
    made = {simulator.created(sdl(env=[f"N={number}"])).dseq for number in range(5)}
    first = simulator.api.deployment_page(0, 3)
    second = simulator.api.deployment_page(3, 3)
    assert (first.pagination.has_more, second.pagination.has_more) == (True, False)
    assert {found.dseq for found in (*first.deployments, *second.deployments)} == made
    plain = simulator.http.get("/v1/deployments?limit=2", headers={"x-api-key": DEFAULT_KEY}).json()["data"]
    assert plain["pagination"] == {"total": 5, "skip": 0, "limit": 2, "hasMore": False}


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "skip=-1"])
def test_a_page_that_makes_no_sense(simulator: Simulator, query: str) -> None:
    answer = simulator.http.get(f"/v1/deployments?{query}", headers={"x-api-key": DEFAULT_KEY})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert answer.json()["data"][0]["path"]


# ── What is refused ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "YAML"),
        ("[]", "should be object"),
        ("services: {}", "Missing required field"),
        (sdl().replace("image: nginx:1.27", "image: ''"), "image"),
        (sdl().replace("global: true", "service: other"), "globally"),
        (sdl().replace("profile: web", "profile: other"), "other"),
        (sdl().replace("size: 512Mi", "size: plenty"), "Invalid size string: plenty"),
        (sdl().replace("units: 0.5", "units: none"), "cpu"),
        (sdl().replace("amount: 100000", "amount: -1"), "amount"),
        (sdl({"bids": {"late": 1}}), "SIMULATOR"),
    ],
)
def test_an_sdl_that_is_none(simulator: Simulator, text: str, words: str) -> None:
    with pytest.raises(InvalidSdlError, match=words):
        simulator.created(text)
    assert simulator.ledger()["deployments"] == []


def test_a_deposit_must_be_there_and_affordable(simulator: Simulator) -> None:
    headers = {"x-api-key": DEFAULT_KEY}
    answer = simulator.http.post("/v1/deployments", json={"data": {"sdl": sdl()}}, headers=headers)
    assert (answer.status_code, answer.json()["message"]) == (400, "deposit is required")
    with pytest.raises(UpstreamRefusedError, match="Deposit too low"):
        simulator.api.create_deployment(sdl(), Decimal("0.1"))
    with pytest.raises(PaymentRequiredError, match=r"9000\.00 USD"):
        simulator.api.create_deployment(sdl(), Decimal(10_000))
    assert simulator.ledger()["deployments"] == []


def test_a_bid_can_be_gone(simulator: Simulator) -> None:
    created = simulator.created()
    simulator.advance(5)
    bid = simulator.api.bids(created.dseq)[0]
    simulator.advance(301)
    assert {bid.state for bid in simulator.api.bids(created.dseq)} == {"closed"}
    with pytest.raises(BidClosedError):
        simulator.api.create_leases(created.manifest, [bid.id])
    assert simulator.entry(created.dseq)["leases"] == []


def test_a_lease_of_nobody(simulator: Simulator) -> None:
    created = simulator.created()
    lease = LeaseId(dseq=created.dseq, provider="akash1" + "q" * 38)
    with pytest.raises(NotFoundError, match="Provider"):
        simulator.api.create_leases(created.manifest, [lease])
    with pytest.raises(NotFoundError):
        simulator.api.create_leases("[]", [LeaseId(dseq="1", provider="akash1" + "q" * 38)])


def test_another_manifest_is_refused_by_the_provider(simulator: Simulator) -> None:
    created = simulator.created()
    simulator.advance(5)
    bid = simulator.api.bids(created.dseq)[0]
    with pytest.raises(UpstreamRefusedError, match="manifest"):
        simulator.api.create_leases("[]", [bid.id])


def test_a_closed_deployment_stays_closed(simulator: Simulator) -> None:
    created = simulator.created()
    simulator.advance(5)
    bid = simulator.api.bids(created.dseq)[0]
    simulator.api.close_deployment(created.dseq)
    with pytest.raises(UpstreamRefusedError, match="closed"):
        simulator.api.create_leases(created.manifest, [bid.id])
    with pytest.raises(UpstreamRefusedError, match="closed"):
        simulator.api.update_deployment(created.dseq, sdl(env=["A=b"]))


# ── Clocks of the network ───────────────────────────────────────────────────────────────────────


def test_a_lease_without_a_manifest_ends(simulator: Simulator) -> None:
    created = simulator.created(sdl({"faults": [{"call": "manifest", "action": "unavailable"}]}))
    simulator.advance(5)
    bid = simulator.api.bids(created.dseq)[0]
    with pytest.raises(UpstreamUnavailableError):
        simulator.api.create_leases(created.manifest, [bid.id])
    assert not simulator.entry(created.dseq)["leases"][0]["has_manifest"]
    assert simulator.api.deployment(created.dseq).open_leases
    simulator.advance(301)
    (lease,) = simulator.api.deployment(created.dseq).leases
    assert (lease.state, lease.reason) == ("closed", "lease_closed_manifest_timeout")


def test_a_manifest_that_was_lost_is_sent_by_the_same_call(simulator: Simulator) -> None:
    created = simulator.created(sdl({"faults": [{"call": "manifest", "action": "unavailable", "times": 1}]}))
    simulator.advance(5)
    bid = simulator.api.bids(created.dseq)[0]
    simulator.api.create_leases(created.manifest, [bid.id])
    entry = simulator.entry(created.dseq)
    assert [lease["has_manifest"] for lease in entry["leases"]] == [True]


def test_the_platform_closes_what_nobody_leases(simulator: Simulator) -> None:
    dseq = simulator.created().dseq
    simulator.advance(601)
    assert simulator.api.deployment(dseq).is_closed
    assert simulator.entry(dseq)["closed_by"] == "platform"


def test_time_can_be_made_to_run(simulator: Simulator) -> None:
    try:
        simulator.control(time_scale=0.004)
        created = simulator.created()
        eventually(lambda: simulator.api.bids(created.dseq))
        eventually(lambda: {bid.state for bid in simulator.api.bids(created.dseq)}, lambda states: states == {"closed"})
    finally:
        simulator.control(time_scale=1)


# ── Controls ────────────────────────────────────────────────────────────────────────────────────


def _bids(simulator: Simulator, scenario: dict[str, Any], after: float) -> list[str]:
    created = simulator.created(sdl({"bids": scenario}))
    simulator.advance(after)
    return [bid.state for bid in simulator.api.bids(created.dseq)]


def test_bids_can_be_late_absent_or_withdrawn(simulator: Simulator) -> None:
    assert _bids(simulator, {"delay": 100}, 99) == []
    assert _bids(simulator, {"delay": 100, "spread": 0}, 101) == ["open"] * 5
    assert _bids(simulator, {"none": True}, 500) == []
    assert _bids(simulator, {"withdraw_after": 20, "spread": 0}, 23) == ["closed"] * 5


@pytest.mark.parametrize(("who", "audited", "online"), [("unaudited", False, True), ("offline", True, False)])
def test_only_providers_of_one_kind_bid(simulator: Simulator, who: str, audited: bool, online: bool) -> None:
    created = simulator.created(sdl({"bids": {"from": who}}))
    simulator.advance(5)
    providers = {provider.owner: provider for provider in simulator.api.providers()}
    (bid,) = simulator.api.bids(created.dseq)
    provider = providers[bid.id.provider]
    assert (provider.is_audited, provider.is_online) == (audited, online)
    if not online:
        with pytest.raises(UpstreamUnavailableError):
            simulator.api.create_leases(created.manifest, [bid.id])


@pytest.mark.parametrize("action", ["drop", "hang"])
@pytest.mark.parametrize("performed", [True, False])
def test_a_create_can_be_ambiguous(simulator: Simulator, action: str, performed: bool) -> None:
    fault = {"call": "create", "action": action, "performed": performed, "times": 1}
    text = sdl({"faults": [fault]})
    with pytest.raises(CreateOutcomeUnknownError) as caught:
        simulator.api.create_deployment(text, Decimal(5), seconds=0.5)
    details = caught.value.details or {}
    active = simulator.api.active_deployments()
    assert len(active) == int(performed)
    for found in active:
        assert created_within(found.dseq, details["asked_at"], details["gave_up_at"], skew=0)
    again = simulator.api.create_deployment(text, Decimal(5))
    if performed:
        assert active[0].deployment.hash == manifest_hash(again.manifest)
        assert simulator.ledger()["manifests"][active[0].deployment.hash] == {"creates": 2, "open": 2, "leased": 0}


@pytest.mark.parametrize("action", ["drop", "hang", "gateway_timeout"])
def test_a_create_can_happen_after_its_caller_has_given_up(simulator: Simulator, action: str) -> None:
    fault = {"call": "create", "action": action, "performed": True, "late": 1.0, "times": 1}
    with pytest.raises(CreateOutcomeUnknownError) as caught:
        simulator.api.create_deployment(sdl({"faults": [fault]}), Decimal(5), seconds=0.3)
    details = caught.value.details or {}
    assert details["answered"] is False
    assert simulator.api.active_deployments() == []
    (found,) = eventually(simulator.api.active_deployments)
    assert created_within(found.dseq, details["asked_at"], details["gave_up_at"], skew=0)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("payment_required", PaymentRequiredError),
        ("wallet_provisioning", WalletProvisioningError),
        ("rate_limited", UpstreamUnavailableError),
        ("challenge", UpstreamUnavailableError),
        ("unavailable", CreateOutcomeUnknownError),
        ("error", CreateOutcomeUnknownError),
        ("database_timeout", CreateOutcomeUnknownError),
        ("malformed", CreateOutcomeUnknownError),
        ("gateway_timeout", CreateOutcomeUnknownError),
        ("unauthorized", UpstreamAuthenticationError),
    ],
)
def test_a_create_can_fail_so_often(simulator: Simulator, action: str, error: type[SlipwayError]) -> None:
    text = sdl({"faults": [{"call": "create", "action": action, "times": 2, "retry_after": 3}]})
    for _ in range(2):
        with pytest.raises(error):
            simulator.created(text)
    assert simulator.ledger()["deployments"] == []
    simulator.created(text)


def test_a_fault_can_be_a_matter_of_chance(simulator: Simulator) -> None:
    fault = {"call": "create", "action": "unavailable", "probability": 0.3}

    def outcomes() -> list[bool]:
        simulator.control(seed=7, faults=[fault])
        found = []
        for number in range(30):
            try:
                simulator.created(sdl(env=[f"N={number}"]))
                found.append(True)
            except CreateOutcomeUnknownError:
                found.append(False)
        return found

    first = outcomes()
    assert 3 <= first.count(False) <= 20
    assert outcomes() == first


def test_a_queued_scenario_is_for_the_next_sdl_and_its_repetitions(simulator: Simulator) -> None:
    simulator.queue(faults=[{"call": "create", "action": "unavailable", "times": 2}])
    first, second = sdl(env=["N=1"]), sdl(env=["N=2"])
    for _ in range(2):
        with pytest.raises(CreateOutcomeUnknownError):
            simulator.created(first)
        simulator.created(second)
    simulator.created(first)


def test_a_scenario_disturbs_nobody_else(simulator: Simulator) -> None:
    simulator.control(bids={"none": True})
    quiet = simulator.created()
    loud = simulator.created(sdl({"bids": {"none": False}}))
    simulator.advance(5)
    assert simulator.api.bids(quiet.dseq) == []
    assert simulator.api.bids(loud.dseq)


def test_status_can_stay_silent_and_services_unready(simulator: Simulator) -> None:
    found = simulator.leased(sdl({"start": {"silent_for": 60}}))
    simulator.advance(59)
    assert simulator.api.deployment(found.dseq).leases[0].status is None
    simulator.advance(2)
    status = simulator.api.deployment(found.dseq).leases[0].status
    assert status is not None
    assert status.services["web"].available_replicas == 1
    found = simulator.leased(sdl({"start": {"never_ready": True}}))
    simulator.advance(3600)
    status = simulator.api.deployment(found.dseq).leases[0].status
    assert status is not None
    assert status.services["web"].available_replicas == 0


@pytest.mark.parametrize(
    ("ports", "hosts"),
    [
        ({"kind": "null"}, []),
        ({"kind": "empty"}, []),
        ({"kind": "no_host"}, [""]),
        ({"kind": "two_candidates", "host": "node.test"}, ["node.test", "node.test"]),
        ({"external": {"7072": 31999}}, ["provider.rheintal.test"]),
    ],
)
def test_forwarded_ports_can_be_reported_wrong(simulator: Simulator, ports: dict[str, Any], hosts: list[str]) -> None:
    found = simulator.ready(sdl({"ports": ports}, exposes=RPC_PORT))
    status = found.leases[0].status
    assert status is not None
    told = status.forwarded_ports.get("web", [])
    assert [port.host for port in told] == hosts
    assert len({port.external_port for port in told}) == len(hosts)
    if ports.get("external"):
        assert told[0].external_port == 31999
    raw = simulator.http.get(f"/v1/deployments/{found.dseq}", headers={"x-api-key": DEFAULT_KEY}).json()
    raw_status = raw["data"]["leases"][0]["status"]
    assert (raw_status["forwarded_ports"] is None) == (ports.get("kind") == "null")


def test_a_provider_can_go_offline(simulator: Simulator) -> None:
    found = simulator.ready()
    address = found.leases[0].id.provider
    simulator.set_online(address, False)
    assert simulator.api.deployment(found.dseq).leases[0].status is None
    assert not simulator.api.providers([address])[0].is_online
    simulator.set_online(address, True)
    assert simulator.api.deployment(found.dseq).leases[0].status is not None


def test_a_provider_can_give_a_lease_up(simulator: Simulator) -> None:
    found = simulator.ready()
    simulator.http.post(f"/_simulator/deployments/{found.dseq}/leases/close").raise_for_status()
    assert simulator.api.deployment(found.dseq).open_leases == []
    assert not simulator.api.deployment(found.dseq).is_closed


def test_a_close_can_need_patience(simulator: Simulator) -> None:
    dseq = simulator.created(sdl({"faults": [{"call": "close", "action": "not_settled", "times": 2}]})).dseq
    for _ in range(2):
        with pytest.raises(EscrowNotSettledError):
            simulator.api.close_deployment(dseq)
        assert not simulator.api.deployment(dseq).is_closed
    simulator.api.close_deployment(dseq)
    assert simulator.api.deployment(dseq).is_closed


def test_calls_can_take_their_time(simulator: Simulator) -> None:
    dseq = simulator.created(sdl({"latency": {"detail": 0.3}})).dseq
    began = time.monotonic()
    simulator.api.deployment(dseq)
    assert time.monotonic() - began >= 0.3
    with pytest.raises(UpstreamUnavailableError):
        simulator.api.deployment(dseq, seconds=0.1)
    began = patient_seconds()
    simulator.api.bids(dseq)
    assert patient_seconds() - began < 0.3


@pytest.mark.parametrize("action", ["unavailable", "rate_limited", "drop", "malformed", "error"])
def test_repeated_calls_get_through(simulator: Simulator, action: str) -> None:
    created = simulator.created()
    simulator.advance(5)
    simulator.control(faults=[{"call": "*", "action": action, "times": 2}])
    bid = simulator.api.bids(created.dseq)[0]
    simulator.control(faults=[{"call": "lease", "action": action, "performed": True, "times": 1}])
    assert len(simulator.api.create_leases(created.manifest, [bid.id]).leases) == 1
    simulator.control(faults=[{"call": "close", "action": action, "performed": True, "times": 1}])
    simulator.api.close_deployment(created.dseq)
    assert simulator.ledger()["open"] == 0


def test_controls_that_make_no_sense_are_refused(simulator: Simulator) -> None:
    for path, body in (("controls", {"fault": []}), ("controls", {"time_scale": 0}), ("controls", [])):
        assert simulator.http.put(f"/_simulator/{path}", json=body).status_code == 400
    assert simulator.http.post("/_simulator/next", content="{").status_code == 400


# ── The ledger ──────────────────────────────────────────────────────────────────────────────────


def test_the_ledger_reports_orphans_and_double_payments(simulator: Simulator) -> None:
    simulator.leased()
    found = simulator.leased()
    orphan = simulator.created(sdl(env=["N=1"]))
    closed = simulator.created(sdl(env=["N=2"]))
    simulator.api.close_deployment(closed.dseq)
    simulator.advance(60)
    ledger = simulator.ledger()
    assert (ledger["open"], ledger["closed"], ledger["leased"]) == (3, 1, 2)
    assert ledger["manifests"][found.deployment.hash] == {"creates": 2, "open": 2, "leased": 2}
    assert ledger["manifests"][manifest_hash(orphan.manifest)] == {"creates": 1, "open": 1, "leased": 0}
    assert Decimal(ledger["paid"]) > 0
    assert simulator.entry(closed.dseq)["closed_by"] == "owner"
    assert simulator.entry(orphan.dseq)["key"] == DEFAULT_KEY


def test_fifty_creates_at_once_are_each_distinguished(simulator: Simulator) -> None:
    def create(number: int) -> str | None:
        with suppress(UpstreamUnavailableError):
            return simulator.created(sdl(env=[f"N={number}"])).dseq
        return None

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda number: eventually(partial(create, number), every=0.01), range(50)))
    assert len(set(made)) == 50
    ledger = simulator.ledger()
    assert ledger["open"] == 50
    assert {entry["creates"] for entry in ledger["manifests"].values()} == {1}


# ── Ports that answer ───────────────────────────────────────────────────────────────────────────


def _endpoint(simulator: Simulator, kind: str) -> tuple[str, str]:
    found = simulator.ready(sdl({"ports": {"serve": kind}}, exposes=RPC_PORT))
    status = found.leases[0].status
    assert status is not None
    (port,) = status.forwarded_ports["web"]
    return found.dseq, f"http://{port.host}:{port.external_port}"


def _answer(url: str) -> httpx.Response | None:
    try:
        return httpx.post(url, json={"action": "version"}, timeout=0.5)
    except httpx.HTTPError:
        return None


def test_a_workload_can_answer_as_a_banano_node(simulator: Simulator) -> None:
    dseq, url = _endpoint(simulator, "banano")
    answer = eventually(lambda: _answer(url))
    assert answer is not None
    assert answer.json()["node_vendor"].startswith("Banano")
    assert httpx.post(url, json={"action": "stop"}).json() == {"error": "Unknown command"}
    simulator.api.close_deployment(dseq)
    eventually(lambda: _answer(url), lambda answer: answer is None)


def test_a_workload_can_answer_nonsense_or_nothing(simulator: Simulator) -> None:
    _, url = _endpoint(simulator, "nonsense")
    answer = eventually(lambda: _answer(url))
    assert answer is not None
    assert answer.text == "It works!"
    _, url = _endpoint(simulator, "silence")
    eventually(lambda: _connects(url))
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, json={"action": "version"}, timeout=0.3)


def _connects(url: str) -> bool:
    try:
        httpx.post(url, timeout=0.2)
    except httpx.ReadTimeout:
        return True
    except httpx.HTTPError:
        return False
    return True


def test_nothing_of_the_simulator_is_left_behind() -> None:
    before = threading.active_count()
    with running() as url:
        assert httpx.get(f"{url}/status").json() == {"status": "ok"}
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/status")
