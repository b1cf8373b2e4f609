"""The installation on a real chain: done once, resumed where it stopped, and never showing the key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.types import Nonce, TxParams

from local.ports import free_ports
from slipway.chain.administration import InstallError
from slipway.chain.install import InstalledContracts, install, main
from slipway.chain.install_escrow import install_escrow
from slipway.chain.install_escrow import main as escrow_main
from tests.support.chains import ETHER, running_anvil
from tests.support.flaky_node import FlakyNode
from tests.support.loopback_node import served

from .conftest import ADMINISTRATOR_ROLE, Chain

ROOT = Path(__file__).resolve().parents[3]
ZERO = "0x" + "0" * 40


@pytest.fixture
def administrator(chain: Chain) -> LocalAccount:
    """Each test's own, so that its nonce tells how many transactions were sent."""
    account = chain.new_account()
    hashed = chain.web3.eth.send_transaction(
        {"from": chain.accounts[9], "to": account.address, "value": Web3.to_wei(20, "ether")}
    )
    chain.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)
    return account


def _key(account: LocalAccount) -> str:
    return Web3.to_hex(account.key)


def _sent(chain: Chain, account: LocalAccount) -> int:
    return chain.web3.eth.get_transaction_count(account.address)


def test_contracts_are_installed_and_registrars_can_work(chain: Chain, administrator: LocalAccount) -> None:
    registrars = [chain.new_account() for _ in range(2)]
    installed = install(
        chain.url,
        _key(administrator),
        [registrar.address.lower() for registrar in registrars],
        fund_wei=ETHER,
    )
    registry = chain.contract("ModelRegistry", installed.model_registry)
    manager = chain.contract("TokenManager", installed.token_manager)
    assert manager.functions.registry().call() == installed.model_registry
    role = registry.functions.REGISTRAR_ROLE().call()
    for registrar in registrars:
        assert registry.functions.hasRole(role, registrar.address).call() is True
        assert registry.functions.hasRole(ADMINISTRATOR_ROLE, registrar.address).call() is False
        assert chain.web3.eth.get_balance(registrar.address) == ETHER
    assert registry.functions.hasRole(ADMINISTRATOR_ROLE, administrator.address).call() is True
    assert registry.functions.predecessor().call() == ZERO
    terms: TxParams = {"from": registrars[0].address, "nonce": Nonce(0), "chainId": chain.web3.eth.chain_id}
    transaction: Any = registry.functions.register(
        "installed", installed.token_manager, ZERO, 0, bytes(32)
    ).build_transaction(terms)
    hashed = chain.web3.eth.send_raw_transaction(registrars[0].sign_transaction(transaction).raw_transaction)
    assert chain.web3.eth.wait_for_transaction_receipt(hashed, timeout=20)["status"] == 1


@pytest.mark.parametrize("does", [True, False])
@pytest.mark.parametrize(
    "said",
    [
        {"code": -32000, "message": "header not found"},
        {"code": -32603, "message": "Internal error"},
        {"code": -32005, "message": "project ID request rate exceeded"},
        {"code": -32000, "message": "already known"},
        {"code": -32000, "message": "intrinsic gas too low"},
        httpx.Response(502, text="<html>Bad Gateway</html>"),
    ],
    ids=str,
)
def test_what_a_node_says_in_passing_does_not_stop_it(
    chain: Chain, administrator: LocalAccount, said: Any, does: bool
) -> None:
    """Each call is answered so once, and a send was done all the same or was not."""
    is_of_send = isinstance(said, dict) and ("known" in said["message"] or "intrinsic" in said["message"])
    if is_of_send and not does:
        pytest.skip("A node that says so has the transaction, or never takes it")
    heard: set[tuple[str, str]] = set()

    def says(method: str, params: list[Any]) -> Any:
        key = (method, json.dumps(params))
        if key in heard or (is_of_send and method != "eth_sendRawTransaction"):
            return None
        heard.add(key)
        return said

    flaky_node = FlakyNode(chain.url)
    flaky_node.says, flaky_node.does = says, does
    with served(flaky_node) as url:
        installed = install(url, _key(administrator), [chain.new_account().address])
    assert _sent(chain, administrator) == 3
    assert chain.contract("TokenManager", installed.token_manager).functions.registry().call()


