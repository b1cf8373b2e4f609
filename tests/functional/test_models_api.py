"""Models that a caller may launch, through the deployments function."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from slipway.chain.store import save_fee_cap
from slipway.tokens.models import ModelState
from tests.support.installation import REGISTRY, Installation
from tests.support.nodes import ZERO_WORD
from tests.support.wallets import ADMIN, ALICE, BOB

TOKEN = "0x" + "ab" * 20


def _models(slipway: Installation, account: Any = ALICE, query: str = "") -> Any:
    return slipway.api("api_deployments_models", token=slipway.token(account), query=query)


def _model(slipway: Installation, model_id: str, account: Any = ALICE) -> Any:
    return slipway.api("api_deployments_model", token=slipway.token(account), path={"id": model_id})


def _codes(model: dict[str, Any]) -> list[str]:
    return [refusal["code"] for refusal in model["refusals"]]


def test_a_wallet_sees_what_it_owns_and_contributes_to(slipway: Installation) -> None:
    slipway.model("a", metrics={"accuracy": 0.5}, validated_at="2026-11-01T00:00:00Z")
    slipway.model("b", owner=BOB.address, contributors=(ALICE.address,))
    slipway.model("c", owner=BOB.address)
    assert _models(slipway).body == {
        "models": [
            {
                "model_id": "a",
                "owner": ALICE.address,
                "contributors": [],
                "state": "validated",
                "validated_at": "2026-11-01T00:00:00Z",
                "metrics": {"accuracy": 0.5},
                "token": None,
                "refusals": [],
            },
            {
                "model_id": "b",
                "owner": BOB.address,
                "contributors": [ALICE.address],
                "state": "validated",
                "validated_at": None,
                "metrics": {},
                "token": None,
                "refusals": [],
            },
        ],
        "next_cursor": None,
    }
    assert [model["model_id"] for model in _models(slipway, BOB).body["models"]] == ["b", "c"]


def test_an_administrator_sees_all(slipway: Installation) -> None:
    slipway.model("a")
    slipway.model("c", owner=BOB.address)
    found = _models(slipway, ADMIN).body["models"]
    assert [(model["model_id"], model["owner"]) for model in found] == [("a", ALICE.address), ("c", BOB.address)]
    assert _model(slipway, "c", ADMIN).status == 200


def test_integers_among_metrics_stay_integers(slipway: Installation) -> None:
    slipway.model("a", metrics={"epochs": 10.0, "accuracy": 0.5, "big": 1e300})
    assert json.dumps(_model(slipway, "a").body["metrics"]) == '{"epochs": 10, "accuracy": 0.5, "big": 1e+300}'


def test_others_models_are_not_there(slipway: Installation) -> None:
    slipway.model("c", owner=BOB.address)
    answers = _model(slipway, "c"), _model(slipway, "d")
    assert {answer.status for answer in answers} == {404}
    assert answers[0].body["error"] == answers[1].body["error"]


def test_a_user_who_was_taken_from_a_model_sees_it_no_more(slipway: Installation) -> None:
    slipway.model("a", owner=BOB.address, contributors=(ALICE.address,))
    slipway.model("a", owner=BOB.address)
    assert _models(slipway).body == {"models": [], "next_cursor": None}
    assert _model(slipway, "a").status == 404


def test_pages_are_whole(slipway: Installation) -> None:
    for number in range(5):
        slipway.model(f"m{number}")
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = _models(slipway, query=f"limit=2&cursor={cursor}" if cursor else "limit=2").body
        found += [model["model_id"] for model in page["models"]]
        cursor = page["next_cursor"]
    assert found == [f"m{number}" for number in range(5)]
    assert _models(slipway, query="cursor=x").code == "VALIDATION_ERROR"


def test_a_page_is_one_query_however_long(slipway: Installation) -> None:
    for number in range(8):
        slipway.model(f"m{number}")
    slipway.launch("m3")
    slipway.launch("m5")
    slipway.calls.clear()
    slipway.node.asked.clear()
    page = _models(slipway).body["models"]
    assert len(page) == 8
    # The list; its models, locks and launches; the switch with the limit, and the chain's configuration.
    counted = Counter(operation for _, operation, _ in slipway.calls)
    assert counted == {"Query": 1, "BatchGetItem": 4, "GetItem": 2}
    # One look at the registry for all of them.
    assert len([method for method, _ in slipway.node.asked if method == "eth_call"]) == 2


def test_every_refusal_of_a_launch_is_there(slipway: Installation) -> None:
    slipway.model("held")
    slipway.model("rejected", state=ModelState.REJECTED)
    slipway.model("fine")
    slipway.model("registered")
    accepted = slipway.launch("held").body["deployment_id"]

    def registry(params: list[Any]) -> str:
        call = params[0]
        is_asked = call["to"].lower() == REGISTRY and b"registered".hex() in call["data"]
        return "0x" + TOKEN[2:].rjust(64, "0") if is_asked else ZERO_WORD

    slipway.node.answers["eth_call"] = registry
    found = {model["model_id"]: model for model in _models(slipway).body["models"]}
    assert {model_id: _codes(model) for model_id, model in found.items()} == {
        "fine": [],
        "held": ["TOKEN_EXISTS"],
        "registered": ["TOKEN_EXISTS"],
        "rejected": ["MODEL_NOT_VALIDATED"],
    }
    assert found["held"]["token"] is None, accepted
    save_fee_cap(31337, 1)
    slipway.node.answers["eth_call"] = ZERO_WORD
    assert _codes(_model(slipway, "fine").body) == ["INSUFFICIENT_GAS"]
    assert _codes(_model(slipway, "rejected").body) == ["MODEL_NOT_VALIDATED", "INSUFFICIENT_GAS"]
    for refused in ("fine", "rejected"):
        assert slipway.launch(refused).code == _codes(_model(slipway, refused).body)[0]


def test_a_chain_that_is_silent_is_a_refusal_and_no_failure(slipway: Installation) -> None:
    slipway.model("fine")
    slipway.node.answers["eth_call"] = "nonsense"
    assert _codes(_model(slipway, "fine").body) == ["UPSTREAM_UNAVAILABLE"]
