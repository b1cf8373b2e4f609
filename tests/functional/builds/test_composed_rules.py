"""Tokens with rules of their own, deployed and used: each does what was asked for, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_utils.crypto import keccak
from web3.exceptions import ContractLogicError

from slipway.builds.composer.gas import creation_gas
from tests.support import kinds
from tests.support.composed import Composed, plain
from tests.support.prompt_clauses import A, B
from tests.support.prompts import DAY, Case

ETHER = 10**18


def on(*cases: Case) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("composed", cases, indirect=True, ids=[case.name for case in cases])


# ── ERC-20 ──────────────────────────────────────────────────────────────────────────────────────


@on(kinds.TAXED)
def test_a_tax_is_taken_from_every_transfer_and_goes_to_its_receiver(composed: Composed) -> None:
    before = composed.call("balanceOf", B)
    composed.send("transfer", composed.friend, 1000)
    composed.send("transfer", composed.stranger, 500, sender=composed.friend)
    assert composed.call("balanceOf", composed.friend) == 980 - 500
    assert composed.call("balanceOf", composed.stranger) == 490
    assert composed.call("balanceOf", B) - before == 20 + 10
    assert composed.call("totalSupply") == 7_000_000 * ETHER
    composed.send("approve", composed.stranger, 100, sender=composed.friend)
    composed.send("transferFrom", composed.friend, composed.stranger, 100, sender=composed.stranger)
    assert composed.call("balanceOf", composed.stranger) == 490 + 98


@on(kinds.DEFLATING)
def test_a_burned_part_leaves_the_supply_and_a_tax_goes_to_the_owner(composed: Composed) -> None:
    composed.send("delegate", composed.friend, sender=composed.friend)
    composed.send("transfer", composed.friend, 10_000)
    assert composed.call("balanceOf", composed.friend) == 10_000 - 150 - 50
    assert composed.call("totalSupply") == 1000 * ETHER - 150
    assert composed.call("balanceOf", composed.owner) == 1000 * ETHER - 10_000 + 50
    assert composed.call("getVotes", composed.friend) == 9_800


@on(kinds.MOON)
def test_nobody_holds_or_moves_more_than_the_limits(composed: Composed) -> None:
    holding, moving = 10_000 * ETHER, 5_000 * ETHER
    assert (composed.call("MAX_WALLET"), composed.call("MAX_TRANSACTION")) == (holding, moving)
    composed.refuses("WalletLimit", "transfer", composed.friend, holding + 1)
    composed.send("transfer", composed.friend, holding)
    composed.refuses("WalletLimit", "transfer", composed.friend, 1)
    composed.refuses("TransactionLimit", "transfer", composed.stranger, moving + 1, sender=composed.friend)
    composed.send("transfer", composed.stranger, moving, sender=composed.friend)
    composed.send("transfer", composed.friend, moving, sender=composed.friend)
    composed.refuses("OwnableUnauthorizedAccount", "setExempt", composed.friend, True, sender=composed.friend)
    composed.send("setExempt", composed.friend, True)
    composed.send("transfer", composed.friend, holding)
    composed.send("setExempt", composed.friend, False)
    composed.refuses("WalletLimit", "transfer", composed.friend, 1)


@on(kinds.LIMITED)
def test_minting_stays_within_the_limit_of_a_wallet(composed: Composed) -> None:
    composed.refuses("WalletLimit", "mint", composed.friend, 500 * 10**6 + 1)
    composed.send("mint", composed.friend, 500 * 10**6)
    composed.refuses("AccessControlUnauthorizedAccount", "setExempt", composed.friend, True, sender=composed.friend)
    composed.send("pause")
    composed.refuses("EnforcedPause", "transfer", composed.stranger, 1)


@on(kinds.FAIR)
def test_nobody_transfers_before_the_delay_is_over(composed: Composed) -> None:
    composed.refuses("TransfersNotBegun", "transfer", composed.friend, 1)
    assert composed.call("TRANSFERS_BEGIN") - composed.time() <= DAY
    composed.later(DAY)
    composed.send("transfer", composed.friend, 1)
    composed.send("transfer", composed.stranger, 1, sender=composed.friend)


@on(kinds.FROZEN)
def test_a_frozen_account_neither_sends_nor_receives(composed: Composed) -> None:
    composed.send("transfer", composed.friend, 10)
    composed.refuses("OwnableUnauthorizedAccount", "setFrozen", composed.owner, True, sender=composed.stranger)
    composed.send("setFrozen", composed.friend, True)
    composed.refuses("AccountFrozen", "transfer", composed.stranger, 1, sender=composed.friend)
    composed.refuses("AccountFrozen", "transfer", composed.friend, 1)
    composed.send("setFrozen", composed.friend, False)
    composed.send("transfer", composed.stranger, 10, sender=composed.friend)


@on(kinds.BOUND)
def test_a_soulbound_token_is_minted_and_burned_and_never_moves(composed: Composed) -> None:
    composed.refuses("NotTransferable", "transfer", composed.friend, 1)
    composed.send("approve", composed.stranger, 5)
    composed.refuses("NotTransferable", "transferFrom", composed.owner, composed.stranger, 5, sender=composed.stranger)
    composed.send("mint", composed.friend, 7)
    composed.send("burn", 3, sender=composed.friend)
    assert composed.call("balanceOf", composed.friend) == 4


@on(kinds.OWNERLESS)
def test_a_token_without_an_owner_has_no_function_for_one(composed: Composed) -> None:
    assert composed.call("balanceOf", composed.owner) == composed.call("totalSupply") == 10**9 * ETHER
    assert not any(map(composed.has, ("owner", "transferOwnership", "mint", "grantRole", "pause")))
    composed.send("transfer", composed.friend, 1)


@on(kinds.DROPPED)
def test_an_airdrop_gives_each_its_part_of_the_supply(composed: Composed) -> None:
    assert [composed.call("balanceOf", holder) for holder in (A, B)] == [100 * ETHER, 100 * ETHER]
    assert composed.call("balanceOf", composed.owner) == 999_800 * ETHER
    assert composed.call("totalSupply") == 10**6 * ETHER


# ── ERC-721 ─────────────────────────────────────────────────────────────────────────────────────


def leaf(account: str) -> bytes:
    """Return a leaf as OpenZeppelin's merkle-tree makes it of ["address"]."""
    return keccak(keccak(bytes(12) + bytes.fromhex(account[2:])))


