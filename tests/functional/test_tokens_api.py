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
from slipway.chain.contracts import load
from slipway.configuration import chain_settings
from slipway.solidity.compiler import Compiler
from slipway.tokens.public import TTL_SECONDS, PublicTokens, whole
from slipway.tokens.store import LaunchedToken
from tests.support.clock import ManualClock
from tests.support.installation import MANAGER, REGISTRY, Installation
from tests.support.nodes import RefusalError
from tests.support.wallets import ALICE

TOKEN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
SUPPLY = 1_000_000_500_000_000_000_000_000
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
    assert answer.headers["cache-control"] == f"public, max-age={TTL_SECONDS}"
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
    for seconds in (0, TTL_SECONDS - 1, 2):
        clock.sleep(seconds)
        tokens.view(TOKEN)
    assert [method for method, _ in slipway.node.asked].count("eth_call") == 2


@pytest.mark.parametrize("part", ["token", "abi", "metadata"])
def test_an_address_that_is_none_of_ours_is_not_there(slipway: Installation, part: str) -> None:
    _token()
    answer = _get(slipway, part, MANAGER)
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert slipway.node.asked == []
    assert _get(slipway, part, "0x1").code == "VALIDATION_ERROR"


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
