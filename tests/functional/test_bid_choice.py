"""Workloads whose owner chooses among the bids: what is offered, the one choice, and what happens without one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from slipway import settings
from slipway.akash import choices
from slipway.akash.console.client import ConsoleApi
from slipway.akash.models import ChooseBidsRequest
from slipway.akash.store import find_workload
from slipway.errors import ConflictError
from slipway.jobs.store import RequestContext
from slipway.times import from_text
from tests.functional.test_akash_deploy import accepted, close, deploy, detail, events, finish, steps, sums
from tests.support.console_simulator import Simulator
from tests.support.installation import Answer, Installation
from tests.support.steps import Steps
from tests.support.wallets import ADMIN, ALICE, BOB
from tests.support.workloads import sdl_with, workload_machine

__all__ = ["steps"]
CHOOSE = "akash_deploy:choose"
STRANGER = "akash1" + "q" * 38


def offered(slipway: Installation, deployment_id: str, account: Any = ALICE) -> dict[str, Any]:
    """GET …/bids."""
    answer = slipway.api("api_deployments_bids", token=slipway.token(account), path={"id": deployment_id})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def choose(slipway: Installation, deployment_id: str, *providers: str, account: Any = ALICE, **more: Any) -> Answer:
    """POST …/bids."""
    body = {"providers": [*providers], **more}
    return slipway.api("api_deployments_choose", token=slipway.token(account), path={"id": deployment_id}, body=body)


def when_asked(steps: Steps, act: Callable[[], object]) -> None:
    """Do something once the owner is asked: before the look at the bids that follows."""
    steps.hooks[CHOOSE, "before"] = act


# ── The choice ──────────────────────────────────────────────────────────────────────────────────


def test_the_owner_takes_another_bid_than_the_best(slipway: Installation, simulator: Simulator, steps: Steps) -> None:
    deployment_id = accepted(slipway, choose_bid=True)
    assert detail(slipway, deployment_id)["choice"] == {
        "status": "awaiting_bids", "until": None, "unchosen": "best", "by": None,
    }  # fmt: skip
    seen: dict[str, Any] = {}

    def take() -> None:
        seen.update(offered(slipway, deployment_id))
        seen["status"] = detail(slipway, deployment_id)["status"]
        seen["bid"] = [bid for bid in seen["bids"] if bid["acceptable"]][-1]
        answer = choose(slipway, deployment_id, seen["bid"]["provider"], price=seen["bid"]["price"])
        assert (answer.status, answer.body["choice"]["status"]) == (202, "chosen"), answer.body

    when_asked(steps, take)
    found = finish(slipway, deployment_id)
    assert seen["status"] == "pending"
    assert seen["choice"]["status"] == "awaiting_choice"
    prices = [float(bid["price"]) for bid in seen["bids"] if bid["acceptable"]]
    assert len(prices) > 1
    assert prices == sorted(prices)
    bid = seen["bid"]
    assert bid["name"]
    assert bid["region"]
    assert bid["audited"] is True
    assert float(bid["usd_per_month"]) == pytest.approx(float(bid["usd_per_hour"]) * 730, rel=0.01)
    assert (found["status"], found["provider"], found["price"]) == ("active", bid["provider"], bid["price"])
    assert (found["choice"]["status"], found["choice"]["by"]) == ("chosen", "owner")
    assert events(found) == ["pending", "created", "awaiting_choice", "bid_chosen", "leased", "active"]
    assert sums(simulator) == (1, 0, 1)
    kept = offered(slipway, deployment_id)
    assert [entry["provider"] for entry in kept["bids"] if entry["chosen"]] == [bid["provider"]]


def test_every_placement_has_its_choice(slipway: Installation, simulator: Simulator, steps: Steps) -> None:
    price = {"pricing": {"small": {"denom": "uact", "amount": 10000}}}
    text = sdl_with(profiles__placement__second=price, deployment__web__second={"profile": "small", "count": 2})
    deployment_id = deploy(slipway, text, choose_bid=True).body["deployment_id"]
    wanted: list[str] = []

    def take() -> None:
        found = offered(slipway, deployment_id)
        assert found["groups"] == 2
        for group in (1, 2):
            wanted.append([bid["provider"] for bid in found["bids"] if bid["group"] == group and bid["acceptable"]][-1])
        assert choose(slipway, deployment_id, wanted[0]).code == "VALIDATION_ERROR"
        assert choose(slipway, deployment_id, *wanted).status == 202

    when_asked(steps, take)
    found = finish(slipway, deployment_id)
    assert [(lease["gseq"], lease["provider"]) for lease in found["leases"]] == [(1, wanted[0]), (2, wanted[1])]


def test_a_workload_that_is_not_to_wait_takes_the_best_bid_as_ever(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = accepted(slipway)
    machine = workload_machine(slipway)
    machine.run({"deployment_id": deployment_id})
    assert len(machine.visited) <= 18
    found = detail(slipway, deployment_id)
    assert (found["status"], found["choice"]) == ("active", None)
    kept = offered(slipway, deployment_id)
    assert (kept["choice"], kept["bids"]) == (None, [])
    assert not [item for item in slipway.items("jobs") if item["sk"] == "BIDS"]
    answer = choose(slipway, deployment_id, found["provider"])
    assert (answer.status, answer.code) == (409, "CONFLICT")
    assert "choose_bid was not set" in answer.body["error"]["message"]


# ── What a choice can't be ──────────────────────────────────────────────────────────────────────


def test_a_bid_over_the_limits_or_gone_is_refused_and_says_why(
    slipway: Installation, simulator: Simulator, steps: Steps
) -> None:
    deployment_id = accepted(slipway, choose_bid=True, preferences={"region": "eu-central", "maxPrice": "1"})
    refusals: list[tuple[str, str]] = []

    def attempts() -> None:
        found = offered(slipway, deployment_id)
        assert found["max_price"] == "1"
        elsewhere = next(bid for bid in found["bids"] if not bid["acceptable"])
        best = found["bids"][0]
        for answer in (
            choose(slipway, deployment_id, elsewhere["provider"]),
            choose(slipway, deployment_id, STRANGER),
            choose(slipway, deployment_id, best["provider"], price="0.000001"),
            choose(slipway, deployment_id, best["provider"], best["provider"]),
            choose(slipway, deployment_id, "not-an-address"),
            choose(slipway, deployment_id),
            choose(slipway, deployment_id, best["provider"], account=BOB),
            choose(slipway, deployment_id, best["provider"], account=ADMIN),
        ):
            refusals.append((answer.code, answer.body["error"]["message"]))
        assert offered(slipway, deployment_id, ADMIN)["bids"] == found["bids"]
        assert detail(slipway, deployment_id)["choice"]["status"] == "awaiting_choice"

    when_asked(steps, attempts)
    found = finish(slipway, deployment_id)
    codes = [code for code, _ in refusals]
    assert codes == ["CONFLICT"] * 3 + ["VALIDATION_ERROR"] * 3 + ["NOT_FOUND"] * 2
    assert "is not in eu-central" in refusals[0][1]
    assert "has no bid" in refusals[1][1]
    assert "uact a block now" in refusals[2][1]
    assert found["choice"]["by"] == "deadline"


@pytest.mark.parametrize(
    "more",
    [
        {"choose_within_seconds": 60},
        {"unchosen": "close"},
        {"choose_bid": True, "choose_within_seconds": 14},
        {"choose_bid": True, "choose_within_seconds": 241},
        {"choose_bid": True, "choose_within_seconds": "60"},
        {"choose_bid": True, "unchosen": "wait"},
        {"choose_bid": "yes"},
    ],
)
def test_wishes_that_make_no_sense_are_refused(
    slipway: Installation, simulator: Simulator, more: dict[str, Any]
) -> None:
    assert deploy(slipway, **more).code == "VALIDATION_ERROR"
    assert simulator.ledger()["deployments"] == []


def test_a_bid_that_is_gone_when_it_is_to_be_leased_is_chosen_anew(
    slipway: Installation, simulator: Simulator, steps: Steps
) -> None:
    scenario = {"faults": [{"call": "lease", "action": "bid_closed", "times": 1}]}
    deployment_id = accepted(slipway, scenario, choose_bid=True)
    taken: list[str] = []

    def take() -> None:
        taken.append(next(bid["provider"] for bid in offered(slipway, deployment_id)["bids"]))
        assert choose(slipway, deployment_id, taken[0]).status == 202
        steps.hooks["akash_deploy:lease", "after"] = lambda: when_asked(steps, again)

    def again() -> None:
        # Before the bids are looked at again, what is kept still shows the one that is gone.
        refused = choose(slipway, deployment_id, taken[0])
        assert (refused.status, refused.code) == (409, "CONFLICT"), refused.body
        assert detail(slipway, deployment_id)["choice"]["status"] == "awaiting_choice"
        steps.hooks[CHOOSE, "after"] = other

    def other() -> None:
        first, *rest = sorted(offered(slipway, deployment_id)["bids"], key=lambda bid: bid["provider"] != taken[0])
        assert "gone" in first["why_not"]
        taken.append(next(bid["provider"] for bid in rest if bid["acceptable"]))
        assert choose(slipway, deployment_id, taken[1]).status == 202

    when_asked(steps, take)
    found = finish(slipway, deployment_id)
    assert (found["status"], found["provider"]) == ("active", taken[1])
    assert events(found).count("bid_gone") == 1
    assert sums(simulator) == (1, 0, 1)


# ── Races ───────────────────────────────────────────────────────────────────────────────────────


def test_of_two_choices_at_once_one_wins(slipway: Installation, simulator: Simulator, steps: Steps) -> None:
    """Both have read that nothing is chosen before either writes."""
    deployment_id = accepted(slipway, choose_bid=True)
    answers: list[Any] = []

    def race() -> None:
        context = RequestContext("request", None, "POST /api/deployments/{id}/bids")
        providers = [bid["provider"] for bid in offered(slipway, deployment_id)["bids"] if bid["acceptable"]][:2]
        read = [find_workload(deployment_id) for _ in providers]
        for item, provider in zip(read, providers, strict=True):
            assert item is not None
            try:
                answers.append(choices.choose(item, ChooseBidsRequest(providers=[provider]), context).choice)
            except ConflictError as error:
                answers.append(error)

    when_asked(steps, race)
    found = finish(slipway, deployment_id)
    assert answers[0].status == "chosen"
    assert isinstance(answers[1], ConflictError)
    assert answers[1].message.startswith("Chosen already")
    assert events(found).count("bid_chosen") == 1
    # A program that did not hear the answer asks again.
    assert choose(slipway, deployment_id, found["provider"]).status == 202
    lost = choose(slipway, deployment_id, STRANGER)
    assert (lost.code, found["provider"] in lost.body["error"]["message"]) == ("CONFLICT", True)
    assert sums(simulator) == (1, 0, 1)


def test_a_choice_and_the_deadline_do_not_both_count(
    slipway: Installation, simulator: Simulator, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner chooses after the workflow has seen that the time is over, and before it takes the best bid."""
    deployment_id = accepted(slipway, choose_bid=True)
    bids = ConsoleApi.bids
    chosen: list[str] = []

    def late(self: ConsoleApi, dseq: str) -> Any:
        found = bids(self, dseq)
        item = find_workload(deployment_id)
        assert item is not None
        if not chosen and item.choose_until and slipway.clock.moment() >= from_text(item.choose_until):
            chosen.append([bid["provider"] for bid in offered(slipway, deployment_id)["bids"] if bid["acceptable"]][-1])
            assert choose(slipway, deployment_id, chosen[0]).status == 202
        return found

    monkeypatch.setattr(ConsoleApi, "bids", late)
    found = finish(slipway, deployment_id)
    assert [found["provider"]] == chosen
    assert (found["choice"]["by"], events(found).count("bid_chosen")) == ("owner", 1)
    assert sums(simulator) == (1, 0, 1)