@on(kinds.PENGUINS)
def test_a_sale_has_an_allowlist_a_price_a_limit_and_a_reveal(composed: Composed) -> None:
    buyer, other, price = composed.friend, composed.stranger, ETHER // 20
    mine, second = leaf(buyer), leaf(composed.chain.accounts[7])
    root = keccak(b"".join(sorted((mine, second))))
    composed.refuses("MintingClosed", "mint", 1, sender=buyer, value=price)
    composed.refuses("MintingClosed", "mintAllowlisted", 1, [second], sender=buyer, value=price)
    composed.refuses("OwnableUnauthorizedAccount", "openAllowlist", root, sender=buyer)
    composed.send("openAllowlist", root)
    composed.refuses("NotAllowlisted", "mintAllowlisted", 1, [second], sender=other, value=price)
    composed.refuses("WrongPayment", "mintAllowlisted", 2, [second], sender=buyer, value=price)
    composed.refuses("ZeroQuantity", "mintAllowlisted", 0, [second], sender=buyer)
    composed.send("mintAllowlisted", 2, [second], sender=buyer, value=2 * price)
    composed.refuses("MintingClosed", "mint", 1, sender=other, value=price)
    composed.send("openPublic")
    composed.refuses("MintingClosed", "mintAllowlisted", 1, [second], sender=buyer, value=price)
    composed.refuses("WalletLimit", "mint", 4, sender=buyer, value=4 * price)
    composed.send("mint", 3, sender=buyer, value=3 * price)
    assert composed.call("balanceOf", buyer) == 5
    assert composed.call("royaltyInfo", 0, 10_000) == [composed.owner, 750]
    assert composed.call("tokenURI", 4) == ""
    composed.refuses("OwnableUnauthorizedAccount", "reveal", "ipfs://late/", sender=buyer)
    composed.send("reveal", "ipfs://late/")
    assert composed.call("tokenURI", 4) == "ipfs://late/4"
    composed.refuses("AlreadyRevealed", "reveal", "ipfs://other/")
    composed.refuses("OwnableUnauthorizedAccount", "withdraw", sender=buyer)
    before = composed.coins(composed.owner)
    composed.send("withdraw")
    assert composed.coins(composed.owner) - before > 5 * price - ETHER // 1000
    assert composed.coins(composed.contract.address) == 0
    composed.send("closeMinting")
    composed.refuses("MintingClosed", "mint", 1, sender=other, value=price)
    assert not composed.has("safeMint"), "the owner has no way to mint without paying"
    assert composed.call("supportsInterface", "0x49064906")


