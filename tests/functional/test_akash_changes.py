"""Changes of a running workload: another SDL, a name, more money; and what stays of one that is closed."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from slipway import reconcile
from slipway.akash.console.client import ConsoleApi
from slipway.akash.status import service as live
from slipway.akash.store import find_workload
from slipway.errors import CreateOutcomeUnknownError, UpstreamRefusedError
from tests.functional.test_akash_deploy import accepted, close, deploy, detail, events, finish, sums
from tests.support.console_simulator import Simulator
from tests.support.installation import Answer, Installation
from tests.support.wallets import ADMIN, BOB
from tests.support.workloads import sdl_with, workload_machine

PRICE = "profiles__placement__anywhere__pricing__small__amount"


def put(slipway: Installation, deployment_id: str, sdl: str, **more: Any) -> Answer:
    body = {"sdl": sdl, **more}
    return slipway.api("api_deployments_update", token=slipway.token(), path={"id": deployment_id}, body=body)


def patch(slipway: Installation, deployment_id: str, **body: Any) -> Answer:
    return slipway.api("api_deployments_patch", token=slipway.token(), path={"id": deployment_id}, body=body)


def deposit(slipway: Installation, deployment_id: str, amount: Any) -> Answer:
    path, body = {"id": deployment_id}, {"amount": amount}
    return slipway.api("api_deployments_deposit", token=slipway.token(), path=path, body=body)


def read_sdl(slipway: Installation, deployment_id: str, query: str = "", account: Any = None) -> Answer:
    token = slipway.token(account) if account else slipway.token()
    return slipway.api("api_deployments_sdl", token=token, path={"id": deployment_id}, query=query)


def run(slipway: Installation, deployment_id: str) -> dict[str, Any]:
    workload_machine(slipway).run({"deployment_id": deployment_id})
    return detail(slipway, deployment_id)


@pytest.fixture
def active(slipway: Installation, simulator: Simulator) -> str:
    """Return a workload that runs."""
    deployment_id = accepted(slipway)
    assert finish(slipway, deployment_id)["status"] == "active"
    return deployment_id


# ── Update ──────────────────────────────────────────────────────────────────────────────────────


def test_an_update_keeps_the_lease(slipway: Installation, simulator: Simulator, active: str) -> None:
    before = detail(slipway, active)
    text = sdl_with(None, "COLOR=blue", services__web__image="nginx:1.28")
    answer = put(slipway, active, text)
    assert answer.status == 202, answer.body
    assert answer.body["update_requested_at"]
    found = run(slipway, active)
    assert found["status"] == "active"
    assert found["update_requested_at"] is None
    assert [found[name] for name in ("dseq", "provider", "leases")] == [
        before[name] for name in ("dseq", "provider", "leases")
    ]
    assert events(found)[-2:] == ["update_requested", "updated"]
    assert sums(simulator) == (1, 0, 1)
    assert read_sdl(slipway, active, "reveal=true").body["sdl"] == text


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"profiles__compute__small__resources__memory__size": "1Gi"}, "profiles.compute.small.resources.memory.size"),
        ({"services__web__expose__0__port": 8080}, "services.web.expose[0].port"),
        ({"deployment__web__anywhere__count": 2}, "deployment.web.anywhere.count"),
        (
            {"profiles__placement__anywhere__pricing__small__amount": 5},
            "profiles.placement.anywhere.pricing.small.amount",
        ),
    ],
)
def test_what_a_lease_can_not_run_needs_a_replacement(
    slipway: Installation, simulator: Simulator, active: str, changes: dict[str, Any], path: str
) -> None:
    answer = put(slipway, active, sdl_with(**changes))
    assert (answer.status, answer.code) == (409, "REPLACEMENT_NEEDED")
    assert path in answer.body["error"]["details"]["differs"]
    assert "replace_requested" not in events(detail(slipway, active))


def test_a_replacement_has_one_lease_at_any_time(
    slipway: Installation, simulator: Simulator, active: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = detail(slipway, active)
    open_at_create = []
    create = ConsoleApi.create_deployment

    def watched(self: ConsoleApi, *given: Any) -> Any:
        open_at_create.append(sums(simulator)[0])
        return create(self, *given)

    monkeypatch.setattr(ConsoleApi, "create_deployment", watched)
    text = sdl_with(profiles__compute__small__resources__memory__size="1Gi")
    answer = put(slipway, active, text, replace=True)
    assert (answer.status, answer.body["status"]) == (202, "pending")
    assert put(slipway, active, text, replace=True).code == "CONFLICT"
    found = run(slipway, active)
    assert found["status"] == "active", found
    assert found["dseq"] != before["dseq"]
    assert found["live"]["state"] == "active"
    assert open_at_create == [0]
    assert sums(simulator) == (1, 1, 2)
    assert read_sdl(slipway, active, "reveal=true").body["sdl"] == text


def test_a_wish_to_close_beats_a_replacement(slipway: Installation, simulator: Simulator, active: str) -> None:
    put(slipway, active, sdl_with(deployment__web__anywhere__count=2), replace=True)
    close(slipway, active)
    assert run(slipway, active)["status"] == "closed"
    assert sums(simulator)[0] == 0


def test_an_update_that_akash_refuses_changes_nothing(
    slipway: Installation, simulator: Simulator, active: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise UpstreamRefusedError("not this one")

    monkeypatch.setattr(ConsoleApi, "update_deployment", refuse)
    old = read_sdl(slipway, active, "reveal=true").body["sdl"]
    put(slipway, active, sdl_with(None, "A=2"))
    found = run(slipway, active)
    assert (found["status"], events(found)[-1]) == ("active", "update_failed")
    assert "not this one" in found["events"][-1]["message"]
    assert read_sdl(slipway, active, "reveal=true").body["sdl"] == old


@pytest.mark.parametrize("text", ["a: [", sdl_with(services__web__image="")])
def test_an_update_is_judged_first(slipway: Installation, simulator: Simulator, active: str, text: str) -> None:
    assert put(slipway, active, text).code == "VALIDATION_ERROR"


def test_only_what_runs_is_updated(slipway: Installation, simulator: Simulator) -> None:
    pending = accepted(slipway)
    assert put(slipway, pending, sdl_with(None, "A=1")).code == "CONFLICT"
    assert deposit(slipway, pending, "1").code == "CONFLICT"


# ── Name, SDL, and what stays ───────────────────────────────────────────────────────────────────


def test_a_name_is_given_changed_and_taken_away(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = deploy(slipway, name="shop").body["deployment_id"]
    assert detail(slipway, deployment_id)["name"] == "shop"
    assert patch(slipway, deployment_id, name="store", auto_top_up=True).body["name"] == "store"
    found = patch(slipway, deployment_id, name=None).body
    assert (found["name"], found["auto_top_up"]) == (None, True)
    assert patch(slipway, deployment_id, color="red").code == "VALIDATION_ERROR"
    for wrong in ("", "a\nb", " shop", "\u202eshop", "x" * 81):
        assert patch(slipway, deployment_id, name=wrong).code == "VALIDATION_ERROR"
        assert deploy(slipway, name=wrong).code == "VALIDATION_ERROR"


def test_secrets_of_an_sdl_are_masked_unless_revealed(slipway: Installation, simulator: Simulator) -> None:
    text = "# my own\n" + sdl_with(
        None, "API_TOKEN=abc123", "PLAIN=seen", "DATABASE_URL=postgres://me:hunter2@db/x",
        services__web__args=["--admin-password=abc123"],
        services__web__credentials={"host": "ghcr.io", "username": "me", "password": "abc123"},
    )  # fmt: skip
    deployment_id = deploy(slipway, text).body["deployment_id"]
    masked = read_sdl(slipway, deployment_id).body
    assert masked["revealed"] is False
    assert not {"abc123", "hunter2", "my own"} & set(masked["sdl"].replace("'", " ").split())
    assert all(secret not in masked["sdl"] for secret in ("abc123", "hunter2"))
    assert "PLAIN=seen" in masked["sdl"]
    assert "API_TOKEN=********" in masked["sdl"]
    before = len(slipway.audit())
    assert read_sdl(slipway, deployment_id, "reveal=true").body["sdl"] == text
    assert len(slipway.audit()) == before + 1
    assert read_sdl(slipway, deployment_id, account=BOB).status == 404
    assert read_sdl(slipway, deployment_id, account=ADMIN).body["revealed"] is False
    assert read_sdl(slipway, deployment_id, "reveal=true", ADMIN).status == 404


def test_an_api_key_that_may_only_read_sees_no_secret(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = deploy(slipway, sdl_with(None, "API_TOKEN=abc123")).body["deployment_id"]

    def read(scope: str, query: str) -> Answer:
        body = {"name": "ci", "scopes": [scope]}
        key = slipway.api("api_identity_make_key", token=slipway.token(), body=body).body["key"]
        return slipway.api("api_deployments_sdl", token=key, path={"id": deployment_id}, query=query)

    assert read("deployments:read", "").status == 200
    refused = read("deployments:read", "reveal=true")
    assert (refused.status, refused.code) == (403, "FORBIDDEN")
    assert "abc123" not in str(refused.body)
    assert read("deployments:write", "reveal=true").status == 403
    assert "abc123" in read("deployments:*", "reveal=true").body["sdl"]


def test_what_stays_of_a_closed_workload(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = deploy(slipway, name="shop").body["deployment_id"]
    running = finish(slipway, deployment_id)
    simulator.advance(3600)
    close(slipway, deployment_id)
    found = run(slipway, deployment_id)
    assert found["status"] == "closed"
    assert (found["name"], found["provider"]) == ("shop", running["provider"])
    assert found["last_seen"]["services"]["web"]["uris"] == running["services"]["web"]["uris"]
    assert Decimal(found["final_cost"]) > 0
    assert read_sdl(slipway, deployment_id).status == 200
    (kept,) = [item for item in slipway.items("jobs") if item["sk"] == "SDL"]
    assert 29 * 86_400 < int(kept["expires_at"]) - time.time() < 31 * 86_400


# ── Money ───────────────────────────────────────────────────────────────────────────────────────


def test_a_deposit_is_added_once(slipway: Installation, simulator: Simulator, active: str) -> None:
    before = simulator.entry(detail(slipway, active)["dseq"])["deposit"]
    answer = deposit(slipway, active, "2.5")
    assert (answer.status, answer.body["top_up"]) == (202, "2.5")
    assert deposit(slipway, active, "2.5").code == "CONFLICT"
    found = run(slipway, active)
    assert events(found)[-2:] == ["deposit_requested", "deposited"]
    assert Decimal(simulator.entry(found["dseq"])["deposit"]) - Decimal(before) == 2_500_000
    assert found["deposit"] == "7.5"
    assert found["top_up"] is None
    assert workload(active).budget["amount"] == 7_500_000


def test_a_deposit_that_nobody_heard_of_is_looked_for(
    slipway: Installation, simulator: Simulator, active: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = ConsoleApi.add_deposit

    def unheard(self: ConsoleApi, *given: Any) -> None:
        add(self, *given)
        raise CreateOutcomeUnknownError("no answer")

    monkeypatch.setattr(ConsoleApi, "add_deposit", unheard)
    deposit(slipway, active, "2")
    found = run(slipway, active)
    assert events(found)[-1] == "deposited"
    assert Decimal(simulator.entry(found["dseq"])["deposit"]) == 7_000_000


def test_a_deposit_that_was_not_made_is_given_back(
    slipway: Installation, simulator: Simulator, active: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> None:
        raise CreateOutcomeUnknownError("no answer")

    monkeypatch.setattr(ConsoleApi, "add_deposit", lost)
    deposit(slipway, active, "2")
    found = run(slipway, active)
    assert events(found)[-1] == "deposit_failed"
    assert (found["deposit"], workload(active).budget["amount"]) == ("5", 5_000_000)


def test_a_runway_is_kept_up_where_its_owner_wants_that(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = {"units": 1, "attributes": {"vendor": {"nvidia": [{"model": "a100"}]}}}
    price: dict[str, Any] = {PRICE: 10**6}
    text = sdl_with(profiles__compute__small__resources__gpu=gpu, **price)
    deployment_id = deploy(slipway, text).body["deployment_id"]
    assert finish(slipway, deployment_id)["live"]["cost"]["runway_seconds"] < 86_400
    reconcile.workloads.cache_clear()
    of_now = reconcile.workloads()
    for one in (of_now, of_now._funding):
        monkeypatch.setattr(one, "_clock", slipway.clock)

    def look() -> dict[str, Any]:
        slipway.clock.advance(1)
        with slipway.acting_as("ReconcileTasks"):
            of_now.find()
        return detail(slipway, deployment_id)

    assert look()["top_up"] is None
    patch(slipway, deployment_id, auto_top_up=True)
    assert events(look())[-1] == "deposit_requested"
    found = run(slipway, deployment_id)
    assert events(found)[-1] == "deposited"
    assert 150_000 < found["live"]["cost"]["runway_seconds"] < 200_000


def test_a_deposit_stays_within_the_budgets(slipway: Installation, simulator: Simulator, active: str) -> None:
    assert deposit(slipway, active, "150").code == "BUDGET_EXCEEDED"
    assert deposit(slipway, active, "0").code == "VALIDATION_ERROR"
    assert events(detail(slipway, active))[-1] == "active"


def workload(deployment_id: str) -> Any:
    found = find_workload(deployment_id)
    assert found
    return found


# ── What was leased, and whether it still is ────────────────────────────────────────────────────


def test_the_gpu_of_a_lease_is_named(slipway: Installation, simulator: Simulator) -> None:
    gpu = {"units": 1, "attributes": {"vendor": {"nvidia": [{"model": "NVIDIA A100 80GB"}]}}}
    text = sdl_with(
        profiles__compute__small__resources__gpu=gpu, profiles__placement__anywhere__pricing__small__amount=10**6
    )
    found = finish(slipway, deploy(slipway, text).body["deployment_id"])
    assert found["status"] == "active", found
    assert found["leases"][0]["gpu"] == "nvidia/a100 80Gi"
    chosen = next(event for event in found["events"] if event["event"] == "bid_chosen")["data"]
    assert [bid["gpu"] for bid in chosen["bids"] if bid["chosen"]] == ["nvidia/a100 80Gi"]


def test_a_lease_that_its_provider_closed_is_noticed_by_who_looks(
    slipway: Installation, simulator: Simulator, active: str
) -> None:
    dseq = detail(slipway, active)["dseq"]
    simulator.http.post(f"/_simulator/deployments/{dseq}/leases/close").raise_for_status()
    slipway.clock.advance(live.FRESH_SECONDS)
    seen = detail(slipway, active)
    assert seen["close_requested_at"], seen
    assert "closed" in seen["close_reason"]
    found = run(slipway, active)
    assert (found["status"], found["live"]["state"]) == ("closed", "closed")
