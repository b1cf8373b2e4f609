"""What ``make chain-check`` finds."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from slipway.chain import check as chain_check
from slipway.chain.check import Row, check, main, table
from slipway.chains import GWEI, read_chains
from slipway.configuration import ChainSettings, chain_settings

REGISTRAR, STRANGER, REGISTRY = "0x" + "11" * 20, "0x" + "22" * 20, "0x" + "99" * 20
URLS = ("https://first.test/v3/key-of-first", "https://user:key-of-second@second.test/?k=key-of-second")


class World:
    """Two addresses of a chain; a test changes what each answers."""

    def __init__(self, **changes: Any) -> None:
        entry = {"chain_id": 5, "name": "testnet", "rpc_urls": URLS, "max_fee_per_gas": 100 * GWEI}
        self.settings = ChainSettings(read_chains([{**entry, "block_seconds": 10, **changes}]), 5)
        answers: dict[str, Any] = {
            "eth_chainId": "0x5",
            "eth_blockNumber": hex(100),
            "web3_clientVersion": "Geth/v1.17.10",
            "eth_feeHistory": {"baseFeePerGas": [hex(7 * GWEI)], "reward": []},
            "eth_maxPriorityFeePerGas": hex(GWEI // 2),
            "eth_gasPrice": hex(GWEI),
            "eth_getBlockByNumber": {"baseFeePerGas": hex(7 * GWEI)},
            "eth_getBalance": hex(10**18),
        }
        self.answers: dict[str, dict[str, Any]] = {"first.test": dict(answers), "second.test": dict(answers)}
        self.deployers = [REGISTRAR]
        self.registry: str | None = REGISTRY

    def handle(self, request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        answers = self.answers[request.url.host]
        if call["method"] == "eth_call" and "eth_call" not in answers:
            result = "0x" + "00" * 31 + ("01" if REGISTRAR[2:] in call["params"][0]["data"] else "00")
        else:
            result = answers[call["method"]]
        if isinstance(result, httpx.Response):
            return result
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": call["id"], "result": result})

    def rows(self) -> list[Row]:
        client = httpx.Client(transport=httpx.MockTransport(self.handle))
        return check(self.settings, client, lambda _: (self.deployers, self.registry))

    def verdicts(self) -> list[str]:
        return [row[-1] for row in self.rows()]


def test_all_is_well_and_no_key_is_shown() -> None:
    rows = World().rows()
    assert [row[-1] for row in rows] == ["ok"] * 3
    shown = table(rows)
    assert "address 1 (first.test)" in shown
    assert "Geth/v1.17.10, block 100, 0 behind, eip1559, base fee 7 gwei, tip 0.5 gwei" in shown
    assert f"deployer {REGISTRAR}" in shown
    assert "balance 1.000000, registered" in shown
    assert "key-of" not in shown
    assert len({len(line) for line in shown.splitlines()[:2]}) <= 2


def test_an_address_of_another_chain() -> None:
    world = World()
    world.answers["second.test"]["eth_chainId"] = "0x1"
    ok, wrong, _ = world.verdicts()
    assert ok == "ok"
    assert "is of chain 1, not 5" in wrong


def test_an_address_that_lags() -> None:
    world = World()
    world.answers["first.test"]["eth_blockNumber"] = hex(90)
    assert world.verdicts()[:2] == ["it lags behind the chain's other addresses", "ok"]


def test_an_address_that_does_not_answer_reveals_no_key() -> None:
    world = World()
    world.answers["first.test"]["eth_blockNumber"] = httpx.Response(
        401,
        json={"error": {"code": -32000, "message": "no project key-of-first at https://first.test/v3/key-of-first"}},
    )
    rows = world.rows()
    assert "no project" in rows[0][-1]
    assert "key-of" not in table(rows)


@pytest.mark.parametrize(
    ("changes", "answers", "verdict"),
    [
        ({"fee_model": "legacy"}, {}, "fee_model is eip1559"),
        ({}, {"eth_getBlockByNumber": {}}, "fee_model is legacy"),
        ({"fee_model": "legacy"}, {"eth_getBlockByNumber": {}}, "ok"),
        ({"max_fee_per_gas": 10 * GWEI}, {}, "its fee is over the cap"),
        ({"l1_fee": "op-stack"}, {"eth_call": "0x"}, "eth_call"),
        ({"l1_fee": "op-stack"}, {}, "ok"),
    ],
)
def test_how_it_charges(changes: dict[str, Any], answers: dict[str, Any], verdict: str) -> None:
    world = World(**changes)
    world.answers["first.test"] |= answers
    assert verdict in world.verdicts()[0]


def test_deployers_that_cannot_work() -> None:
    world = World()
    world.deployers = [REGISTRAR, STRANGER]
    for answers in world.answers.values():
        answers["eth_getBalance"] = "0x1"
    assert world.verdicts()[2:] == [
        "it can't pay for a launch at present fees",
        "it can't pay for a launch at present fees; it has no REGISTRAR_ROLE",
    ]
    world.registry = None
    assert "Slipway's contracts are not installed" in world.verdicts()[2]


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    monkeypatch.delenv("CONTROL_TABLE", raising=False)
    monkeypatch.setattr(chain_check, "chain_settings", lambda: world.settings)
    monkeypatch.setattr(chain_check, "public_client", lambda: httpx.Client(transport=httpx.MockTransport(world.handle)))
    assert main([]) == 0
    assert main(["--deployer", STRANGER]) == 1
    assert "contracts are not installed" in capsys.readouterr().out


def test_chains_that_cannot_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = {"chain_id": 5, "name": "t", "rpc_urls": ["https://t.test/key-of"], "max_fee_per_gas": 1, "colour": "red"}
    monkeypatch.setenv("CHAINS", json.dumps([chain]))
    chain_settings.cache_clear()
    try:
        assert main([]) == 2
    finally:
        monkeypatch.undo()
        chain_settings.cache_clear()
    found = capsys.readouterr().err
    assert "chain 5: unknown fields: colour" in found
    assert "key-of" not in found