def test_a_wish_to_close_beats_a_choice(slipway: Installation, simulator: Simulator, steps: Steps) -> None:
    deployment_id = accepted(slipway, choose_bid=True)

    def ended() -> None:
        best = offered(slipway, deployment_id)["bids"][0]["provider"]
        assert close(slipway, deployment_id).status == 202
        assert choose(slipway, deployment_id, best).code == "CONFLICT"

    when_asked(steps, ended)
    found = finish(slipway, deployment_id)
    assert (found["status"], found["choice"]["status"]) == ("closed", "over")
    assert sums(simulator) == (0, 1, 0)


# ── Without a choice ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("within", "most"), [(None, 96), (20, 40)])
def test_nobody_chooses_and_the_best_bid_is_taken_while_bids_last(
    slipway: Installation, simulator: Simulator, within: int | None, most: float
) -> None:
    more: dict[str, Any] = {"choose_within_seconds": within} if within else {}
    deployment_id = accepted(slipway, choose_bid=True, **more)
    machine = workload_machine(slipway)
    machine.run({"deployment_id": deployment_id})
    # A look every five seconds, on top of what every workload takes.
    assert len(machine.visited) <= 18 + 3 * (most / 5 + 1)
    found = detail(slipway, deployment_id)
    best = next(bid for bid in offered(slipway, deployment_id)["bids"] if bid["acceptable"])
    assert (found["status"], found["provider"]) == ("active", best["provider"])
    assert (found["choice"]["status"], found["choice"]["by"]) == ("chosen", "deadline")
    item = find_workload(deployment_id)
    assert item is not None
    until, opened = from_text(item.choose_until), from_text(item.opened_at)
    assert until <= from_text(item.leased_at) < opened + timedelta(seconds=settings.akash_timeouts().bid_timeout)
    assert (until - opened).total_seconds() <= most
    message = next(event["message"] for event in found["events"] if event["event"] == "bid_chosen")
    assert message.startswith("The time to choose was over")


