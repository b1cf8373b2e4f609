"""Several view calls in one, on a real chain."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from local.chains import chain_entry
from slipway.addresses import keccak256
from slipway.chain.abi import call_data, string_at
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.reads import _answers, read_together
from slipway.chains import Chain as Described
from slipway.escrow.contract import statuses
from slipway.escrow.rules import job_key
from slipway.tokens.calls import registered_tokens

from .conftest import Chain

ZERO = "0x" + "00" * 20


@pytest.fixture
def rpc(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> JsonRpc:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")
    entry = chain_entry(chain.url)
    return JsonRpc(Described.from_json(entry), httpx.Client())


def test_each_call_has_its_answer_and_a_revert_stops_no_other(chain: Chain, rpc: JsonRpc) -> None:
    name = "A name that is longer than one word of thirty-two bytes"
    token = str(chain.deploy("HokusaiToken", name, "T", chain.accounts[0]).address)
    nobody = chain.new_account().address
    calls = [
        (token, call_data("name()", ())),
        (token, keccak256(b"nothing()")[:4]),
        (token, call_data("controller()", ())),
        (nobody, call_data("name()", ())),
        (token, call_data("balanceOf(address)", (nobody,))),
    ]
    found = read_together(rpc, calls)
    assert found[0] is not None
    assert string_at(found[0], 0) == name
    assert found[1] is None
    assert found[2] == bytes.fromhex(chain.accounts[0][2:]).rjust(32, b"\0")
    # A call to where there is no code succeeds and returns nothing.
    assert found[3] == b""
    assert found[4] == bytes(32)
    assert read_together(rpc, []) == []


def test_the_tokens_of_a_hundred_models_are_one_call(chain: Chain, rpc: JsonRpc) -> None:
    registry = chain.deploy("ModelRegistry", chain.accounts[0], ZERO)
    chain.send(
        registry.functions.grantRole(registry.functions.REGISTRAR_ROLE().call(), chain.accounts[1]), chain.accounts[0]
    )
    ids = [f"many/{number}-{'x' * number}" for number in range(100)]
    tokens = {ids[place]: chain.new_contract() for place in (0, 42, 99)}
    for model_id, token in tokens.items():
        chain.send(registry.functions.register(model_id, token, ZERO, 0, bytes(32)), chain.accounts[1])
    found = registered_tokens(rpc, str(registry.address), ids)
    assert found == {model_id: token.lower() for model_id, token in tokens.items()}


def test_the_escrow_accounts_of_a_large_run_are_as_few_calls_as_answers_have_room(
    chain: Chain, rpc: JsonRpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What creation code returns may have 24,576 bytes (EIP-170)."""
    token, payer, jobs = chain.deploy("TestUSDC"), chain.accounts[2], [str(uuid.uuid4()) for _ in range(4 * 50)]
    escrow = chain.deploy("Escrow", token.address, chain.accounts[0])
    chain.send(token.functions.mint(payer, 7), payer)
    chain.send(token.functions.approve(escrow.address, 7), payer)
    chain.send(escrow.functions.deposit(job_key(jobs[-1]), 7, 1), payer)
    called: list[str] = []
    create_call = rpc.create_call

    def counted(code: str, decode: Any) -> Any:
        called.append(code)
        return create_call(code, decode)

    monkeypatch.setattr(rpc, "create_call", counted)
    found = statuses(rpc, [(str(escrow.address), job, payer) for job in jobs])
    assert [status and status.deposited for status in found] == [0] * 199 + [7]
    assert len(called) == 6
    called.clear()
    assert len(statuses(rpc, [(str(escrow.address), job, payer) for job in jobs[:38]])) == len(called) * 38


@pytest.mark.parametrize("answer", [b"", bytes(32), bytes(64), b"\xff" * 256, (32).to_bytes(32, "big") + b"\xff" * 64])
def test_nonsense_is_no_answer(answer: bytes) -> None:
    with pytest.raises(ValueError, match="the answer"):
        _answers(answer, 1)
