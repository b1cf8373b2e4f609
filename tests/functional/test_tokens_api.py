"""Launched tokens, through the tokens function, as anyone reads them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.compile_contracts import ROOT
from slipway.amounts import base_units
from slipway.chain.abi import call_data, encode
from slipway.chain.contracts import load
from slipway.jobs.deployments import deployment_key
from slipway.settings import chain_settings
from slipway.solidity.compiler import Compiler
from slipway.tokens.public import KEPT_SECONDS, PublicTokens, whole
from slipway.tokens.store import LaunchedToken, ModelLock, TokenItem, model_lock_key
from tests.support.clock import ManualClock
from tests.support.installation import MANAGER, REGISTRY, Installation
from tests.support.nodes import RefusalError
from tests.support.wallets import ALICE

TOKEN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
SUPPLY = 1_000_000_500_000_000_000_000_000
MODEL = "sentiment-v2"
HASH = "0x" + "ab" * 32


def _token(**changes: Any) -> None:
    given = {
        "deployment_id": "1",
        "chain_id": 31337,
        "model_id": "sentiment-v2",
        "wallet": ALICE.address,
        "token_address": TOKEN,
        "token_name": "Sentiment",
        "token_symbol": "SENT",
        "steward": ALICE.address,
        "max_supply": "5",
        "transactions": [{"purpose": "deploy", "transaction_hash": HASH, "block_number": 7}],
        "source_hash": load("HokusaiToken").source_hash,
        "created_at": "2026-11-29T00:00:00Z",
        **changes,
    }
    LaunchedToken(*LaunchedToken.key(TOKEN), **given).save()


def _chain(slipway: Installation, terms: tuple[str, int] | None = (ALICE.address, 2 * SUPPLY)) -> None:
    """Let the chain know a supply, an owner, and terms; without terms the registry is one of an earlier version."""

    def answer(params: list[Any]) -> str:
        if params[0]["to"].lower() == REGISTRY.lower():
            if terms is None:
                raise RefusalError(3, "execution reverted")
            return "0x" + terms[0][2:].rjust(64, "0").lower() + f"{terms[1]:064x}" + "0" * 64
        is_supply = params[0]["data"].startswith("0x18160ddd")
        return f"0x{SUPPLY:064x}" if is_supply else "0x" + MANAGER[2:].rjust(64, "0")

    slipway.node.answers["eth_call"] = answer


def _earlier(**changes: Any) -> str:
    """Store a launch as builds of before 2026-11-29 left it; return its id."""
    given = {
        "deployment_id": "9b2b2f2e-0000-4000-8000-000000000001",
        "status": "completed",
        "model_id": MODEL,
        "wallet": ALICE.address,
        "chain_id": 31337,
        "token_name": "Sentiment",
        "token_symbol": "SENT",
        "estimated_gas_cost": "1",
        "token_address": TOKEN,
        "deployment_tx_hash": HASH,
        "deployment_block": 7,
        "registry_tx_hash": HASH,
        "registry_block": 9,
        "deadline": "2026-11-21T00:15:00.000Z",
        "created_at": "2026-11-21T00:00:00.000Z",
        "updated_at": "2026-11-21T00:01:00.000Z",
        **changes,
    }
    deployment_id = given["deployment_id"]
    TokenItem(*deployment_key(deployment_id), **given).save()
    ModelLock(*model_lock_key(MODEL), deployment_id=deployment_id).save()
    return str(deployment_id)


def _registry(
    slipway: Installation, predecessor: int | None, models: dict[str, str] | None = None, **more: str
) -> None:
    """Let a registry know models by their tokens, and whom it follows; None is a version that followed nobody."""

    def answer(params: list[Any]) -> str:
        data = params[0]["data"]
        if data == "0x" + call_data("predecessor()", ()).hex():
            if predecessor is None:
                raise RefusalError(3, "execution reverted")
            return f"0x{predecessor:064x}"
        if data.startswith("0x" + call_data("modelOf(address)", (TOKEN,)).hex()[:8]):
            model = (models or {}).get(data[-40:], "")
            return "0x" + encode(("string",), (model,)).hex()
        return "0x" + "0" * 64

    slipway.node.answers["eth_call"] = answer
    slipway.node.answers["eth_getCode"] = lambda _: more.get("code", "0x6001")


def _get(slipway: Installation, part: str = "token", address: str = TOKEN) -> Any:
    return slipway.api(f"api_tokens_{part}", path={"address": address})


def test_anyone_reads_a_token(slipway: Installation) -> None:
    _token()
    _chain(slipway)
    slipway.calls.clear()
    slipway.node.asked.clear()
    answer = _get(slipway)
    assert answer.status == 200
    assert answer.body == {
        "address": TOKEN,
        "chain_id": 31337,
        "model_id": "sentiment-v2",
        "name": "Sentiment",
        "symbol": "SENT",
        "decimals": 18,
        "total_supply": "1000000.5",
        "max_supply": "2000001",
        "steward": ALICE.address,
        "owner": MANAGER,
        "transactions": [
            {
                "purpose": "deploy",
                "transaction_hash": HASH,
                "block_number": 7,
                "explorer_url": f"https://explorer.test/tx/{HASH}",
            },
        ],
        "verification": {"status": "off", "urls": []},
        "explorer_url": f"https://explorer.test/address/{TOKEN}",
        "wallet_asset": {"type": "ERC20", "options": {"address": TOKEN, "symbol": "SENT", "decimals": 18}},
    }
    assert answer.headers["cache-control"] == f"public, max-age={KEPT_SECONDS}"
    # One read of the store, one call of the chain; and none for the next reader.
    assert Counter(operation for _, operation, _ in slipway.calls) == {"BatchGetItem": 1}
    assert [method for method, _ in slipway.node.asked] == ["eth_call"]
    assert _get(slipway, address=TOKEN.lower()).body == answer.body
    assert len(slipway.node.asked) == 1


def test_a_token_of_an_earlier_registry_has_no_steward(slipway: Installation) -> None:
    _token(max_supply=None)
    _chain(slipway, terms=None)
    body = _get(slipway).body
    assert (body["steward"], body["max_supply"], body["total_supply"]) == (None, None, "1000000.5")


def test_a_steward_who_renounced_is_none(slipway: Installation) -> None:
    _token()
    _chain(slipway, terms=("0x" + "0" * 40, SUPPLY))
    body = _get(slipway).body
    assert (body["steward"], body["max_supply"]) == (None, "1000000.5")


@pytest.mark.parametrize("answer", ["nonsense", "0x", "0x01"])
def test_a_chain_that_is_silent_leaves_its_part_null_and_is_asked_again(slipway: Installation, answer: str) -> None:
    _token()
    slipway.node.answers["eth_call"] = answer
    body = _get(slipway).body
    assert (body["total_supply"], body["owner"], body["max_supply"], body["name"]) == (None, None, "5", "Sentiment")
    _chain(slipway)
    assert _get(slipway).body["total_supply"] == "1000000.5"


def test_what_was_read_is_read_again_after_some_seconds(slipway: Installation) -> None:
    _token()
    _chain(slipway)
    clock = ManualClock()
    tokens = PublicTokens(chain_settings().token_chain, slipway.node.client(), clock)
    for seconds in (0, KEPT_SECONDS - 1, 2):
        clock.sleep(seconds)
        tokens.view(TOKEN)
    assert [method for method, _ in slipway.node.asked].count("eth_call") == 2


@pytest.mark.parametrize("part", ["token", "abi", "metadata"])
def test_an_address_that_is_none_of_ours_is_not_there(slipway: Installation, part: str) -> None:
    _token()
    _registry(slipway, predecessor=0)
    # Once, whether there is an earlier registry.
    assert _get(slipway, part, REGISTRY).status == 404
    assert len(slipway.node.asked) == 1
    slipway.node.asked.clear()
    answer = _get(slipway, part, MANAGER)
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert slipway.node.asked == []
    assert _get(slipway, part, "0x1").code == "VALIDATION_ERROR"


@pytest.mark.parametrize("predecessor", [None, 5])
def test_a_token_of_before_tokens_had_items_is_found_by_its_model(
    slipway: Installation, predecessor: int | None
) -> None:
    deployment_id = _earlier()
    code = load("HokusaiToken").deployed_bytecode
    _registry(slipway, predecessor, {TOKEN[2:].lower(): MODEL}, code=code)
    body = _get(slipway, address=TOKEN.lower()).body
    assert (body["address"], body["model_id"], body["symbol"]) == (TOKEN, MODEL, "SENT")
    assert [part["purpose"] for part in body["transactions"]] == ["deploy", "register"]
    assert LaunchedToken.get(*LaunchedToken.key(TOKEN)).deployment_id == deployment_id
    assert _get(slipway, "abi").status == 200
    # The registry is asked of strangers' addresses once a second at most; those that are known are read without it.
    first, second = _get(slipway, address=MANAGER), _get(slipway, "abi", MANAGER)
    assert sorted((first.status, second.status)) in ([404, 502], [502, 502])
    assert "retry-after" in second.headers
    assert _get(slipway).status == 200


def test_an_earlier_token_of_other_code_has_no_abi_here(slipway: Installation) -> None:
    _earlier()
    _registry(slipway, None, {TOKEN[2:].lower(): MODEL})
    assert _get(slipway).status == 200
    assert _get(slipway, "abi").status == 404


@pytest.mark.parametrize("changes", [{"status": "failed"}, {"token_address": MANAGER}])
def test_a_launch_that_made_no_such_token_is_none(slipway: Installation, changes: dict[str, str]) -> None:
    _earlier(**changes)
    _registry(slipway, None, {TOKEN[2:].lower(): MODEL})
    assert _get(slipway).status == 404


def test_a_registry_that_is_silent_leaves_it_open_whether_there_is_a_token(slipway: Installation) -> None:
    slipway.node.answers["eth_call"] = "nonsense"
    answer = _get(slipway)
    assert (answer.status, answer.code) == (502, "UPSTREAM_UNAVAILABLE")


def test_abi_and_source_are_those_that_the_bytecode_came_from(slipway: Installation) -> None:
    _token()
    artifact = load("HokusaiToken")
    assert _get(slipway, "abi").body == artifact.abi
    answer = _get(slipway, "metadata")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    with Compiler(ROOT / "node_modules" / "solc" / "soljson.js") as compiler:
        output = compiler.compile(answer.body)
    made = output["contracts"]["contracts/HokusaiToken.sol"]["HokusaiToken"]
    assert "0x" + made["evm"]["bytecode"]["object"] == artifact.bytecode
    assert json.dumps(made["abi"]) == json.dumps(artifact.abi)


def test_a_source_that_is_not_kept_is_not_shown_as_another(slipway: Installation) -> None:
    _token(source_hash="0" * 64)
    assert {_get(slipway, part).status for part in ("abi", "metadata")} == {404}


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_whole_tokens_are_what_they_were(amount: int) -> None:
    text = whole(amount)
    assert base_units(text, 18) == amount
    assert not ("." in text and text.endswith("0"))