@on(kinds.FREEBIES)
def test_everyone_mints_one_for_nothing_until_there_are_none(composed: Composed) -> None:
    for account in composed.chain.accounts[1:4]:
        composed.send("mint", 1, sender=account)
        composed.refuses("WalletLimit", "mint", 1, sender=account)
    composed.refuses("SoldOut", "mint", 1, sender=composed.stranger)
    with pytest.raises(ContractLogicError):
        composed.call("ownerOf", 3)
    assert not composed.has("withdraw")


@on(kinds.PAID)
def test_what_minters_pay_is_withdrawn_by_the_administrator(composed: Composed) -> None:
    composed.refuses("WrongPayment", "mint", 2, sender=composed.friend, value=ETHER // 20)
    composed.send("mint", 2, sender=composed.friend, value=ETHER // 10)
    composed.refuses("AccessControlUnauthorizedAccount", "withdraw", sender=composed.friend)
    composed.send("withdraw")
    assert composed.coins(composed.contract.address) == 0
    composed.send("burn", 0, sender=composed.friend)
    composed.send("pause")
    composed.refuses("EnforcedPause", "mint", 1, sender=composed.friend, value=ETHER // 20)


@on(kinds.CERTIFICATES)
def test_a_certificate_stays_with_its_holder_until_it_is_revoked(composed: Composed) -> None:
    composed.refuses("OwnableUnauthorizedAccount", "safeMint", composed.friend, "x", sender=composed.friend)
    composed.send("safeMint", composed.friend, "ipfs://one")
    composed.send("safeMint", composed.friend, "ipfs://two")
    assert composed.call("tokenURI", 1) == "ipfs://two"
    assert composed.call("locked", 0)
    composed.refuses("NotTransferable", "transferFrom", composed.friend, composed.stranger, 0, sender=composed.friend)
    composed.refuses("OwnableUnauthorizedAccount", "revoke", 0, sender=composed.friend)
    composed.send("revoke", 0)
    composed.refuses("ERC721NonexistentToken", "ownerOf", 0)
    composed.refuses("ERC721NonexistentToken", "revoke", 0)
    assert composed.call("ownerOf", 1) == composed.friend
    assert composed.call("supportsInterface", "0xb45a3c0e")


# ── Upgradeable ─────────────────────────────────────────────────────────────────────────────────

IMPLEMENTATION = int.from_bytes(keccak(text="eip1967.proxy.implementation")) - 1


@on(kinds.EVO, kinds.EVERYTHING, kinds.GROWING, kinds.DAO)
def test_a_preview_knows_what_the_largest_contracts_take(composed: Composed) -> None:
    arguments = [plain(argument.value, argument.type) for argument in composed.made.constructor_arguments]
    factory = composed.chain.web3.eth.contract(abi=composed.contract.abi, bytecode=composed.bytecode)
    used = factory.constructor(*arguments).estimate_gas({"from": composed.stranger})
    assert 0.8 < creation_gas(composed.made.source, composed.made.constructor_arguments) / used < 1.25


def logic_of(composed: Composed) -> str:
    stored = composed.chain.web3.eth.get_storage_at(composed.contract.address, IMPLEMENTATION)
    return str(composed.chain.web3.to_checksum_address(stored[-20:].hex()))


@on(kinds.EVO)
def test_only_an_upgrader_replaces_the_code_and_balances_stay(
    composed: Composed, deploy: Callable[[Case], Composed]
) -> None:
    other, first = logic_of(deploy(kinds.EVERYTHING)), logic_of(composed)
    assert composed.call("balanceOf", composed.owner) == 5_000_000 * ETHER
    composed.send("transfer", composed.friend, 7)
    denied = "AccessControlUnauthorizedAccount"
    composed.refuses(denied, "upgradeToAndCall", other, b"", sender=composed.stranger)
    composed.refuses(denied, "mint", composed.friend, 1, sender=composed.stranger)
    composed.refuses("InvalidInitialization", "initialize", composed.stranger, sender=composed.stranger)
    behind = composed.chain.web3.eth.contract(address=first, abi=composed.contract.abi)
    with pytest.raises(ContractLogicError):
        behind.functions.initialize(composed.stranger).call({"from": composed.stranger})
    composed.send("grantRole", composed.call("UPGRADER_ROLE"), composed.friend)
    composed.send("upgradeToAndCall", other, b"", sender=composed.friend)
    assert logic_of(composed) == other != first
    assert composed.call("balanceOf", composed.friend) == 7
    composed.send("transfer", composed.stranger, 7, sender=composed.friend)


@on(kinds.EVERYTHING)
def test_an_upgradeable_token_has_every_feature(composed: Composed) -> None:
    assert (composed.call("name"), composed.call("symbol"), composed.call("owner")) == ("Whole", "WHOL", composed.owner)
    composed.refuses("ERC20ExceededCap", "mint", composed.owner, 1_001 * ETHER)
    composed.send("transfer", composed.friend, 1_000)
    assert composed.call("balanceOf", composed.friend) == 990
    composed.refuses("WalletLimit", "transfer", composed.friend, 600 * ETHER)
    composed.send("delegate", composed.friend, sender=composed.friend)
    assert composed.call("getVotes", composed.friend) == 990
    composed.send("setFrozen", composed.friend, True)
    composed.refuses("AccountFrozen", "transfer", composed.friend, 1)
    composed.send("setFrozen", composed.friend, False)
    composed.send("burn", 90, sender=composed.friend)
    composed.send("pause")
    composed.refuses("EnforcedPause", "transfer", composed.friend, 1)
    composed.refuses("OwnableUnauthorizedAccount", "upgradeToAndCall", B, b"", sender=composed.stranger)


@on(kinds.GROWING)
def test_an_upgradeable_collection_counts_on_from_its_first_supply(composed: Composed) -> None:
    assert composed.call("balanceOf", composed.owner) == 3
    composed.send("safeMint", composed.friend)
    assert composed.call("ownerOf", 3) == composed.friend
    assert composed.call("tokenOfOwnerByIndex", composed.friend, 0) == 3
    assert composed.call("royaltyInfo", 0, 10_000) == [composed.owner, 500]
    composed.send("burn", 3, sender=composed.friend)
    assert composed.call("totalSupply") == 3
    composed.refuses("OwnableUnauthorizedAccount", "upgradeToAndCall", B, b"", sender=composed.stranger)
    composed.send("upgradeToAndCall", logic_of(composed), b"")
