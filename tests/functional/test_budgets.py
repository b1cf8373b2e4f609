"""Budgets: what the operator pays for stays under its ceilings, whoever asks, and comes back when it is closed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from slipway import settings
from slipway.akash.changes import WorkloadChanges
from slipway.akash.console.client import ConsoleApi
from slipway.akash.store import find_workload
from slipway.budgets.rules import akash_ceilings, micro
from slipway.budgets.store import Budget, BudgetItem, Spender, spender_of
from slipway.errors import BudgetExceededError, UpstreamRefusedError
from slipway.settings import AkashBudget
from slipway.store import ConditionsFailedError, Transaction, read_item
from tests.functional.test_akash_deploy import accepted, close, deploy, detail, finish
from tests.support.console_simulator import Simulator
from tests.support.installation import Answer, Installation
from tests.support.wallets import ADMIN, ALICE, BOB
from tests.support.workloads import sdl_with


def limited(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    monkeypatch.setenv("AKASH_BUDGET", json.dumps(limits))
    settings.akash_budget.cache_clear()


def change(slipway: Installation, **limits: Any) -> Answer:
    return slipway.api("api_admin_change_budgets", token=slipway.token(ADMIN), body=limits)


def shown(slipway: Installation) -> dict[str, dict[str, Any]]:
    answer = slipway.api("api_admin_budgets", token=slipway.token(ADMIN))
    assert answer.status == 200, answer.body
    return {entry["name"]: entry for entry in answer.body["budgets"]}


def refusals(slipway: Installation, **body: Any) -> list[str]:
    answer = slipway.api("api_deployments_estimate", body={"sdl": sdl_with(), **body}, token=slipway.token())
    assert answer.status == 200, answer.body
    return [refusal["code"] for refusal in answer.body["refusals"]]


def test_an_administrator_sees_what_is_used(slipway: Installation, simulator: Simulator) -> None:
    assert {name: entry["limit"] for name, entry in shown(slipway).items() if name.startswith("akash")} == {
        "akash_deposit": "100", "akash_usd_per_hour": "5", "akash_open": "500", "akash_day": "200",
    }  # fmt: skip
    accepted(slipway, deposit="7.5")
    found = shown(slipway)
    assert [found["akash_open"][key] for key in ("used", "open", "left")] == ["7.5", "7.5", "492.5"]
    assert [found["akash_day"][key] for key in ("used", "open", "left")] == ["7.5", "0", "192.5"]
    assert found["akash_open"]["resets_at"] is None
    assert found["akash_day"]["resets_at"].endswith("T00:00:00.000Z")
    for route in ("api_admin_budgets", "api_admin_change_budgets"):
        assert slipway.api(route, token=slipway.token(ALICE)).code == "FORBIDDEN"


def test_ceilings_change_at_run_time_and_the_change_is_audited(slipway: Installation, simulator: Simulator) -> None:
    assert change(slipway, akash_day=7, akash_open="12.5").status == 200
    assert slipway.audit()[-1]["message"] == "akash_day: 7, akash_open: 12.5"
    assert shown(slipway)["akash_open"]["limit"] == "12.5"
    accepted(slipway)
    assert deploy(slipway).code == "BUDGET_EXCEEDED"
    assert change(slipway, akash_day=None).status == 200
    accepted(slipway)
    assert deploy(slipway).body["error"]["details"]["budget"] == "akash_open"
    for wrong in ({"akash": 1}, {"akash_day": "a lot"}, {"akash_day": -1}, {"akash_day": True}, {"akash_day": 1e300}):
        assert change(slipway, **wrong).code == "VALIDATION_ERROR"


def test_what_is_over_a_ceiling_is_refused(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, deposit=10, usd_per_hour=0.5, open=25, day=200)
    for body, budget in (
        ({"deposit": "10.000001"}, "akash_deposit"),
        ({"preferences": {"maxPrice": "0.51"}}, "akash_usd_per_hour"),
    ):
        answer = deploy(slipway, **body)
        assert (answer.status, answer.code) == (402, "BUDGET_EXCEEDED")
        assert answer.body["error"]["details"]["budget"] == budget
        assert refusals(slipway, **body) == ["BUDGET_EXCEEDED"]
    assert simulator.ledger()["deployments"] == []
    first = accepted(slipway, deposit="10", preferences={"maxPrice": "0.5"})
    accepted(slipway, deposit="10")
    answer = deploy(slipway, deposit="5.000001", token=slipway.token(BOB))
    assert (answer.status, answer.code) == (503, "BUDGET_EXCEEDED")
    assert answer.headers["retry-after"]
    error = answer.body["error"]
    assert error["details"] == {"budget": "akash_open", "whose": "installation", "resets_at": None}
    assert not any(digit in error["message"] for digit in "0123456789")
    assert refusals(slipway, deposit="10") == ["BUDGET_EXCEEDED"]

    finish(slipway, first)
    close(slipway, first)
    finish(slipway, first)
    accepted(slipway, deposit="10")
    found = shown(slipway)
    assert (found["akash_open"]["used"], found["akash_day"]["used"]) == ("20", "30")


def test_a_day_ends_and_what_was_never_created_does_not_count(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, day=5)
    never = accepted(slipway)
    answer = deploy(slipway)
    assert (answer.status, answer.body["error"]["details"]["budget"]) == (503, "akash_day")
    assert answer.body["error"]["details"]["resets_at"] in answer.body["error"]["message"]
    close(slipway, never)
    assert finish(slipway, never)["status"] == "closed"
    assert (shown(slipway)["akash_open"]["used"], shown(slipway)["akash_day"]["used"]) == ("0", "0")
    accepted(slipway)
    yesterday = read_item(BudgetItem, BudgetItem.key("akash", "installation"))
    assert yesterday
    yesterday.update([BudgetItem.date.set("2020-01-01")])
    assert shown(slipway)["akash_day"]["used"] == "0"
    accepted(slipway)
    assert deploy(slipway).code == "BUDGET_EXCEEDED"


def test_wallets_and_tiers_have_ceilings_of_their_own(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, wallet={"open": 5}, tiers={"standard": {"day": 10}})
    accepted(slipway)
    answer = deploy(slipway)
    assert (answer.status, answer.body["error"]["details"]["budget"]) == (402, "akash_wallet_open")
    accepted(slipway, token=slipway.token(BOB))
    answer = deploy(slipway, token=slipway.token(ADMIN))
    assert (answer.status, answer.body["error"]["details"]["whose"]) == (503, "standard")


def replace(slipway: Installation, deployment_id: str, count: int) -> Answer:
    body = {"sdl": sdl_with(deployment__web__anywhere__count=count), "replace": True}
    return slipway.api("api_deployments_update", token=slipway.token(), path={"id": deployment_id}, body=body)


def counted(*accounts: str) -> list[tuple[int, int]]:
    """Whole US dollars that are open and of the day in each of these accounts."""
    items = [read_item(BudgetItem, BudgetItem.key("akash", account)) for account in accounts]
    return [(int(item.open) // 10**6, int(item.day) // 10**6) for item in items if item]


def test_a_replacement_is_another_deposit_of_the_day_and_no_more_open(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, deposit=6, day=14, open=6, tiers={"standard": {"open": 6}})
    first = accepted(slipway)
    finish(slipway, first)
    assert replace(slipway, first, 2).status == 202
    assert finish(slipway, first)["status"] == "active"
    assert counted("installation", "tier#standard") == [(5, 10), (5, 10)]
    answer = replace(slipway, first, 3)
    assert (answer.status, answer.body["error"]["details"]["budget"]) == (503, "akash_day")
    assert detail(slipway, first)["status"] == "active"
    assert change(slipway, akash_day=30).status == 200
    # The one that is closed before it is made again was not made.
    assert replace(slipway, first, 3).status == 202
    close(slipway, first)
    assert finish(slipway, first)["status"] == "closed"
    assert counted("installation", "tier#standard") == [(0, 10), (0, 10)]


def test_what_was_topped_up_is_deposited_anew_as_far_as_one_deposit_may_go(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, deposit=6, open=20)
    first = accepted(slipway)
    finish(slipway, first)
    top_up(slipway, first, "4")
    assert replace(slipway, first, 2).status == 202
    found = finish(slipway, first)
    assert (found["status"], found["deposit"]) == ("active", "6")
    assert Decimal(simulator.entry(found["dseq"])["deposit"]) == 6_000_000
    assert counted("installation") == [(6, 15)]


def top_up(slipway: Installation, deployment_id: str, amount: str, **more: Any) -> None:
    path, token = {"id": deployment_id}, slipway.token(**more)
    answer = slipway.api("api_deployments_deposit", token=token, path=path, body={"amount": amount})
    assert answer.status == 202, answer.body
    finish(slipway, deployment_id)


def test_each_account_gets_back_what_was_counted_in_it(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ceilings came, and the caller's tier changed, while the workload ran."""
    limited(monkeypatch, tiers={"standard": {"open": 50}, "partner": {"open": 50}})
    first = accepted(slipway)
    finish(slipway, first)
    limited(monkeypatch, wallet={"open": 50}, tiers={"standard": {"open": 50}, "partner": {"open": 50}})
    top_up(slipway, first, "1", tier="partner")
    top_up(slipway, first, "2")
    accounts = ("installation", f"wallet#{ALICE.address}", "tier#standard", "tier#partner")
    assert [is_open for is_open, _ in counted(*accounts)] == [8, 3, 7, 1]

    def refuse(*_: Any) -> None:
        raise UpstreamRefusedError("no")

    with monkeypatch.context() as patched:
        patched.setattr(ConsoleApi, "add_deposit", refuse)
        top_up(slipway, first, "4", tier="partner")
    assert [is_open for is_open, _ in counted(*accounts)] == [8, 3, 7, 1]
    close(slipway, first)
    assert finish(slipway, first)["status"] == "closed"
    assert [is_open for is_open, _ in counted(*accounts)] == [0, 0, 0, 0]