def test_second_run_sends_nothing(chain: Chain, administrator: LocalAccount) -> None:
    registrar = chain.new_account().address
    first = install(chain.url, _key(administrator), [registrar], fund_wei=5)
    sent = _sent(chain, administrator)
    second = install(
        chain.url,
        _key(administrator),
        [registrar],
        fund_wei=5,
        model_registry=first.model_registry.lower(),
        token_manager=first.token_manager,
    )
    assert second == first
    assert _sent(chain, administrator) == sent == 4


def test_resumes_after_the_registry_and_adds_registrars(chain: Chain, administrator: LocalAccount) -> None:
    registry = chain.deploy("ModelRegistry", administrator.address, ZERO)
    registrar = chain.new_account().address
    installed = install(chain.url, _key(administrator), [registrar], model_registry=registry.address)
    assert installed.model_registry == registry.address
    assert _sent(chain, administrator) == 2
    another = chain.new_account().address
    assert install(
        chain.url,
        _key(administrator),
        [registrar, another],
        model_registry=installed.model_registry,
        token_manager=installed.token_manager,
    ) == InstalledContracts(installed.model_registry, installed.token_manager)
    assert _sent(chain, administrator) == 3


def test_funds_are_filled_up_not_sent_again(chain: Chain, administrator: LocalAccount) -> None:
    registrar = chain.new_account().address
    installed = install(chain.url, _key(administrator), [registrar], fund_wei=100)
    install(
        chain.url,
        _key(administrator),
        [registrar],
        fund_wei=250,
        model_registry=installed.model_registry,
        token_manager=installed.token_manager,
    )
    assert chain.web3.eth.get_balance(registrar) == 250


def test_a_new_version_follows_the_registry_that_is_there(chain: Chain, administrator: LocalAccount) -> None:
    registrar = chain.new_account().address
    first = install(chain.url, _key(administrator), [registrar])
    second = install(chain.url, _key(administrator), [registrar], predecessor=first.model_registry.lower())
    assert chain.contract("ModelRegistry", second.model_registry).functions.predecessor().call() == first.model_registry
    again = install(
        chain.url,
        _key(administrator),
        [registrar],
        predecessor=first.model_registry,
        model_registry=second.model_registry,
        token_manager=second.token_manager,
    )
    assert again == second
    with pytest.raises(InstallError, match="follows another"):
        install(
            chain.url,
            _key(administrator),
            [registrar],
            predecessor=second.model_registry,
            model_registry=second.model_registry,
        )
    with pytest.raises(InstallError, match="no contract"):
        install(chain.url, _key(administrator), [registrar], predecessor=registrar)


def test_failure_reports_what_is_there_already(chain: Chain) -> None:
    penniless = chain.new_account()
    registry = chain.deploy("ModelRegistry", penniless.address, ZERO)
    with pytest.raises(InstallError) as caught:
        install(chain.url, _key(penniless), [chain.accounts[0]], model_registry=registry.address)
    assert caught.value.known == {"model_registry": registry.address, "token_manager": None}
    assert _key(penniless)[2:] not in str(caught.value)


def test_addresses_without_contracts_and_of_others_are_refused(chain: Chain, administrator: LocalAccount) -> None:
    empty = chain.new_account().address
    with pytest.raises(InstallError, match="no contract"):
        install(chain.url, _key(administrator), [], model_registry=empty)
    one = chain.deploy("ModelRegistry", administrator.address, ZERO).address
    other = chain.deploy("ModelRegistry", administrator.address, ZERO).address
    manager = chain.deploy("TokenManager", other).address
    with pytest.raises(InstallError, match="another registry"):
        install(chain.url, _key(administrator), [], model_registry=one, token_manager=manager)
    assert _sent(chain, administrator) == 0


def test_registry_of_another_administrator_is_refused(chain: Chain, administrator: LocalAccount) -> None:
    registry = chain.deploy("ModelRegistry", chain.accounts[0], ZERO).address
    with pytest.raises(InstallError):
        install(chain.url, _key(administrator), [chain.new_account().address], model_registry=registry)


def test_malformed_arguments_are_refused_without_showing_the_key(chain: Chain, administrator: LocalAccount) -> None:
    with pytest.raises(ValueError, match="not an address"):
        install(chain.url, _key(administrator), ["0x12"])
    with pytest.raises(ValueError, match="malformed") as caught:
        install(chain.url, "0xc0ffee", [])
    assert "c0ffee" not in str(caught.value)


def test_chain_that_mines_nothing_ends_by_the_deadline(chain: Chain) -> None:
    account = chain.new_account()
    with running_anvil(31_338, "--no-mining") as anvil:
        anvil.fund(account.address)
        with pytest.raises(InstallError, match="not in the chain after"):
            install(anvil.url, _key(account), [], within_seconds=1)


