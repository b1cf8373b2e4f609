"""TokenManager on a real chain: it mints and burns what the registry knows, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3.contract.contract import Contract
from web3.exceptions import ContractCustomError
from web3.logs import DISCARD

from .conftest import Chain, error_selector

ZERO = "0x" + "0" * 40
UNAUTHORIZED = "AccessControlUnauthorizedAccount(address,bytes32)"
MODEL = "wave/1"
# EIP-7825 lets no transaction use more.
TRANSACTION_GAS_LIMIT = 2**24


@dataclass(frozen=True)
class Launched:
    """A registry, a manager and one registered token; the first account is administrator, registrar and minter."""

    registry: Contract
    manager: Contract
    token: Contract


def launch(chain: Chain) -> Launched:
    administrator = chain.accounts[0]
    registry = chain.deploy("ModelRegistry", administrator)
    manager = chain.deploy("TokenManager", registry.address, administrator)
    token = chain.deploy("HokusaiToken", "Hokusai Wave", "WAVE", manager.address)
    chain.send(registry.functions.grantRole(registry.functions.REGISTRAR_ROLE().call(), administrator), administrator)
    chain.send(manager.functions.grantRole(manager.functions.MINTER_ROLE().call(), administrator), administrator)
    chain.send(registry.functions.register(MODEL, token.address), administrator)
    return Launched(registry, manager, token)


@pytest.fixture
def launched(chain: Chain) -> Launched:
    return launch(chain)


def test_contributors_receive_what_is_theirs(chain: Chain, launched: Launched) -> None:
    first, second = chain.accounts[2:4]
    receipt = chain.send(
        launched.manager.functions.mint(MODEL, [first, second, first], [1, 20, 300]), chain.accounts[0]
    )
    (event,) = launched.manager.events.TokensMinted().process_receipt(receipt, errors=DISCARD)
    assert dict(event["args"]) == {
        "modelKey": Web3.keccak(text=MODEL),
        "token": launched.token.address,
        "modelId": MODEL,
        "contributors": 3,
        "total": 321,
    }
    assert launched.token.functions.balanceOf(first).call() == 301
    assert launched.token.functions.balanceOf(second).call() == 20
    assert launched.token.functions.totalSupply().call() == 321


def test_burning_takes_from_one_holder(chain: Chain, launched: Launched) -> None:
    minter, _, holder = chain.accounts[:3]
    chain.send(launched.manager.functions.mint(MODEL, [holder], [10]), minter)
    receipt = chain.send(launched.manager.functions.burn(MODEL, holder, 4), minter)
    (event,) = launched.manager.events.TokensBurned().process_receipt(receipt, errors=DISCARD)
    assert dict(event["args"]) == {
        "modelKey": Web3.keccak(text=MODEL),
        "token": launched.token.address,
        "from": holder,
        "modelId": MODEL,
        "amount": 4,
    }
    assert launched.token.functions.totalSupply().call() == 6
    call = launched.manager.functions.burn(MODEL, holder, 7)
    chain.refuse(call, minter, "HokusaiToken", "ERC20InsufficientBalance(address,uint256,uint256)")


def test_only_a_minter_mints_and_burns(chain: Chain, launched: Launched) -> None:
    stranger = chain.accounts[1]
    mint = launched.manager.functions.mint(MODEL, [stranger], [1])
    chain.refuse(mint, stranger, "TokenManager", UNAUTHORIZED)
    chain.refuse(launched.manager.functions.burn(MODEL, stranger, 1), stranger, "TokenManager", UNAUTHORIZED)
    role = launched.manager.functions.MINTER_ROLE().call()
    assert role == Web3.keccak(text="MINTER_ROLE")
    chain.refuse(launched.manager.functions.grantRole(role, stranger), stranger, "TokenManager", UNAUTHORIZED)
    chain.send(launched.manager.functions.grantRole(role, stranger), chain.accounts[0])
    chain.send(mint, stranger)
    chain.send(launched.manager.functions.revokeRole(role, stranger), chain.accounts[0])
    chain.refuse(mint, stranger, "TokenManager", UNAUTHORIZED)


def test_unregistered_model_has_nothing_to_mint(chain: Chain, launched: Launched) -> None:
    minter = chain.accounts[0]
    for call in (
        launched.manager.functions.mint("other", [minter], [1]),
        launched.manager.functions.burn("other", minter, 1),
    ):
        chain.refuse(call, minter, "TokenManager", "ModelNotRegistered(string)")


def test_token_that_has_another_controller_is_out_of_reach(chain: Chain, launched: Launched) -> None:
    minter = chain.accounts[0]
    chain.send(launched.token.functions.setController(minter), minter)
    call = launched.manager.functions.mint(MODEL, [minter], [1])
    chain.refuse(call, minter, "HokusaiToken", "NotController(address)")


@pytest.mark.parametrize(
    ("contributors", "amounts", "error"),
    [
        (0, 0, "NoContributors()"),
        (0, 1, "NoContributors()"),
        (1, 0, "LengthMismatch(uint256,uint256)"),
        (1, 2, "LengthMismatch(uint256,uint256)"),
        (2, 1, "LengthMismatch(uint256,uint256)"),
        (201, 201, "TooManyContributors(uint256,uint256)"),
    ],
)
def test_lists_that_do_not_fit_are_refused(
    chain: Chain, launched: Launched, contributors: int, amounts: int, error: str
) -> None:
    minter = chain.accounts[0]
    call = launched.manager.functions.mint(MODEL, [minter] * contributors, [1] * amounts)
    chain.refuse(call, minter, "TokenManager", error)


def test_one_bad_contributor_undoes_all(chain: Chain, launched: Launched) -> None:
    minter = chain.accounts[0]
    call = launched.manager.functions.mint(MODEL, [minter, ZERO], [1, 1])
    chain.refuse(call, minter, "HokusaiToken", "ERC20InvalidReceiver(address)")
    assert launched.token.functions.totalSupply().call() == 0


def test_total_that_overflows_is_refused(chain: Chain, launched: Launched) -> None:
    minter = chain.accounts[0]
    with pytest.raises(Exception, match=r"(?i)overflow|0x4e487b71|panic"):
        launched.manager.functions.mint(MODEL, [minter, minter], [2**256 - 1, 1]).call({"from": minter})


def test_largest_list_fits_into_a_transaction(chain: Chain, launched: Launched) -> None:
    maximum = launched.manager.functions.MAX_CONTRIBUTORS().call()
    contributors = [Web3.to_checksum_address(f"0x{number:040x}") for number in range(1, maximum + 1)]
    receipt = chain.send(launched.manager.functions.mint(MODEL, contributors, [10**18] * maximum), chain.accounts[0])
    assert receipt["gasUsed"] < TRANSACTION_GAS_LIMIT
    assert launched.token.functions.totalSupply().call() == maximum * 10**18


def test_neither_registry_nor_administrator_is_zero(chain: Chain) -> None:
    for arguments, error in (
        ((ZERO, chain.accounts[0]), "ZeroRegistry()"),
        ((chain.accounts[0], ZERO), "ZeroAdministrator()"),
    ):
        with pytest.raises(ContractCustomError) as caught:
            chain.deploy("TokenManager", *arguments)
        assert caught.value.data == error_selector("TokenManager", error)


@settings(max_examples=10, deadline=None)
@given(
    rounds=st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2**96)), min_size=1, max_size=5),
            st.integers(0, 2),
            st.fractions(0, 1),
        ),
        max_size=3,
    )
)
def test_totals_hold_over_any_mints_and_burns(
    chain: Chain, rounds: list[tuple[list[tuple[int, int]], int, float]]
) -> None:
    launched = launch(chain)
    minter = chain.accounts[0]
    expected = dict.fromkeys(chain.accounts[4:7], 0)
    for shares, index, part in rounds:
        contributors = [chain.accounts[4 + share[0]] for share in shares]
        amounts = [share[1] for share in shares]
        chain.send(launched.manager.functions.mint(MODEL, contributors, amounts), minter)
        for contributor, amount in zip(contributors, amounts, strict=True):
            expected[contributor] += amount
        holder = chain.accounts[4 + index]
        burned = int(expected[holder] * part)
        chain.send(launched.manager.functions.burn(MODEL, holder, burned), minter)
        expected[holder] -= burned
    functions = launched.token.functions
    assert {holder: functions.balanceOf(holder).call() for holder in expected} == expected
    assert functions.totalSupply().call() == sum(expected.values())
