"""The language model's budget: no call is made that the day's ceiling can't pay, whoever races."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import botocore.exceptions
import pytest

from slipway.budgets.rules import bedrock_ceiling
from slipway.budgets.store import Budget
from slipway.builds.model.budget import BudgetedClient
from slipway.errors import BudgetExceededError
from slipway.settings import BedrockSettings
from tests.support.bedrock import SETTINGS, ScriptedClient, answer, error
from tests.support.installation import Installation

CALL: dict[str, Any] = {
    "system": [{"text": "x" * 1000}],
    "messages": [{"role": "user", "content": [{"text": "y" * 1000}]}],
    "inferenceConfig": {"maxTokens": 8192},
}
# 8,192 tokens at 15 US dollars a million are 0.12288, and what it reads comes on top.
MOST = Decimal("0.127")


def used() -> int:
    """Millionths of a US dollar."""
    budget = Budget.read([bedrock_ceiling(Decimal(1))])
    return int(budget._items["installation"].day)


def client(limit: str, *answers: Any, settings: BedrockSettings = SETTINGS) -> BudgetedClient:
    return BudgetedClient(ScriptedClient(answers), settings, bedrock_ceiling(Decimal(limit)))


def test_what_a_call_cost_is_what_counts(slipway: Installation) -> None:
    assert client("1", answer([])).converse(**CALL)["stopReason"] == "end_turn"
    # 1,000 tokens read at 3 and 200 written at 15 US dollars a million.
    assert used() == 6_000


def test_a_call_that_the_budget_cannot_pay_is_not_made(slipway: Installation) -> None:
    model = client("0.12", answer([]))
    with pytest.raises(BudgetExceededError) as caught:
        model.converse(**CALL)
    details = caught.value.details or {}
    assert (details["budget"], details["whose"]) == ("bedrock_day", "installation")
    assert (model._client.asked, used()) == ([], 0)  # type: ignore[attr-defined]


def test_a_refused_call_costs_nothing_and_an_unheard_one_may(slipway: Installation) -> None:
    model = client("1", error("ThrottlingException", 429), botocore.exceptions.ReadTimeoutError(endpoint_url="x"))
    with pytest.raises(botocore.exceptions.ClientError):
        model.converse(**CALL)
    assert used() == 0
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        model.converse(**CALL)
    assert 122_880 < used() < int(MOST * 10**6)


def test_an_unknown_price_is_a_high_one(slipway: Installation) -> None:
    settings = BedrockSettings(SETTINGS.model_id, 60.0, None, None)
    with pytest.raises(BudgetExceededError):
        client("0.6", answer([]), settings=settings).converse(**CALL)
    client("0.7", answer([]), settings=settings).converse(**CALL)


def test_calls_that_overlap_never_pass_the_ceiling_together(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each begins before the one before it has its answer, and knows only what was spent at the very beginning."""
    ceiling = bedrock_ceiling(10 * MOST)
    client("2", answer([])).converse(**CALL)
    before = Budget.read([ceiling])
    read, made, refused = Budget.read, [], []

    class Nested:
        def converse(self, **_: Any) -> Any:
            made.append(used())
            begin()
            return answer([])

    def stale(*_: Any) -> Budget:
        monkeypatch.setattr(Budget, "read", read)
        return copy.deepcopy(before)

    def begin() -> None:
        monkeypatch.setattr(Budget, "read", stale)
        try:
            BudgetedClient(Nested(), SETTINGS, ceiling).converse(**CALL)
        except BudgetExceededError as error:
            refused.append(error)

    begin()
    assert (len(made), len(refused)) == (10, 1)
    assert max(made) <= int(10 * MOST * 10**6)
    assert used() == 11 * 6_000