def test_chain_that_is_not_there_ends_in_an_error(administrator: LocalAccount) -> None:
    (port,) = free_ports(1)
    with pytest.raises(InstallError):
        install(f"http://127.0.0.1:{port}", _key(administrator), [], within_seconds=5)


def test_command_prints_the_addresses(chain: Chain, administrator: LocalAccount) -> None:
    registrar = chain.new_account().address
    command = [sys.executable, "-m", "slipway.chain.install", "--rpc-url", chain.url, "--registrar", registrar]
    result = subprocess.run(
        [*command, "--fund-wei", "7"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "layers" / "slipway"),
            "ADMINISTRATOR_PRIVATE_KEY": _key(administrator),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    installed = json.loads(result.stdout)
    assert set(installed) == {"model_registry", "token_manager"}
    assert all(chain.web3.eth.get_code(address) for address in installed.values())
    assert chain.web3.eth.get_balance(registrar) == 7


def test_command_says_what_is_wrong(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--rpc-url", chain.url, "--registrar", chain.accounts[0]]
    monkeypatch.delenv("ADMINISTRATOR_PRIVATE_KEY", raising=False)
    assert main(arguments) == 2
    assert "ADMINISTRATOR_PRIVATE_KEY" in capsys.readouterr().err
    monkeypatch.setenv("ADMINISTRATOR_PRIVATE_KEY", "0xc0ffee")
    assert main(arguments) == 2
    assert "c0ffee" not in capsys.readouterr().err
    monkeypatch.setenv("ADMINISTRATOR_PRIVATE_KEY", _key(chain.new_account()))
    assert main(arguments) == 1
    assert json.loads(capsys.readouterr().out) == {"model_registry": None, "token_manager": None}


# ── The escrow ──────────────────────────────────────────────────────────────────────────────────


def test_the_escrow_is_installed_once(chain: Chain, administrator: LocalAccount) -> None:
    token, operator = chain.deploy("TestUSDC").address, chain.new_account().address
    address = install_escrow(chain.url, _key(administrator), token.lower(), [operator.lower()])
    contract = chain.contract("Escrow", address)
    assert contract.functions.token().call() == token
    assert contract.functions.hasRole(contract.functions.OPERATOR_ROLE().call(), operator).call() is True
    assert contract.functions.hasRole(ADMINISTRATOR_ROLE, operator).call() is False
    sent = _sent(chain, administrator)
    assert install_escrow(chain.url, _key(administrator), token, [operator], escrow=address.lower()) == address
    assert _sent(chain, administrator) == sent == 2


def test_an_escrow_of_another_token_is_refused(chain: Chain, administrator: LocalAccount) -> None:
    one, other = (chain.deploy("TestUSDC").address for _ in range(2))
    address = chain.deploy("Escrow", one, administrator.address).address
    with pytest.raises(InstallError, match="another token") as caught:
        install_escrow(chain.url, _key(administrator), other, [], escrow=address)
    assert caught.value.known == {"escrow": address}
    with pytest.raises(InstallError):
        install_escrow(chain.url, _key(administrator), chain.new_account().address, [])
    with pytest.raises(ValueError, match="not an address"):
        install_escrow(chain.url, _key(administrator), "usdc", [])


def test_the_escrows_command(
    chain: Chain,
    administrator: LocalAccount,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    token, operator = chain.deploy("TestUSDC").address, chain.new_account().address
    arguments = ["--rpc-url", chain.url, "--token", token, "--operator", operator]
    monkeypatch.delenv("ADMINISTRATOR_PRIVATE_KEY", raising=False)
    assert escrow_main(arguments) == 2
    monkeypatch.setenv("ADMINISTRATOR_PRIVATE_KEY", "0xc0ffee")
    assert escrow_main(arguments) == 2
    assert "c0ffee" not in capsys.readouterr().err
    monkeypatch.setenv("ADMINISTRATOR_PRIVATE_KEY", _key(chain.new_account()))
    assert escrow_main(arguments) == 1
    assert json.loads(capsys.readouterr().out) == {"escrow": None}
    monkeypatch.setenv("ADMINISTRATOR_PRIVATE_KEY", _key(administrator))
    assert escrow_main(arguments) == 0
    assert chain.web3.eth.get_code(json.loads(capsys.readouterr().out)["escrow"])