def test_a_runway_is_kept_up_within_the_budget_of_its_owners_tier(
    slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, tiers={"standard": {"open": 6}})
    first = accepted(slipway)
    finish(slipway, first)
    workload = find_workload(first)
    assert workload
    changes, spender = WorkloadChanges(lambda *_: None), spender_of(workload.wallet, workload.budget)
    with slipway.acting_as("ReconcileTasks"), pytest.raises(BudgetExceededError):
        changes.top_up(workload, Decimal("1.5"), spender)
    assert counted("tier#standard") == [(5, 5)]


@pytest.mark.parametrize(
    ("bids", "preferences", "why"),
    [
        ({}, {}, "costs more than 0.000001 USD an hour"),
        ({"from": "unaudited"}, {"providers": []}, "is not audited"),
    ],
)
def test_no_bid_over_the_ceiling_or_of_an_unaudited_name_is_taken(
    slipway: Installation,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    bids: dict[str, Any],
    preferences: dict[str, Any],
    why: str,
) -> None:
    limited(monkeypatch, usd_per_hour="0.000001" if "costs" in why else "5")
    if bids:
        known = simulator.http.get("/_simulator/providers").json()
        preferences = {"providers": [entry["address"] for entry in known if entry["name"] == bids["from"]] or
                       [entry["address"] for entry in known if not entry["audited"]]}  # fmt: skip
    found = finish(slipway, accepted(slipway, {"bids": bids}, preferences=preferences))
    assert found["error"]["code"] == "BID_TIMEOUT"
    judged = [bid for event in found["events"] if event["event"] == "bids" for bid in event["data"]["bids"]]
    assert judged
    assert all(why in bid["why_not"] for bid in judged)


def test_fifty_wallets_that_all_read_before_the_first_writes_stay_under_the_ceiling(slipway: Installation) -> None:
    ceilings = akash_ceilings(AkashBudget(Decimal(100), Decimal(5), Decimal(100), Decimal(100)))
    amount = micro(Decimal("7.3"))
    budgets = [Budget.read(ceilings, Spender(f"0x{number}", "standard")) for number in range(50)]

    def spend(budget: Budget) -> bool:
        """Try as a request does that is sent again as long as nothing is in its way."""
        write = Transaction()
        budget.spend(write, amount)
        try:
            write.commit()
        except ConditionsFailedError as error:
            return budget.refusal(amount, error.failed) is None and spend(budget)
        return True

    spent = [spend(budget) for budget in budgets].count(True)
    item = read_item(BudgetItem, BudgetItem.key("akash", "installation"))
    assert item
    assert spent == 100 // Decimal("7.3")
    assert int(item.open) == int(item.day) == spent * 7_300_000
