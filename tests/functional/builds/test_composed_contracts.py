"""Every contract of the table of prompts, deployed and used: it does what was asked for, and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from web3 import Web3
from web3.exceptions import ContractCustomError

from tests.support.composed import Composed
from tests.support.prompts import CASES, DAY

ZERO = "0x" + "0" * 40


def of_kind(*kinds: str, where: str | None = None) -> pytest.MarkDecorator:
    chosen = [case for case in CASES if case.kind in kinds and (where is None or where in case.features)]
    assert chosen
    return pytest.mark.parametrize("composed", chosen, indirect=True, ids=[case.prompt[:50] for case in chosen])


def units(amount: str, decimals: int) -> int:
    scaled = Decimal(amount) * 10**decimals
    assert scaled == int(scaled)
    return int(scaled)


# ── Tokens ──────────────────────────────────────────────────────────────────────────────────────


@of_kind("erc20")
def test_an_erc20_has_its_name_supply_and_owner(composed: Composed) -> None:
    case = composed.case
    supply = units(case.supply, case.decimals)
    assert (composed.call("name"), composed.call("symbol")) == (case.name, case.symbol)
    assert composed.call("decimals") == case.decimals
    assert composed.call("totalSupply") == supply
    assert composed.call("balanceOf", composed.owner) == supply
    assert composed.call("balanceOf", composed.chain.accounts[-1]) == 0
    composed.send("transfer", composed.friend, 1)
    assert composed.call("balanceOf", composed.friend) == 1
    check_access(composed)
    check_functions(composed, {"mintable": "mint", "burnable": "burn", "pausable": "pause", "permit": "permit"})
    check_functions(composed, {"votes": "getVotes", "capped": "cap"})


@of_kind("erc721", "erc1155")
def test_a_collection_has_its_name_supply_and_owner(composed: Composed) -> None:
    case, is_1155 = composed.case, composed.case.kind == "erc1155"
    assert (composed.call("name"), composed.call("symbol")) == (case.name, case.symbol)
    supply = int(case.supply)
    if is_1155:
        assert composed.contract.get_function_by_signature("totalSupply(uint256)")(0).call() == supply
        assert composed.call("balanceOf", composed.owner, 0) == supply
        assert composed.call("uri", 7) == case.base_uri
    else:
        assert composed.call("balanceOf", composed.owner) == supply
        assert [composed.call("ownerOf", token) for token in range(supply)] == [composed.owner] * supply
    check_access(composed)
    check_functions(composed, {"mintable": "mint" if is_1155 else "safeMint", "burnable": "burn", "pausable": "pause"})
    check_functions(composed, {"royalty": "royaltyInfo", "votes": "getVotes", "enumerable": "tokenByIndex"})
    assert composed.call("supportsInterface", "0xd9b67a26" if is_1155 else "0x80ac58cd")
    assert composed.call("supportsInterface", "0x2a55205a") == ("royalty" in case.features)
    assert not composed.call("supportsInterface", "0xffffffff")


def check_access(composed: Composed) -> None:
    if not composed.case.roles:
        assert composed.call("owner") == composed.owner
        composed.refuses("OwnableUnauthorizedAccount", "transferOwnership", composed.stranger, sender=composed.stranger)
        return
    assert not composed.has("owner")
    assert composed.call("hasRole", bytes(32), composed.owner)
    assert not composed.call("hasRole", bytes(32), composed.chain.accounts[-1])
    for feature, role in (("mintable", "MINTER_ROLE"), ("pausable", "PAUSER_ROLE")):
        assert composed.has(role) == (feature in composed.case.features)
        if composed.has(role):
            key = composed.call(role)
            assert key == Web3.keccak(text=role)
            assert composed.call("hasRole", key, composed.owner)
            denied = "AccessControlUnauthorizedAccount"
            composed.refuses(denied, "grantRole", key, composed.stranger, sender=composed.stranger)


def check_functions(composed: Composed, functions: dict[str, str]) -> None:
    """Require that a function is there exactly when its feature was asked for."""
    for feature, function in functions.items():
        assert composed.has(function) == (feature in composed.case.features), function


def denied(composed: Composed) -> str:
    return "AccessControlUnauthorizedAccount" if composed.case.roles else "OwnableUnauthorizedAccount"


def mint_some(composed: Composed, to: str, sender: str | None = None) -> tuple[str, tuple[Any, ...]]:
    """Return the call that mints one token of any kind."""
    if composed.case.kind == "erc20":
        return "mint", (to, 1)
    if composed.case.kind == "erc1155":
        return "mint", (to, 3, 1, b"")
    return "safeMint", (to, "one.json") if "uri_storage" in composed.case.features else (to,)


def grant(composed: Composed, role: str, to: str) -> None:
    composed.send("grantRole", composed.call(role), to)


@of_kind("erc20", "erc721", "erc1155", where="mintable")
def test_only_owner_or_minters_mint(composed: Composed) -> None:
    function, arguments = mint_some(composed, composed.friend)
    composed.refuses(denied(composed), function, *arguments, sender=composed.stranger)
    if composed.case.roles:
        grant(composed, "MINTER_ROLE", composed.stranger)
        composed.send(function, *arguments, sender=composed.stranger)
    else:
        composed.send(function, *arguments)
    if composed.case.kind == "erc1155":
        assert composed.call("balanceOf", composed.friend, 3) == 1
    else:
        assert composed.call("balanceOf", composed.friend) == 1
    if composed.case.kind == "erc721":
        assert composed.call("ownerOf", int(composed.case.supply)) == composed.friend
        uri = composed.call("tokenURI", 0)
        assert uri == ("one.json" if "uri_storage" in composed.case.features else uri)
        assert uri.startswith(composed.case.base_uri)
        assert (uri == "ipfs://bafy/0") == (composed.case.base_uri == "ipfs://bafy/")


@of_kind("erc20", "erc721", where="capped")
def test_nothing_is_minted_over_the_cap(composed: Composed) -> None:
    case = composed.case
    assert case.cap is not None
    cap = units(case.cap, case.decimals)
    if case.kind == "erc20":
        assert composed.call("cap") == cap
        if "mintable" in case.features:
            left = cap - composed.call("totalSupply")
            composed.refuses("ERC20ExceededCap", "mint", composed.friend, left + 1)
            composed.send("mint", composed.friend, left)
            assert composed.call("totalSupply") == cap
        return
    assert composed.call("MAX_SUPPLY") == cap
    function, arguments = mint_some(composed, composed.friend)
    if cap > 20:
        composed.send(function, *arguments)
        return
    for _ in range(cap):
        composed.send(function, *arguments)
    composed.refuses("SoldOut", function, *arguments)
    assert composed.call("balanceOf", composed.friend) == cap


@of_kind("erc20", "erc721", "erc1155", where="burnable")
def test_holders_burn_what_is_theirs(composed: Composed) -> None:
    kind = composed.case.kind
    if kind == "erc20":
        before = composed.call("totalSupply")
        composed.send("transfer", composed.friend, 10)
        composed.send("burn", 4, sender=composed.friend)
        assert (composed.call("balanceOf", composed.friend), composed.call("totalSupply")) == (6, before - 4)
        composed.refuses("ERC20InsufficientBalance", "burn", 7, sender=composed.friend)
        composed.refuses("ERC20InsufficientAllowance", "burnFrom", composed.friend, 1)
        return
    function, arguments = mint_some(composed, composed.friend)
    composed.send(function, *arguments)
    if kind == "erc721":
        composed.refuses("ERC721InsufficientApproval", "burn", 0, sender=composed.stranger)
        composed.send("burn", 0, sender=composed.friend)
        composed.refuses("ERC721NonexistentToken", "ownerOf", 0)
        composed.send(function, *arguments)
        assert composed.call("ownerOf", 1) == composed.friend, "a burned number does not come back"
    else:
        burn = composed.contract.functions["burn"]
        composed.refuses("ERC1155MissingApprovalForAll", "burn", composed.friend, 3, 1, sender=composed.stranger)
        burn(composed.friend, 3, 1).transact({"from": composed.friend})
        assert composed.call("balanceOf", composed.friend, 3) == 0


@of_kind("erc20", "erc721", "erc1155", where="pausable")
def test_a_pause_stops_everything_until_it_ends(composed: Composed) -> None:
    composed.refuses(denied(composed), "pause", sender=composed.stranger)
    if composed.case.roles:
        grant(composed, "PAUSER_ROLE", composed.friend)
    pauser = composed.friend if composed.case.roles else composed.owner
    if composed.case.kind == "erc20":
        function, arguments, sender = "transfer", (composed.stranger, 1), composed.owner
    else:
        (function, arguments), sender = mint_some(composed, composed.stranger), composed.owner
    composed.send("pause", sender=pauser)
    assert composed.call("paused")
    composed.refuses("EnforcedPause", function, *arguments, sender=sender)
    if "mintable" in composed.case.features:
        minting, given = mint_some(composed, composed.friend)
        composed.refuses("EnforcedPause", minting, *given)
    composed.send("unpause", sender=pauser)
    composed.send(function, *arguments, sender=sender)


@of_kind("erc20", where="permit")
def test_a_permit_is_an_approval_once_and_until_its_deadline(composed: Composed) -> None:
    holder, value, deadline = Account.create(), 5, composed.time() + 1000
    domain = {
        "name": composed.case.name,
        "version": "1",
        "chainId": composed.chain.web3.eth.chain_id,
        "verifyingContract": composed.contract.address,
    }
    fields = ("owner", "address"), ("spender", "address"), ("value", "uint256"), ("nonce", "uint256")
    types = {"Permit": [{"name": name, "type": kind} for name, kind in (*fields, ("deadline", "uint256"))]}
    message = {
        "owner": holder.address,
        "spender": composed.friend,
        "value": value,
        "nonce": composed.call("nonces", holder.address),
        "deadline": deadline,
    }
    signed = holder.sign_message(encode_typed_data(domain, types, message))
    arguments = (
        holder.address,
        composed.friend,
        value,
        deadline,
        signed.v,
        signed.r.to_bytes(32),
        signed.s.to_bytes(32),
    )
    composed.send("permit", *arguments, sender=composed.stranger)
    assert composed.call("allowance", holder.address, composed.friend) == value
    composed.refuses("ERC2612InvalidSigner", "permit", *arguments)
    expired = (*arguments[:3], composed.time() - 1, *arguments[4:])
    composed.refuses("ERC2612ExpiredSignature", "permit", *expired)


@of_kind("erc20", "erc721", where="votes")
def test_votes_follow_delegation_and_are_kept_by_block(composed: Composed) -> None:
    if composed.case.kind == "erc721":
        function, arguments = mint_some(composed, composed.owner)
        composed.send(function, *arguments)
    held = composed.call("balanceOf", composed.owner)
    assert composed.call("getVotes", composed.friend) == 0
    receipt = composed.send("delegate", composed.friend)
    composed.mine()
    assert composed.call("getVotes", composed.friend) == held > 0
    if composed.case.kind == "erc20":
        composed.send("transfer", composed.stranger, 1)
    else:
        composed.send("transferFrom", composed.owner, composed.stranger, 0)
    assert composed.call("getVotes", composed.friend) == held - 1
    assert composed.call("getPastVotes", composed.friend, receipt["blockNumber"]) == held
    assert composed.call("getPastVotes", composed.friend, receipt["blockNumber"] - 1) == 0


@of_kind("erc721", "erc1155", where="royalty")
def test_royalties_go_to_the_owner(composed: Composed) -> None:
    assert composed.case.royalty is not None
    expected = int(Decimal(composed.case.royalty) * 100)
    assert composed.call("royaltyInfo", 0, 10_000) == [composed.owner, expected]


@of_kind("erc721", where="enumerable")
def test_an_enumerable_collection_is_counted(composed: Composed) -> None:
    function, arguments = mint_some(composed, composed.friend)
    composed.send(function, *arguments)
    composed.send(function, *arguments)
    assert composed.call("totalSupply") == 2
    assert composed.call("tokenOfOwnerByIndex", composed.friend, 1) == 1


@of_kind("erc20", "erc721", "erc1155", "escrow", "vesting")
def test_nobody_is_no_owner(composed: Composed) -> None:
    factory = composed.chain.web3.eth.contract(abi=composed.contract.abi, bytecode=composed.bytecode)
    with pytest.raises(ContractCustomError) as caught:
        factory.constructor(ZERO).estimate_gas({"from": composed.owner})
    error = "ZeroOwner" if composed.case.roles else "OwnableInvalidOwner"
    assert str(caught.value.data)[:10] in composed.selectors(error)


# ── Vesting ─────────────────────────────────────────────────────────────────────────────────────


@of_kind("vesting")
def test_a_vesting_wallet_releases_over_time_to_its_beneficiary_alone(composed: Composed) -> None:
    case = composed.case
    beneficiary = case.beneficiary or composed.owner
    assert composed.call("owner") == beneficiary
    assert composed.call("duration") == case.duration
    assert composed.has("cliff") == bool(case.cliff)
    start, total = composed.call("start"), 10**18
    assert abs(start - composed.time()) <= 2
    vested = composed.contract.get_function_by_signature("vestedAmount(uint64)")
    releasable = composed.contract.get_function_by_signature("releasable()")
    hashed = composed.chain.web3.eth.send_transaction(
        {"from": composed.stranger, "to": composed.contract.address, "value": total}
    )
    composed.chain.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)
    if case.cliff:
        assert vested(start + case.cliff - 1).call() == 0
        assert vested(start + case.cliff).call() == total * case.cliff // case.duration
    assert vested(start + case.duration // 2).call() == total * (case.duration // 2) // case.duration
    assert vested(start + case.duration).call() == total
    composed.later(case.duration // 2)
    expected = releasable().call()
    assert total // 2 <= expected <= total * 52 // 100
    before = composed.coins(beneficiary)
    release = composed.contract.get_function_by_signature("release()")
    hashed = release().transact({"from": composed.stranger})
    composed.chain.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)
    assert composed.coins(beneficiary) - before >= expected
    composed.later(case.duration)
    release().transact({"from": composed.stranger})
    composed.mine()
    assert (composed.coins(beneficiary) - before, composed.coins(composed.contract.address)) == (total, 0)


# ── Escrow ──────────────────────────────────────────────────────────────────────────────────────


@of_kind("escrow")
def test_an_escrow_pays_each_deal_once(composed: Composed) -> None:
    assert composed.call("owner") == composed.owner
    buyer, seller, deadline = composed.stranger, composed.friend, composed.time() + DAY
    composed.refuses("ZeroAmount", "open", seller, deadline, sender=buyer)
    composed.refuses("ZeroSeller", "open", ZERO, deadline, sender=buyer, value=1)
    composed.refuses("PastDeadline", "open", seller, composed.time() - 1, sender=buyer, value=1)
    for _ in range(4):
        composed.send("open", seller, deadline, sender=buyer, value=1000)
    composed.refuses("NotAllowed", "release", 0, sender=seller)
    composed.refuses("NotAllowed", "refund", 0, sender=buyer)
    before = composed.coins(seller)
    composed.send("release", 0, sender=buyer)
    assert composed.coins(seller) - before == 1000
    for function in ("release", "refund"):
        composed.refuses("NotOpen", function, 0)
        composed.refuses("NotOpen", function, 99)
    before = composed.coins(seller)
    composed.send("release", 1)
    assert composed.coins(seller) - before == 1000, "the arbiter decided"
    before = composed.coins(buyer)
    composed.send("refund", 2, sender=seller)
    assert composed.coins(buyer) - before == 1000
    composed.later(DAY + 1)
    composed.refuses("NotAllowed", "release", 3, sender=seller)
    composed.send("refund", 3, sender=buyer)
    assert composed.coins(composed.contract.address) == 0


@of_kind("escrow")
def test_an_escrow_holds_tokens_as_well(composed: Composed) -> None:
    token = composed.chain.deploy("TestUSDC")
    buyer, seller, deadline = composed.stranger, composed.friend, composed.time() + DAY
    composed.chain.send(token.functions.mint(buyer, 500), buyer)
    composed.refuses("NotToken", "openWithToken", seller, ZERO, 400, deadline, sender=buyer)
    opening = composed.contract.functions.openWithToken(seller, token.address, 400, deadline)
    insufficient = "ERC20InsufficientAllowance(address,uint256,uint256)"
    composed.chain.refuse(opening, buyer, "TestUSDC", insufficient)
    composed.chain.send(token.functions.approve(composed.contract.address, 400), buyer)
    composed.send("openWithToken", seller, token.address, 400, deadline, sender=buyer)
    assert token.functions.balanceOf(composed.contract.address).call() == 400
    composed.send("release", 0, sender=buyer)
    assert token.functions.balanceOf(seller).call() == 400
    assert token.functions.balanceOf(composed.contract.address).call() == 0


# ── Timelock ────────────────────────────────────────────────────────────────────────────────────


@of_kind("timelock")
def test_a_timelock_waits_for_signers_and_time(composed: Composed) -> None:
    case = composed.case
    signers = list(case.signers or (composed.owner,))
    first, others = signers[0], signers[1 : case.threshold]
    assert composed.call("signers") == signers
    assert (composed.call("threshold"), composed.call("DELAY")) == (case.threshold, case.delay)
    outsider, target = str(composed.chain.accounts[8]), Account.create().address
    composed.refuses("NotSigner", "propose", target, 5, b"", sender=outsider)
    composed.chain.web3.eth.send_transaction({"from": outsider, "to": composed.contract.address, "value": 100})
    composed.send("propose", target, 5, b"", sender=first)
    composed.refuses("AlreadyConfirmed", "confirm", 0, sender=first)
    if others:
        composed.later(case.delay + 1)
        composed.refuses("NotReady", "execute", 0, sender=first)
    for signer in others:
        composed.send("confirm", 0, sender=signer)
    composed.refuses("NotReady", "execute", 0, sender=first)
    composed.later(case.delay - 30)
    composed.refuses("NotReady", "execute", 0, sender=first)
    composed.later(40)
    composed.refuses("NotSigner", "execute", 0, sender=outsider)
    composed.send("execute", 0, sender=first)
    assert composed.coins(target) == 5
    composed.refuses("NotPending", "execute", 0, sender=first)
    composed.refuses("NotPending", "confirm", 7, sender=first)


@of_kind("timelock")
def test_signers_of_a_timelock_change_only_by_operations_and_confirmations_can_be_taken_back(
    composed: Composed,
) -> None:
    case = composed.case
    signers = list(case.signers or (composed.owner,))
    new = str(composed.chain.accounts[7])
    composed.refuses("NotSelf", "addSigner", new, sender=signers[0])
    composed.refuses("NotSelf", "changeThreshold", 1, sender=signers[0])

    def operate(function: str, *arguments: Any) -> None:
        data = composed.contract.encode_abi(function, args=list(arguments))
        number = composed.call("operationCount")
        composed.send("propose", composed.contract.address, 0, data, sender=signers[0])
        for signer in signers[1 : case.threshold]:
            composed.send("confirm", number, sender=signer)
        composed.send("revoke", number, sender=signers[0])
        composed.later(case.delay + 1)
        composed.refuses("NotReady", "execute", number, sender=signers[0])
        composed.send("confirm", number, sender=signers[0])
        composed.later(case.delay + 1)
        composed.send("execute", number, sender=signers[0])

    operate("addSigner", new)
    assert composed.call("isSigner", new)
    operate("removeSigner", new)
    assert not composed.call("isSigner", new)
    assert composed.call("signers") == signers
