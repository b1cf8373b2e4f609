"""Fifty wallets at once against what the operator pays: never one dollar over a ceiling, whatever they ask for."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
from eth_account import Account

from local.accounts import LocalAccount
from local.sign_in import Session, session
from tests.stack.conftest import RunningStack
from tests.stack.launches import bearer
from tests.stack.test_akash_deploy import quick
from tests.support.waiting import eventually
from tests.support.workloads import sdl_with

THIEVES = 50
DEPOSIT = Decimal(5)
# What is left of a ceiling when they come: three deposits, and nearly a fourth.
LEFT = Decimal("19.99")


@dataclass(frozen=True)
class Thief:
    """A wallet that nobody knows, signed in."""

    wallet: str
    token: str


@pytest.fixture(scope="module")
def thieves(stack: RunningStack) -> list[Thief]:
    def sign_in(account: LocalAccount) -> Thief:
        return Thief(account.address, str(session(stack.api, account)))

    accounts = [Account.create() for _ in range(THIEVES)]
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(sign_in, (LocalAccount(one.address, one.key.to_0x_hex(), "user") for one in accounts)))


class Operator:
    """Who sets ceilings and sees what is used."""

    def __init__(self, stack: RunningStack, admin: Session) -> None:
        self._stack = stack
        self._admin = admin

    def budget(self, name: str) -> dict[str, Any]:
        answer = self._stack.http.get("/api/admin/budgets", headers=bearer(self._admin))
        assert answer.status_code == 200, answer.text
        return next(entry for entry in answer.json()["budgets"] if entry["name"] == name)

    def limit(self, **limits: str | None) -> None:
        answer = self._stack.http.put("/api/admin/budgets", json=limits, headers=bearer(self._admin))
        assert answer.status_code == 200, answer.text

    def leave(self, name: str, left: Decimal) -> Decimal:
        """Set a ceiling so that this much is left, and return it."""
        limit = Decimal(self.budget(name)["used"]) + left
        self.limit(**{name: str(limit)})
        return limit


@pytest.fixture
def operator(stack: RunningStack, admin: Session) -> Iterator[Operator]:
    found = Operator(stack, admin)
    yield found
    found.limit(akash_day=None, akash_open=None)


def at_once(stack: RunningStack, thieves: list[Thief], ask: Callable[[httpx.Client, Thief], Any]) -> list[Any]:
    """Return what each thief gets who asks at the same moment as all others."""
    barrier = threading.Barrier(len(thieves))

    def go(thief: Thief) -> Any:
        with httpx.Client(base_url=stack.api, timeout=120, headers=bearer(thief.token)) as client:
            barrier.wait(60)
            return ask(client, thief)

    with ThreadPoolExecutor(len(thieves)) as threads:
        return list(threads.map(go, thieves))


@pytest.mark.parametrize("name", ["akash_day", "akash_open"])
def test_deposits_never_pass_a_ceiling_together(
    stack: RunningStack, operator: Operator, thieves: list[Thief], name: str
) -> None:
    limit = operator.leave(name, LEFT)
    over, done = [], threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            if (used := Decimal(operator.budget(name)["used"])) > limit:
                over.append(used)

    def ask(client: httpx.Client, thief: Thief) -> httpx.Response:
        text = sdl_with({"id": thief.wallet + name, **quick({"bids": {"none": True}})})
        return client.post("/api/deployments", json={"sdl": text, "deposit": str(DEPOSIT)})

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        answers = at_once(stack, thieves, ask)
        # Who is refused tries again and again.
        answers += at_once(stack, thieves[:10], ask)
    finally:
        done.set()
        watching.join()
    codes = Counter(answer.status_code for answer in answers)
    refused = [answer.json()["error"] for answer in answers if answer.status_code == 503]
    assert over == []
    assert set(codes) <= {202, 409, 503}, codes
    assert 1 <= codes[202] <= LEFT // DEPOSIT, codes
    assert {error["code"] for error in refused} == {"BUDGET_EXCEEDED"}
    assert {error["details"]["budget"] for error in refused} == {name}
    # Nothing of the operator's figures is told to strangers.
    assert not any("limit" in error["details"] or "left" in error["details"] for error in refused)
    with httpx.Client(base_url=stack.described["console_api"], timeout=30) as console:
        entries = console.get("/_simulator/ledger").json()["deployments"]
    made = [entry for entry in entries if str(entry["scenario"]).endswith(name)]
    assert len(made) <= codes[202]
    assert sum(Decimal(entry["deposit"]) for entry in made) / 10**6 <= LEFT


def test_a_top_up_is_held_to_the_ceiling_too(stack: RunningStack, operator: Operator, thieves: list[Thief]) -> None:
    """Those who got something ask for more of it, all at once."""
    few = thieves[:6]
    started = at_once(
        stack,
        few,
        lambda client, thief: client.post(
            "/api/deployments", json={"sdl": sdl_with({"id": thief.wallet, **quick({})}), "deposit": "0.5"}
        ),
    )
    assert {answer.status_code for answer in started} == {202}, [answer.text for answer in started]
    ids = {thief.wallet: answer.json()["deployment_id"] for thief, answer in zip(few, started, strict=True)}

    def active(client: httpx.Client, thief: Thief) -> str:
        found = eventually(
            lambda: client.get(f"/api/deployments/{ids[thief.wallet]}").json(),
            lambda found: found["status"] != "pending",
            within=240,
            every=0.5,
        )
        return f"{found['status']} {found['error'] or ''}".strip()

    assert set(at_once(stack, few, active)) == {"active"}
    limit = operator.leave("akash_day", LEFT)
    answers = at_once(
        stack,
        few,
        lambda client, thief: client.post(f"/api/deployments/{ids[thief.wallet]}/deposit", json={"amount": "5"}),
    )
    codes = Counter(answer.status_code for answer in answers)
    assert codes[202] <= LEFT // DEPOSIT, codes
    assert set(codes) <= {202, 409, 503}
    assert Decimal(operator.budget("akash_day")["used"]) <= limit
    at_once(stack, few, lambda client, thief: client.delete(f"/api/deployments/{ids[thief.wallet]}"))