def test_nobody_chooses_and_nothing_is_taken_without_that(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = accepted(slipway, choose_bid=True, unchosen="close", choose_within_seconds=15)
    found = finish(slipway, deployment_id)
    assert (found["status"], found["error"]["code"]) == ("error", "BID_TIMEOUT")
    assert "Nobody chose" in found["error"]["message"]
    assert found["choice"]["status"] == "over"
    assert found["final_cost"] in (None, "0")
    assert sums(simulator) == (0, 1, 0)
    item = find_workload(deployment_id)
    assert item is not None
    assert item.budget is not None
    budgets = slipway.api("api_admin_budgets", token=slipway.token(ADMIN)).body["budgets"]
    assert next(entry["open"] for entry in budgets if entry["name"] == "akash_open") in (0, "0")


def test_no_choice_is_taken_after_its_time(
    slipway: Installation, simulator: Simulator, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment_id = accepted(slipway, choose_bid=True)

    def too_late() -> None:
        found = offered(slipway, deployment_id)
        with monkeypatch.context() as patch:
            patch.setattr(choices, "now", lambda: from_text(found["choice"]["until"]))
            answer = choose(slipway, deployment_id, found["bids"][0]["provider"])
        assert (answer.status, answer.body["error"]["message"]) == (409, "The time to choose is over")

    when_asked(steps, too_late)
    assert finish(slipway, deployment_id)["choice"]["by"] == "deadline"


def test_without_any_bid_it_ends_as_ever(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = accepted(slipway, {"bids": {"none": True}}, choose_bid=True)
    early = choose(slipway, deployment_id, STRANGER)
    assert (early.code, early.body["error"]["details"]["choice"]) == ("CONFLICT", "awaiting_bids")
    assert finish(slipway, deployment_id)["error"]["code"] == "BID_TIMEOUT"
    assert offered(slipway, deployment_id)["bids"] == []


def test_bids_that_will_not_do_are_shown_all_the_same(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = accepted(slipway, choose_bid=True, preferences={"maxPrice": "0.000001"})
    assert finish(slipway, deployment_id)["error"]["code"] == "BID_TIMEOUT"
    found = offered(slipway, deployment_id)
    assert found["choice"]["until"] is None
    assert found["bids"]
    assert {bid["why_not"] for bid in found["bids"]} == {"costs more than 0.000001 USD an hour"}


# ── What else holds ─────────────────────────────────────────────────────────────────────────────


def test_a_silent_network_leaves_the_list_and_the_choice(
    slipway: Installation, simulator: Simulator, steps: Steps
) -> None:
    deployment_id = accepted(slipway, choose_bid=True)

    def silence() -> None:
        before = offered(slipway, deployment_id)
        simulator.control(bids={"delay": 1, "spread": 1}, faults=[{"call": "bids", "action": "unavailable"}])
        steps.hooks[CHOOSE, "after"] = lambda: take(before)

    def take(before: dict[str, Any]) -> None:
        assert offered(slipway, deployment_id) == before
        assert choose(slipway, deployment_id, before["bids"][0]["provider"]).status == 202

    when_asked(steps, silence)
    assert finish(slipway, deployment_id)["choice"]["by"] == "owner"


def test_a_thousand_looks_ask_nothing_of_akash(
    slipway: Installation, simulator: Simulator, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment_id = accepted(slipway, choose_bid=True)

    def looks() -> None:
        def asked(*_: Any, **__: Any) -> Any:
            raise AssertionError("Akash was asked")

        with monkeypatch.context() as patch:
            for name in ("bids", "providers", "deployment"):
                patch.setattr(ConsoleApi, name, asked)
            found = {str(offered(slipway, deployment_id)) for _ in range(20)}
        assert len(found) == 1

    when_asked(steps, looks)
    assert finish(slipway, deployment_id)["status"] == "active"


def test_bids_are_written_only_when_they_change(slipway: Installation, simulator: Simulator, steps: Steps) -> None:
    deployment_id = accepted(slipway, choose_bid=True)
    seen: list[str] = []

    def look() -> None:
        seen.append(offered(slipway, deployment_id)["updated_at"])
        steps.hooks[CHOOSE, "before"] = look

    when_asked(steps, look)
    finish(slipway, deployment_id)
    assert len(seen) > 10
    assert len(set(seen)) <= 3


def test_an_idempotency_key_covers_the_wish_to_choose(slipway: Installation, simulator: Simulator) -> None:
    headers = {"idempotency-key": "one"}
    first = deploy(slipway, headers=headers)
    assert deploy(slipway, headers=headers, choose_bid=False).body == first.body
    assert deploy(slipway, headers=headers, choose_bid=True).code == "IDEMPOTENCY_MISMATCH"


def test_a_replacement_asks_anew(slipway: Installation, simulator: Simulator, steps: Steps) -> None:
    deployment_id = accepted(slipway, choose_bid=True, choose_within_seconds=15)
    before = finish(slipway, deployment_id)
    body = {"sdl": sdl_with(profiles__compute__small__resources__memory__size="1Gi"), "replace": True}
    path = {"id": deployment_id}
    assert slipway.api("api_deployments_update", token=slipway.token(), path=path, body=body).status == 202
    chosen: list[str] = []

    def take() -> None:
        found = offered(slipway, deployment_id)
        assert found["choice"]["by"] is None
        chosen.append([bid["provider"] for bid in found["bids"] if bid["acceptable"]][-1])
        assert choose(slipway, deployment_id, chosen[0]).status == 202

    when_asked(steps, take)
    found = finish(slipway, deployment_id)
    assert (found["status"], [found["provider"]], found["choice"]["by"]) == ("active", chosen, "owner")
    assert found["dseq"] != before["dseq"]
    assert sums(simulator) == (1, 1, 2)


def test_reconcile_takes_up_a_workload_whose_owner_is_asked(
    slipway: Installation, simulator: Simulator, steps: Steps
) -> None:
    """The execution died while it waited; another goes on from what is stored."""
    deployment_id = accepted(slipway, choose_bid=True)

    class Died(BaseException):
        pass

    def die() -> None:
        raise Died

    when_asked(steps, die)
    with pytest.raises(Died):
        workload_machine(slipway).run({"deployment_id": deployment_id})
    best = offered(slipway, deployment_id)["bids"][0]["provider"]
    assert choose(slipway, deployment_id, best).status == 202
    found = finish(slipway, deployment_id)
    assert (found["status"], found["provider"], found["choice"]["by"]) == ("active", best, "owner")
    assert sums(simulator) == (1, 0, 1)
