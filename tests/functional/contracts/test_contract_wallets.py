"""Contract wallets on a chain: deployed (ERC-1271), not yet deployed (ERC-6492), and contracts that are no wallets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import defunct_hash_message
from web3 import Web3

from local.chains import TOKEN_CHAIN, chain_entry
from local.compile_contracts import ROOT
from slipway import configuration
from slipway.chain import contract_wallets
from slipway.errors import AuthenticationFailedError, UpstreamUnavailableError
from slipway.identity.sign_in import SignedMessage
from slipway.solidity.compiler import Compiler, build_input, node_modules_resolver
from tests.functional.contracts.conftest import Chain
from tests.support.passkey import Passkey

SOURCE = Path(__file__).parent / "sources" / "SignedByOwner.sol"
OWNER = Account.from_key("0x" + "77" * 32)
MESSAGE = "slipway.test wants you to sign in"
DIGEST = bytes(defunct_hash_message(text=MESSAGE))
UNDEPLOYED = bytes.fromhex("6492" * 16)


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    node_modules = ROOT / "node_modules"
    with Compiler(node_modules / "solc" / "soljson.js") as compiler:
        source = {SOURCE.name: SOURCE.read_text(encoding="utf-8")}
        output = compiler.compile(build_input(source, node_modules_resolver(node_modules)))
    return dict(output["contracts"][SOURCE.name])


@pytest.fixture
def configured(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Any:
    entry = chain_entry(chain.url)
    monkeypatch.setenv("CHAINS", json.dumps([entry]))
    monkeypatch.setenv("TOKEN_CHAIN_ID", str(TOKEN_CHAIN))
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")
    configuration.chain_settings.cache_clear()
    yield
    configuration.chain_settings.cache_clear()


def _deploy(chain: Chain, compiled: dict[str, Any], name: str, *arguments: Any) -> Any:
    entry = compiled[name]
    factory = chain.web3.eth.contract(abi=entry["abi"], bytecode=entry["evm"]["bytecode"]["object"])
    hashed = factory.constructor(*arguments).transact({"from": chain.accounts[0]})
    receipt = chain.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)
    return chain.web3.eth.contract(address=receipt["contractAddress"], abi=entry["abi"])


def _signature(account: Any = OWNER) -> bytes:
    return bytes(account.unsafe_sign_hash(DIGEST).signature)


def _takes(wallet: str, signature: bytes, chain_id: int = TOKEN_CHAIN) -> bool:
    return contract_wallets.takes(SignedMessage(wallet, "nonce", chain_id, DIGEST, signature))


pytestmark = pytest.mark.usefixtures("configured")


def test_a_deployed_wallet_takes_what_its_owner_signed(chain: Chain, compiled: dict[str, Any]) -> None:
    wallet = _deploy(chain, compiled, "SignedByOwner", OWNER.address).address
    assert _takes(wallet, _signature())
    assert not _takes(wallet, _signature(Account.create()))
    assert not _takes(wallet, b"")
    assert not _takes(wallet, UNDEPLOYED[:31])


def test_a_wallet_that_is_not_deployed_yet(chain: Chain, compiled: dict[str, Any]) -> None:
    factory = _deploy(chain, compiled, "WalletFactory")
    wallet = factory.functions.make(OWNER.address).call()
    call = factory.functions.make(OWNER.address).build_transaction({"gas": 1})["data"]
    assert chain.web3.eth.get_code(wallet) == b""

    def wrapped(signature: bytes, to: str = factory.address) -> bytes:
        return encode(["address", "bytes", "bytes"], [to, Web3.to_bytes(hexstr=call), signature]) + UNDEPLOYED

    assert _takes(wallet, wrapped(_signature()))
    assert not _takes(wallet, wrapped(_signature(Account.create())))
    assert not _takes(wallet, wrapped(_signature(), chain.accounts[3]))
    assert not _takes(chain.new_account().address, wrapped(_signature()))
    assert chain.web3.eth.get_code(wallet) == b"", "nothing is deployed by looking"
    chain.send(factory.functions.make(OWNER.address), chain.accounts[0])
    assert _takes(wallet, wrapped(_signature())), "the same signature, now that it is deployed"


def test_a_wallet_of_a_passkey(chain: Chain) -> None:
    passkey = Passkey("keys.coinbase.com")
    wallet = passkey.deploy(chain.web3, chain.accounts[0])
    assert _takes(wallet, passkey.sign(DIGEST))
    assert not _takes(wallet, Passkey("keys.coinbase.com").sign(DIGEST))
    assert not _takes(wallet, passkey.sign(bytes(32)))
    assert not _takes(wallet, _signature())


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_a_contract_that_is_no_wallet_takes_nothing(chain: Chain, compiled: dict[str, Any], kind: int) -> None:
    contract = _deploy(chain, compiled, "Hostile", kind).address
    try:
        assert not _takes(contract, _signature())
    except AuthenticationFailedError:
        assert kind == 3, "only what uses all its gas up makes the judgement itself fail"


@pytest.mark.parametrize("end", [b"", b"\xff" * 31, b"\xff" * 320])
def test_a_wrapped_signature_that_can_not_be_read_is_refused(chain: Chain, end: bytes) -> None:
    with pytest.raises(AuthenticationFailedError):
        _takes(chain.accounts[0], end + UNDEPLOYED)


def test_an_account_without_code_takes_nothing(chain: Chain) -> None:
    assert not _takes(OWNER.address, _signature())


def test_a_chain_that_does_not_answer_is_no_verdict(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = chain_entry("http://127.0.0.1:9")
    monkeypatch.setenv("CHAINS", json.dumps([entry]))
    configuration.chain_settings.cache_clear()
    with pytest.raises(UpstreamUnavailableError):
        _takes(OWNER.address, _signature())
