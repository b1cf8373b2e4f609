"""TokenManager on a real chain: a first supply once, what the steward mints up to the maximum, and no thief."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3.contract.contract import Contract
from web3.exceptions import ContractCustomError
from web3.logs import DISCARD

from local.paths import ROOT
from slipway.builds.audit.auditor import Auditor
from slipway.chain import contracts
from slipway.chain.rules import gas_limit
from slipway.tokens.calls import Terms

from .conftest import ADMINISTRATOR_ROLE, Chain, error_selector

ZERO = "0x" + "0" * 40
MODEL = "wave/1"
MOST = 1000
# EIP-7825 lets no transaction use more.
TRANSACTION_GAS_LIMIT = 2**24


@dataclass(frozen=True)
class Launched:
    """One registered token. The first account installed everything and is the registry's administrator, the second is
    the deployer and registrar, the third is the steward."""

    registry: Contract
    manager: Contract
    token: Contract
    recipients: Sequence[str]
    amounts: Sequence[int]

    def distribute(self, recipients: Sequence[str] | None = None, amounts: Sequence[int] | None = None) -> Any:
        return self.manager.functions.distribute(
            self.token.address, recipients or self.recipients, amounts or self.amounts
        )

    def mint(self, to: str, amount: int) -> Any:
        return self.manager.functions.mint(self.token.address, to, amount)

    @property
    def steward(self) -> str:
        return str(self.registry.functions.termsOf(self.token.address).call()[0])


def launch(chain: Chain, recipients: Sequence[str] = (), amounts: Sequence[int] = (), most: int = MOST) -> Launched:
    administrator, deployer, steward = chain.accounts[:3]
    registry = chain.deploy("ModelRegistry", administrator, ZERO)
    manager = chain.deploy("TokenManager", registry.address)
    token = chain.deploy("HokusaiToken", "Hokusai Wave", "WAVE", manager.address, sender=deployer)
    chain.send(registry.functions.grantRole(registry.functions.REGISTRAR_ROLE().call(), deployer), administrator)
    committed = Terms(steward, most, dict(zip(recipients, amounts, strict=True))).distribution
    chain.send(registry.functions.register(MODEL, token.address, steward, most, committed), deployer)
    return Launched(registry, manager, token, recipients, amounts)


def launch_without_supply(chain: Chain, beside: Launched) -> str:
    """Register another token in the same registry, without a first supply; return its address."""
    token = chain.deploy("HokusaiToken", "Beside", "BES", beside.manager.address).address
    terms = (chain.accounts[2], MOST, bytes(32))
    chain.send(beside.registry.functions.register("beside", token, *terms), chain.accounts[1])
    return str(token)


@pytest.fixture
def launched(chain: Chain) -> Launched:
    """Return a token whose first supply of 321 is not distributed yet."""
    return launch(chain, chain.accounts[4:7], [300, 20, 1])


@pytest.fixture
def distributed(chain: Chain, launched: Launched) -> Launched:
    chain.send(launched.distribute(), chain.accounts[1])
    return launched


# ── The first supply ────────────────────────────────────────────────────────────────────────────


def test_the_first_supply_goes_to_whom_the_registration_committed_it(chain: Chain, launched: Launched) -> None:
    receipt = chain.send(launched.distribute(), chain.accounts[1])
    (event,) = launched.manager.events.Distributed().process_receipt(receipt, errors=DISCARD)
    assert dict(event["args"]) == {"token": launched.token.address, "recipients": 3, "total": 321}
    balances = [launched.token.functions.balanceOf(one).call() for one in launched.recipients]
    assert balances == [300, 20, 1]
    status = launched.manager.functions.statusOf(launched.token.address).call()
    assert status == (chain.accounts[2], ZERO, MOST, 321, True)


def test_the_first_supply_comes_once(chain: Chain, launched: Launched) -> None:
    # Anybody may ask for it: nobody gains by that.
    chain.send(launched.distribute(), chain.accounts[9])
    for account in chain.accounts[:4]:
        chain.refuse(launched.distribute(), account, "TokenManager", "AlreadyDistributed(address)")
    assert launched.token.functions.totalSupply().call() == 321


def test_no_other_supply_can_take_its_place(chain: Chain, launched: Launched) -> None:
    thief = chain.accounts[1]
    for recipients, amounts in (
        ([thief], [321]),
        ([thief, *launched.recipients[1:]], launched.amounts),
        (launched.recipients, [301, 20, 1]),
        (launched.recipients[:2], launched.amounts[:2]),
        (launched.recipients, [*launched.amounts, 0]),
        ([*launched.recipients, thief], [*launched.amounts, 1]),
        (launched.recipients[::-1], launched.amounts[::-1]),
    ):
        call = launched.distribute(recipients, amounts)
        chain.refuse(call, thief, "TokenManager", "OtherDistribution(address)")


def test_a_token_without_a_first_supply_has_nothing_to_distribute(chain: Chain) -> None:
    launched = launch(chain)
    for recipients, amounts in (([chain.accounts[2]], [1]), ([], [])):
        call = launched.manager.functions.distribute(launched.token.address, recipients, amounts)
        chain.refuse(call, chain.accounts[2], "TokenManager", "NothingToDistribute(address)")
    unknown = launched.manager.functions.distribute(chain.new_contract(), [chain.accounts[2]], [1])
    chain.refuse(unknown, chain.accounts[1], "TokenManager", "NothingToDistribute(address)")
    # Without one the steward mints at once.
    chain.send(launched.mint(chain.accounts[2], 5), chain.accounts[2])


def test_a_first_supply_over_the_maximum_is_never_minted(chain: Chain) -> None:
    launched = launch(chain, chain.accounts[4:6], [MOST, 1])
    chain.refuse(launched.distribute(), chain.accounts[1], "TokenManager", "MaxSupplyExceeded(uint256,uint256)")
    overflow = launch(chain, chain.accounts[4:6], [2**256 - 1, 1], 2**256 - 1)
    with pytest.raises(Exception, match=r"(?i)overflow|0x4e487b71|panic"):
        overflow.distribute().call({"from": chain.accounts[1]})


def test_one_bad_recipient_undoes_all(chain: Chain) -> None:
    launched = launch(chain, [chain.accounts[4], ZERO], [1, 1])
    chain.refuse(launched.distribute(), chain.accounts[1], "HokusaiToken", "ERC20InvalidReceiver(address)")
    assert launched.token.functions.totalSupply().call() == 0


def test_the_commitment_is_what_solidity_encodes(chain: Chain, launched: Launched) -> None:
    encoded = encode(["address[]", "uint256[]"], [launched.recipients, launched.amounts])
    assert launched.registry.functions.termsOf(launched.token.address).call()[2] == Web3.keccak(encoded)


def test_largest_first_supply_fits_into_a_transaction_and_its_rehearsal_covers_it(chain: Chain) -> None:
    creation = contracts.load("HokusaiToken")
    rehearsal = contracts.load("FirstSupply")
    create = chain.web3.eth.contract(abi=creation.abi, bytecode=creation.bytecode)
    rehearse = chain.web3.eth.contract(abi=rehearsal.abi, bytecode=rehearsal.bytecode)
    for count in (1, 2, 201):
        recipients = [Web3.to_checksum_address(Web3.keccak(number.to_bytes(2))[:20]) for number in range(count)]
        amounts = [2**96 - number for number in range(count)]
        launched = launch(chain, recipients, amounts, 2**256 - 1)
        used = chain.send(launched.distribute(), chain.accounts[1])["gasUsed"]
        assert used < TRANSACTION_GAS_LIMIT
        first = create.constructor("N" * 60, "S", launched.manager.address).estimate_gas({"from": chain.accounts[1]})
        both = rehearse.constructor("N" * 60, "S", recipients, amounts).estimate_gas({"from": chain.accounts[1]})
        # What the node's estimate leaves as head-room is left of it.
        assert 1.1 * used < gas_limit(both - first) < 1.6 * used, (count, used, both - first)


# ── The steward ─────────────────────────────────────────────────────────────────────────────────


def test_the_steward_mints_up_to_the_maximum(chain: Chain, distributed: Launched) -> None:
    steward, holder = chain.accounts[2], chain.accounts[7]
    receipt = chain.send(distributed.mint(holder, 5), steward)
    (event,) = distributed.manager.events.Minted().process_receipt(receipt, errors=DISCARD)
    assert dict(event["args"]) == {
        "token": distributed.token.address,
        "steward": steward,
        "to": holder,
        "amount": 5,
    }
    chain.refuse(distributed.mint(holder, MOST - 325), steward, "TokenManager", "MaxSupplyExceeded(uint256,uint256)")
    chain.send(distributed.mint(holder, MOST - 326), steward)
    assert distributed.token.functions.totalSupply().call() == MOST
    chain.refuse(distributed.mint(holder, 1), steward, "TokenManager", "MaxSupplyExceeded(uint256,uint256)")
    with pytest.raises(Exception, match=r"(?i)overflow|0x4e487b71|panic"):
        distributed.mint(holder, 2**256 - 1).call({"from": steward})


def test_the_steward_waits_for_the_first_supply(chain: Chain, launched: Launched) -> None:
    chain.refuse(launched.mint(chain.accounts[2], 1), chain.accounts[2], "TokenManager", "NotDistributed(address)")


def test_nobody_mints_to_nobody(chain: Chain, distributed: Launched) -> None:
    chain.refuse(distributed.mint(ZERO, 1), chain.accounts[2], "HokusaiToken", "ERC20InvalidReceiver(address)")


def test_stewardship_is_handed_over_in_two_steps(chain: Chain, distributed: Launched) -> None:
    former, later, stranger = chain.accounts[2], chain.accounts[7], chain.accounts[8]
    token = distributed.token.address
    offer, accept = distributed.manager.functions.offerStewardship, distributed.manager.functions.acceptStewardship
    receipt = chain.send(offer(token, stranger), former)
    (event,) = distributed.manager.events.StewardshipOffered().process_receipt(receipt)
    assert dict(event["args"]) == {"token": token, "steward": former, "to": stranger}
    # An offer changes nothing, and the next one takes its place.
    chain.send(distributed.mint(former, 1), former)
    chain.refuse(distributed.mint(stranger, 1), stranger, "TokenManager", "NotSteward(address)")
    chain.send(offer(token, later), former)
    chain.refuse(accept(token), stranger, "TokenManager", "NotPendingSteward(address)")
    assert distributed.manager.functions.pendingSteward(token).call() == later
    receipt = chain.send(accept(token), later)
    (set_,) = distributed.registry.events.StewardSet().process_receipt(receipt, errors=DISCARD)
    assert dict(set_["args"]) == {"token": token, "former": former, "steward": later}
    assert distributed.steward == later
    chain.send(distributed.mint(later, 1), later)
    chain.refuse(distributed.mint(former, 1), former, "TokenManager", "NotSteward(address)")
    chain.refuse(accept(token), later, "TokenManager", "NotPendingSteward(address)")


def test_an_offer_can_be_taken_back(chain: Chain, distributed: Launched) -> None:
    steward, later, token = chain.accounts[2], chain.accounts[7], distributed.token.address
    chain.send(distributed.manager.functions.offerStewardship(token, later), steward)
    chain.send(distributed.manager.functions.offerStewardship(token, ZERO), steward)
    accept = distributed.manager.functions.acceptStewardship(token)
    chain.refuse(accept, later, "TokenManager", "NotPendingSteward(address)")


def test_who_renounces_ends_all_minting(chain: Chain, distributed: Launched) -> None:
    steward, later, token = chain.accounts[2], chain.accounts[7], distributed.token.address
    chain.send(distributed.manager.functions.offerStewardship(token, later), steward)
    chain.send(distributed.manager.functions.renounceStewardship(token), steward)
    assert distributed.steward == ZERO
    accept = distributed.manager.functions.acceptStewardship(token)
    chain.refuse(accept, later, "TokenManager", "NotPendingSteward(address)")
    for account in chain.accounts:
        chain.refuse(distributed.mint(account, 1), account, "TokenManager", "NotSteward(address)")
    assert distributed.token.functions.totalSupply().call() == 321


# ── Thieves ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", [0, 1, 3, 4], ids=["administrator", "deployer", "stranger", "holder"])
def test_nobody_else_has_any_right(chain: Chain, distributed: Launched, who: int) -> None:
    thief, token, manager = chain.accounts[who], distributed.token.address, distributed.manager.functions
    for call in (
        distributed.mint(thief, 1),
        manager.offerStewardship(token, thief),
        manager.renounceStewardship(token),
    ):
        chain.refuse(call, thief, "TokenManager", "NotSteward(address)")
    chain.refuse(manager.acceptStewardship(token), thief, "TokenManager", "NotPendingSteward(address)")
    steal = distributed.registry.functions.setSteward(token, thief)
    chain.refuse(steal, thief, "ModelRegistry", "NotOwner(address)")
    functions = distributed.token.functions
    chain.refuse(functions.mint(thief, 1), thief, "HokusaiToken", "NotController(address)")
    chain.refuse(functions.burn(chain.accounts[4], 1), thief, "HokusaiToken", "NotController(address)")
    for owners in (functions.setController(thief), functions.transferOwnership(thief), functions.renounceOwnership()):
        chain.refuse(owners, thief, "HokusaiToken", "OwnableUnauthorizedAccount(address)")


def test_a_registrar_and_an_administrator_can_only_add_tokens(chain: Chain, distributed: Launched) -> None:
    administrator, deployer = chain.accounts[:2]
    registry, token = distributed.registry.functions, distributed.token.address
    # Even one who is both.
    for role in (registry.REGISTRAR_ROLE().call(), ADMINISTRATOR_ROLE):
        for account in (administrator, deployer):
            chain.send(registry.grantRole(role, account), administrator)
    for account in (administrator, deployer):
        again = registry.register(MODEL, token, account, 2**255, bytes(32))
        chain.refuse(again, account, "ModelRegistry", "ModelAlreadyRegistered(string,address)")
        other = registry.register("other", token, account, 2**255, bytes(32))
        chain.refuse(other, account, "ModelRegistry", "TokenAlreadyRegistered(address,string)")
        chain.refuse(registry.setSteward(token, account), account, "ModelRegistry", "NotOwner(address)")
        chain.refuse(distributed.mint(account, 1), account, "TokenManager", "NotSteward(address)")
    # A manager of their own over the same registry is not the token's.
    own = chain.deploy("TokenManager", distributed.registry.address, sender=deployer)
    steward = chain.accounts[2]
    for call in (
        own.functions.distribute(token, distributed.recipients, distributed.amounts),
        own.functions.mint(launch_without_supply(chain, distributed), steward, 1),
    ):
        chain.refuse(call, steward, "HokusaiToken", "NotController(address)")
    chain.send(own.functions.offerStewardship(token, deployer), steward)
    chain.refuse(own.functions.acceptStewardship(token), deployer, "ModelRegistry", "NotOwner(address)")
    assert distributed.registry.functions.termsOf(token).call()[:2] == (steward, MOST)


def test_the_manager_owns_its_tokens_and_has_no_way_to_give_them_up(distributed: Launched) -> None:
    manager = distributed.manager.address
    assert distributed.token.functions.owner().call() == manager == distributed.token.functions.controller().call()
    functions = {entry["name"] for entry in contracts.load("TokenManager").abi if entry["type"] == "function"}
    assert functions == {
        "acceptStewardship",
        "distribute",
        "distributed",
        "mint",
        "offerStewardship",
        "pendingSteward",
        "registry",
        "renounceStewardship",
        "statusOf",
    }


def test_the_registry_is_not_zero(chain: Chain) -> None:
    with pytest.raises(ContractCustomError) as caught:
        chain.deploy("TokenManager", ZERO)
    assert caught.value.data == error_selector("TokenManager", "ZeroRegistry()")


@settings(max_examples=10, deadline=None)
@given(
    first=st.lists(st.integers(0, 2**96), max_size=5),
    spare=st.integers(0, 2**96),
    rounds=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2**96)), max_size=5),
)
def test_the_supply_is_what_was_distributed_and_minted_and_never_more(
    chain: Chain, first: list[int], spare: int, rounds: list[tuple[int, int]]
) -> None:
    most = sum(first) + spare
    launched = launch(chain, chain.accounts[3 : 3 + len(first)], first, most)
    expected = dict.fromkeys(chain.accounts[3:8], 0) | dict(zip(launched.recipients, first, strict=True))
    if first:
        chain.send(launched.distribute(), chain.accounts[1])
    for place, amount in rounds:
        holder = chain.accounts[3 + place]
        if sum(expected.values()) + amount > most:
            call = launched.mint(holder, amount)
            chain.refuse(call, chain.accounts[2], "TokenManager", "MaxSupplyExceeded(uint256,uint256)")
            continue
        chain.send(launched.mint(holder, amount), chain.accounts[2])
        expected[holder] += amount
    functions = launched.token.functions
    assert {holder: functions.balanceOf(holder).call() for holder in expected} == expected
    assert functions.totalSupply().call() == sum(expected.values()) <= most


def test_slither_finds_what_the_guide_explains_and_nothing_else() -> None:
    names = ("HokusaiToken", "TokenManager", "ModelRegistry", "FirstSupply")
    sources = {f"{name}.sol": (ROOT / "contracts" / f"{name}.sol").read_text(encoding="utf-8") for name in names}
    with Auditor() as auditor:
        report = auditor.audit(auditor.compile(sources))
    assert report.passed
    found = {(one.detector, one.impact) for one in report.findings}
    assert found == {("calls-loop", "Low"), ("pragma", "Informational")}
    guide = (ROOT / "docs" / "tokens.md").read_text(encoding="utf-8")
    assert all(f"`{check}`" in guide for check, _ in found)
