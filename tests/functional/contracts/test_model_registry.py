"""ModelRegistry on a real chain: one token a model, one model a token, and only by a registrar."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3.contract.contract import Contract
from web3.exceptions import ContractCustomError

from .conftest import ADMINISTRATOR_ROLE, Chain, error_selector

ZERO = "0x" + "0" * 40
# Nobody is steward, nothing is ever minted.
NO_TERMS = (ZERO, 0, bytes(32))
REGISTER = "register(string,address,address,uint256,bytes32)"
UNAUTHORIZED = "AccessControlUnauthorizedAccount(address,bytes32)"


@pytest.fixture(scope="module")
def registry(chain: Chain) -> Contract:
    """Administered by the first account; the second and the third are registrars."""
    contract = chain.deploy("ModelRegistry", chain.accounts[0], ZERO)
    role = contract.functions.REGISTRAR_ROLE().call()
    for registrar in chain.accounts[1:3]:
        chain.send(contract.functions.grantRole(role, registrar), chain.accounts[0])
    return contract


def test_registration_can_be_read_and_names_both_in_its_event(chain: Chain, registry: Contract) -> None:
    token = chain.new_contract()
    receipt = chain.send(
        registry.functions.register("wave/1", token, chain.accounts[5], 7, b"\1" * 32), chain.accounts[1]
    )
    (event,) = registry.events.TokenRegistered().process_receipt(receipt)
    assert dict(event["args"]) == {
        "modelKey": Web3.keccak(text="wave/1"),
        "token": token,
        "registrar": chain.accounts[1],
        "modelId": "wave/1",
        "terms": {"steward": chain.accounts[5], "maxSupply": 7, "distribution": b"\1" * 32},
    }
    assert registry.functions.termsOf(token).call() == (chain.accounts[5], 7, b"\1" * 32)
    assert registry.functions.tokenOf("wave/1").call() == token
    assert registry.functions.isRegistered("wave/1").call() is True
    assert registry.functions.modelOf(token).call() == "wave/1"


def test_registration_is_found_by_model_and_by_token(chain: Chain, registry: Contract) -> None:
    token = chain.new_contract()
    chain.send(registry.functions.register("found", token, *NO_TERMS), chain.accounts[1])
    for wanted in ({"modelKey": Web3.keccak(text="found")}, {"token": token}):
        (event,) = registry.events.TokenRegistered().get_logs(from_block=0, argument_filters=wanted)
        assert (event["args"]["modelId"], event["args"]["token"]) == ("found", token)


def test_unknown_model_and_token_have_nothing(chain: Chain, registry: Contract) -> None:
    assert registry.functions.tokenOf("unknown").call() == ZERO
    assert registry.functions.isRegistered("unknown").call() is False
    assert registry.functions.modelOf(chain.new_account().address).call() == ""
    assert registry.functions.termsOf(chain.new_account().address).call() == NO_TERMS


def test_every_registrar_may_register(chain: Chain, registry: Contract) -> None:
    for number, registrar in enumerate(chain.accounts[1:3]):
        chain.send(registry.functions.register(f"several/{number}", chain.new_contract(), *NO_TERMS), registrar)


@pytest.mark.parametrize("who", [0, 3], ids=["administrator", "stranger"])
def test_nobody_else_may_register(chain: Chain, registry: Contract, who: int) -> None:
    call = registry.functions.register("theirs", chain.new_contract(), *NO_TERMS)
    chain.refuse(call, chain.accounts[who], "ModelRegistry", UNAUTHORIZED)


def test_model_has_one_token_forever(chain: Chain, registry: Contract) -> None:
    token = chain.new_contract()
    chain.send(registry.functions.register("once", token, *NO_TERMS), chain.accounts[1])
    for again in (token, chain.new_contract()):
        call = registry.functions.register("once", again, *NO_TERMS)
        chain.refuse(call, chain.accounts[2], "ModelRegistry", "ModelAlreadyRegistered(string,address)")
    assert registry.functions.tokenOf("once").call() == token


def test_token_has_one_model_forever(chain: Chain, registry: Contract) -> None:
    token = chain.new_contract()
    chain.send(registry.functions.register("first", token, *NO_TERMS), chain.accounts[1])
    call = registry.functions.register("second", token, *NO_TERMS)
    chain.refuse(call, chain.accounts[1], "ModelRegistry", "TokenAlreadyRegistered(address,string)")
    assert registry.functions.isRegistered("second").call() is False


def test_nothing_is_registered_for_no_model_or_no_token(chain: Chain, registry: Contract) -> None:
    no_model = registry.functions.register("", chain.new_account().address, *NO_TERMS)
    chain.refuse(no_model, chain.accounts[1], "ModelRegistry", "EmptyModelId()")
    chain.refuse(registry.functions.register("m", ZERO, *NO_TERMS), chain.accounts[1], "ModelRegistry", "ZeroToken()")


def test_an_address_without_code_is_no_token(chain: Chain, registry: Contract) -> None:
    nowhere = chain.new_account().address
    call = registry.functions.register("early", nowhere, *NO_TERMS)
    chain.refuse(call, chain.accounts[1], "ModelRegistry", "TokenWithoutCode(address)")
    chain.rpc("anvil_setCode", nowhere, "0x00")
    chain.send(call, chain.accounts[1])
    assert registry.functions.tokenOf("early").call() == nowhere


def test_the_registry_announces_that_it_looks_for_code_and_keeps_terms(chain: Chain, registry: Contract) -> None:
    announced = registry.functions.supportsInterface
    assert announced(Web3.keccak(text=REGISTER)[:4]).call() is True
    assert announced(Web3.keccak(text="register(string,address)")[:4]).call() is False
    # Of AccessControl and of ERC-165 itself; and nothing else.
    assert [announced(identifier).call() for identifier in ("0x7965db0b", "0x01ffc9a7", "0xffffffff")] == [
        True,
        True,
        False,
    ]


def test_revoked_registrar_may_not_register(chain: Chain) -> None:
    administrator, registrar = chain.accounts[:2]
    registry = chain.deploy("ModelRegistry", administrator, ZERO)
    role = registry.functions.REGISTRAR_ROLE().call()
    chain.send(registry.functions.grantRole(role, registrar), administrator)
    chain.send(registry.functions.register("a", chain.new_contract(), *NO_TERMS), registrar)
    chain.send(registry.functions.revokeRole(role, registrar), administrator)
    call = registry.functions.register("b", chain.new_contract(), *NO_TERMS)
    chain.refuse(call, registrar, "ModelRegistry", UNAUTHORIZED)


def test_only_the_administrator_makes_registrars(chain: Chain, registry: Contract) -> None:
    role = registry.functions.REGISTRAR_ROLE().call()
    assert role == Web3.keccak(text="REGISTRAR_ROLE")
    assert registry.functions.hasRole(ADMINISTRATOR_ROLE, chain.accounts[0]).call() is True
    for account in chain.accounts[1], chain.accounts[3]:
        chain.refuse(registry.functions.grantRole(role, account), account, "ModelRegistry", UNAUTHORIZED)


def test_administrator_is_not_zero(chain: Chain) -> None:
    with pytest.raises(ContractCustomError) as caught:
        chain.deploy("ModelRegistry", ZERO, ZERO)
    assert caught.value.data == error_selector("ModelRegistry", "ZeroAdministrator()")


@settings(max_examples=15, deadline=None)
@given(identifiers=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=4, unique=True))
def test_different_models_never_share_a_token(chain: Chain, identifiers: list[str]) -> None:
    administrator = chain.accounts[0]
    registry = chain.deploy("ModelRegistry", administrator, ZERO)
    chain.send(registry.functions.grantRole(registry.functions.REGISTRAR_ROLE().call(), administrator), administrator)
    tokens = {identifier: chain.new_contract() for identifier in identifiers}
    for identifier, token in tokens.items():
        chain.send(registry.functions.register(identifier, token, *NO_TERMS), administrator)
    for identifier, token in tokens.items():
        assert registry.functions.tokenOf(identifier).call() == token
        assert registry.functions.modelOf(token).call() == identifier


def test_what_an_earlier_registry_knows_is_taken(chain: Chain) -> None:
    administrator = chain.accounts[0]
    first = chain.deploy("ModelRegistry", administrator, ZERO)
    second = chain.deploy("ModelRegistry", administrator, first.address)
    third = chain.deploy("ModelRegistry", administrator, second.address)
    role = first.functions.REGISTRAR_ROLE().call()
    for registry in (first, second, third):
        chain.send(registry.functions.grantRole(role, administrator), administrator)
    token = chain.new_contract()
    chain.send(first.functions.register("early", token, administrator, 5, bytes(32)), administrator)
    for registry in (second, third):
        assert registry.functions.tokenOf("early").call() == token
        assert registry.functions.isRegistered("early").call() is True
        assert registry.functions.modelOf(token).call() == "early"
        # Its terms are the other registry's: whoever reads them here is no steward.
        assert registry.functions.termsOf(token).call() == NO_TERMS
        again = registry.functions.register("early", chain.new_contract(), *NO_TERMS)
        chain.refuse(again, administrator, "ModelRegistry", "ModelAlreadyRegistered(string,address)")
        stolen = registry.functions.register("late", token, administrator, 10**30, bytes(32))
        chain.refuse(stolen, administrator, "ModelRegistry", "TokenAlreadyRegistered(address,string)")
        chain.refuse(
            registry.functions.setSteward(token, administrator),
            administrator,
            "ModelRegistry",
            "TokenNotRegistered(address)",
        )
    chain.send(third.functions.register("late", chain.new_contract(), *NO_TERMS), administrator)
    assert first.functions.isRegistered("late").call() is False


def test_only_a_tokens_owner_names_its_steward(chain: Chain, registry: Contract) -> None:
    owner, steward = chain.accounts[6:8]
    token = chain.deploy("HokusaiToken", "Owned", "OWN", owner).address
    call = registry.functions.setSteward(token, steward)
    chain.refuse(call, owner, "ModelRegistry", "TokenNotRegistered(address)")
    chain.send(registry.functions.register("owned", token, steward, 7, b"\2" * 32), chain.accounts[1])
    for thief in (*chain.accounts[:4], steward):
        chain.refuse(call, thief, "ModelRegistry", "NotOwner(address)")
    receipt = chain.send(registry.functions.setSteward(token, ZERO), owner)
    (event,) = registry.events.StewardSet().process_receipt(receipt)
    assert dict(event["args"]) == {"token": token, "former": steward, "steward": ZERO}
    assert registry.functions.termsOf(token).call() == (ZERO, 7, b"\2" * 32)
