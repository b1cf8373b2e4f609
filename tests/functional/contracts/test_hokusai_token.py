"""HokusaiToken on a real chain: who may do what, and what becomes of the supply."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3.contract.contract import Contract
from web3.exceptions import ContractCustomError

from slipway.chain import contracts

from .conftest import Chain, error_selector

ZERO = "0x" + "0" * 40
MAX = 2**256 - 1


@pytest.fixture
def token(chain: Chain) -> Contract:
    """Deployed by the first account, controlled and owned by the second."""
    return chain.deploy("HokusaiToken", "Hokusai Wave", "WAVE", chain.accounts[1])


def test_new_token_has_its_names_its_roles_and_no_supply(chain: Chain, token: Contract) -> None:
    functions = token.functions
    assert functions.name().call() == "Hokusai Wave"
    assert functions.symbol().call() == "WAVE"
    assert functions.decimals().call() == 18
    assert functions.totalSupply().call() == 0
    assert functions.owner().call() == chain.accounts[1]
    assert functions.controller().call() == chain.accounts[1]


def test_deployment_announces_the_controller(chain: Chain, token: Contract) -> None:
    (event,) = token.events.ControllerSet().get_logs(from_block=0)
    assert event["args"]["controller"] == chain.accounts[1]


def test_code_on_chain_is_the_artifact(chain: Chain, token: Contract) -> None:
    assert Web3.to_hex(chain.web3.eth.get_code(token.address)) == contracts.load("HokusaiToken").deployed_bytecode


def test_token_without_a_controller_is_not_deployed(chain: Chain) -> None:
    with pytest.raises(ContractCustomError) as caught:
        chain.deploy("HokusaiToken", "A", "A", ZERO)
    assert caught.value.data == error_selector("HokusaiToken", "ZeroController()")


def test_controller_mints_and_burns(chain: Chain, token: Contract) -> None:
    holder = chain.accounts[2]
    receipt = chain.send(token.functions.mint(holder, 100), chain.accounts[1])
    (minted,) = token.events.Transfer().process_receipt(receipt)
    assert dict(minted["args"]) == {"from": ZERO, "to": holder, "value": 100}
    receipt = chain.send(token.functions.burn(holder, 30), chain.accounts[1])
    (burned,) = token.events.Transfer().process_receipt(receipt)
    assert dict(burned["args"]) == {"from": holder, "to": ZERO, "value": 30}
    assert token.functions.balanceOf(holder).call() == token.functions.totalSupply().call() == 70


@pytest.mark.parametrize("who", [0, 2], ids=["deployer", "stranger"])
def test_nobody_else_mints_or_burns(chain: Chain, token: Contract, who: int) -> None:
    account = chain.accounts[who]
    chain.send(token.functions.mint(account, 5), chain.accounts[1])
    chain.refuse(token.functions.mint(account, 1), account, "HokusaiToken", "NotController(address)")
    chain.refuse(token.functions.burn(account, 1), account, "HokusaiToken", "NotController(address)")


def test_another_controller_takes_over_at_once(chain: Chain, token: Contract) -> None:
    former, later = chain.accounts[1:3]
    receipt = chain.send(token.functions.setController(later), former)
    (event,) = token.events.ControllerSet().process_receipt(receipt)
    assert event["args"]["controller"] == later
    chain.refuse(token.functions.mint(later, 1), former, "HokusaiToken", "NotController(address)")
    chain.send(token.functions.mint(later, 1), later)
    # The owner stays who it was.
    chain.refuse(token.functions.setController(later), later, "HokusaiToken", "OwnableUnauthorizedAccount(address)")


@pytest.mark.parametrize("who", [0, 2], ids=["deployer", "stranger"])
def test_only_the_owner_appoints_a_controller(chain: Chain, token: Contract, who: int) -> None:
    account = chain.accounts[who]
    chain.refuse(token.functions.setController(account), account, "HokusaiToken", "OwnableUnauthorizedAccount(address)")


def test_controller_is_never_zero(chain: Chain, token: Contract) -> None:
    chain.refuse(token.functions.setController(ZERO), chain.accounts[1], "HokusaiToken", "ZeroController()")


def test_impossible_amounts_and_holders_are_refused(chain: Chain, token: Contract) -> None:
    controller, holder = chain.accounts[1:3]
    chain.send(token.functions.mint(holder, 1), controller)
    chain.refuse(token.functions.mint(ZERO, 1), controller, "HokusaiToken", "ERC20InvalidReceiver(address)")
    chain.refuse(token.functions.burn(ZERO, 1), controller, "HokusaiToken", "ERC20InvalidSender(address)")
    chain.refuse(
        token.functions.burn(holder, 2), controller, "HokusaiToken", "ERC20InsufficientBalance(address,uint256,uint256)"
    )
    with pytest.raises(Exception, match=r"(?i)overflow|0x4e487b71|panic"):
        token.functions.mint(holder, MAX).call({"from": controller})


def test_holders_move_their_own_tokens(chain: Chain, token: Contract) -> None:
    holder, friend = chain.accounts[2:4]
    chain.send(token.functions.mint(holder, 10), chain.accounts[1])
    chain.send(token.functions.transfer(friend, 4), holder)
    assert token.functions.balanceOf(friend).call() == 4
    assert token.functions.totalSupply().call() == 10


@settings(max_examples=15, deadline=None)
@given(
    moves=st.lists(st.tuples(st.sampled_from(["mint", "burn"]), st.integers(0, 2), st.integers(0, 2**128)), max_size=8)
)
def test_supply_is_what_was_minted_less_what_was_burned(chain: Chain, moves: list[tuple[str, int, int]]) -> None:
    controller = chain.accounts[1]
    token = chain.deploy("HokusaiToken", "Property", "PROP", controller)
    expected = dict.fromkeys(chain.accounts[4:7], 0)
    for kind, index, amount in moves:
        holder = chain.accounts[4 + index]
        if kind == "mint":
            chain.send(token.functions.mint(holder, amount), controller)
            expected[holder] += amount
        elif amount <= expected[holder]:
            chain.send(token.functions.burn(holder, amount), controller)
            expected[holder] -= amount
        else:
            chain.refuse(
                token.functions.burn(holder, amount),
                controller,
                "HokusaiToken",
                "ERC20InsufficientBalance(address,uint256,uint256)",
            )
    assert {holder: token.functions.balanceOf(holder).call() for holder in expected} == expected
    assert token.functions.totalSupply().call() == sum(expected.values())
