"""Contracts that are no tokens, deployed and used: each does what was asked for, and nobody can do more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_utils.crypto import keccak
from web3.exceptions import ContractCustomError

from tests.support import kinds
from tests.support.composed import Composed
from tests.support.prompt_clauses import A, B
from tests.support.prompts import DAY, Case

ETHER = 10**18
COIN = "0x" + "0" * 40
YEAR = 365 * DAY


def on(*cases: Case) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("composed", cases, indirect=True, ids=[case.name for case in cases])


@pytest.fixture
def bank(deploy: Callable[[Case], Composed]) -> Composed:
    """Return an ERC-20 token of the owner's."""
    return deploy(kinds.BANK)


def give(bank: Composed, to: str, amount: int, spender: Composed) -> None:
    """Give somebody tokens, who approves them for a contract."""
    bank.send("transfer", to, amount)
    bank.send("approve", spender.contract.address, amount, sender=to)


def holdings(bank: Composed, *accounts: str) -> list[int]:
    return [bank.call("balanceOf", account) for account in accounts]


def pay(composed: Composed, value: int) -> None:
    hashed = composed.chain.web3.eth.send_transaction(
        {"from": composed.stranger, "to": composed.contract.address, "value": value}
    )
    composed.chain.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)


def gained(composed: Composed, account: str, function: str, *arguments: Any) -> int:
    """How much of the chain's coin an account has more after a call by somebody else."""
    before = composed.coins(account)
    composed.send(function, *arguments, sender=composed.stranger)
    return composed.coins(account) - before


# ── Staking ─────────────────────────────────────────────────────────────────────────────────────


@on(kinds.STAKING)
def test_a_stake_earns_by_the_year_and_leaves_after_its_cooldown(composed: Composed, bank: Composed) -> None:
    holder, other = composed.friend, composed.stranger
    give(bank, holder, 1000 * ETHER, composed)
    composed.refuses("NotToken", "stake", 1, sender=holder)
    composed.refuses("OwnableUnauthorizedAccount", "setToken", bank.contract.address, sender=holder)
    composed.refuses("NotToken", "setToken", other)
    composed.send("setToken", bank.contract.address)
    composed.refuses("TokenIsSet", "setToken", bank.contract.address)
    composed.refuses("ZeroAmount", "stake", 0, sender=holder)
    composed.send("stake", 1000 * ETHER, sender=holder)
    composed.later(YEAR // 2)
    assert composed.call("rewardsOf", holder) == pytest.approx(60 * ETHER, rel=1e-5)
    composed.refuses("ZeroAmount", "claim", sender=holder)
    give(bank, other, 50 * ETHER, composed)
    composed.send("fund", 50 * ETHER, sender=other)
    composed.send("claim", sender=holder)
    assert holdings(bank, holder) == [50 * ETHER]
    assert composed.call("rewardsOf", holder) == pytest.approx(10 * ETHER, rel=1e-4), "what is not paid stays owed"
    composed.refuses("ZeroAmount", "claim", sender=holder)
    composed.refuses("NotStaked", "requestUnstake", 1000 * ETHER + 1, sender=holder)
    composed.refuses("ZeroAmount", "unstake", sender=holder)
    composed.send("requestUnstake", 400 * ETHER, sender=holder)
    composed.refuses("NotReady", "unstake", sender=holder)
    composed.later(7 * DAY)
    composed.refuses("ZeroAmount", "unstake", sender=other)
    composed.send("unstake", sender=holder)
    assert holdings(bank, holder, composed.contract.address) == [450 * ETHER, 600 * ETHER]
    assert composed.call("totalStaked") == 600 * ETHER
    assert not any(map(composed.has, ("withdraw", "pause", "setRate", "recover")))


@on(kinds.LOCKED_STAKING)
def test_a_locked_stake_stays_until_its_time(composed: Composed, bank: Composed) -> None:
    composed.send("setToken", bank.contract.address)
    give(bank, composed.friend, 100, composed)
    composed.send("stake", 100, sender=composed.friend)
    composed.refuses("StakeLocked", "unstake", 1, sender=composed.friend)
    composed.later(30 * DAY)
    composed.send("unstake", 100, sender=composed.friend)
    assert holdings(bank, composed.friend) == [100]


# ── Crowdsales ──────────────────────────────────────────────────────────────────────────────────


def opened(sale: Composed, bank: Composed, amount: int) -> None:
    bank.send("approve", sale.contract.address, amount)
    sale.send("open", bank.contract.address, amount)


@on(kinds.CROWDSALE)
def test_a_sale_that_reaches_its_cap_gives_tokens_and_pays_the_owner(composed: Composed, bank: Composed) -> None:
    buyer = composed.friend
    composed.refuses("NotOpen", "buy", sender=buyer, value=ETHER)
    bank.send("approve", composed.contract.address, 10**6 * ETHER)
    composed.refuses("TooFewTokens", "open", bank.contract.address, 199_999 * ETHER)
    composed.send("open", bank.contract.address, 250_000 * ETHER)
    composed.refuses("AlreadyOpen", "open", bank.contract.address, 250_000 * ETHER)
    composed.send("buy", sender=buyer, value=150 * ETHER)
    composed.refuses("SoldOut", "buy", sender=composed.stranger, value=51 * ETHER)
    composed.refuses("NotSuccessful", "claim", sender=buyer)
    composed.refuses("NotSuccessful", "withdraw")
    composed.refuses("NotFailed", "refund", sender=buyer)
    composed.send("buy", sender=composed.stranger, value=50 * ETHER)
    composed.refuses("NotOpen", "buy", sender=buyer, value=1)
    composed.refuses("NotFailed", "refund", sender=buyer)
    composed.send("claim", sender=buyer)
    composed.refuses("NothingDue", "claim", sender=buyer)
    assert holdings(bank, buyer) == [150_000 * ETHER]
    composed.refuses("OwnableUnauthorizedAccount", "withdraw", sender=buyer)
    before = composed.coins(composed.owner)
    composed.send("withdraw")
    assert composed.coins(composed.owner) - before > 199 * ETHER
    composed.send("withdrawTokens")
    composed.refuses("NothingDue", "withdrawTokens")
    composed.send("claim", sender=composed.stranger)
    assert holdings(bank, composed.stranger, composed.contract.address) == [50_000 * ETHER, 0]


@on(kinds.CROWDSALE)
def test_a_sale_under_its_soft_cap_pays_everybody_back(composed: Composed, bank: Composed) -> None:
    buyer = composed.friend
    opened(composed, bank, 200_000 * ETHER)
    composed.send("buy", sender=buyer, value=49 * ETHER)
    composed.later(30 * DAY)
    composed.refuses("NotOpen", "buy", sender=buyer, value=ETHER)
    composed.refuses("NotSuccessful", "claim", sender=buyer)
    composed.refuses("NotSuccessful", "withdraw")
    before = composed.coins(buyer)
    composed.send("refund", sender=buyer)
    assert composed.coins(buyer) - before > 48 * ETHER
    composed.refuses("NothingDue", "refund", sender=buyer)
    composed.send("withdrawTokens")
    assert holdings(bank, composed.owner) == [10**6 * ETHER]
    assert composed.coins(composed.contract.address) == 0


@on(kinds.SMALL_SALE)
def test_a_sale_by_price_bounds_what_a_buyer_pays(composed: Composed, bank: Composed) -> None:
    opened(composed, bank, 1_250 * ETHER)
    composed.refuses("ContributionTooSmall", "buy", sender=composed.friend, value=ETHER // 10 - 1)
    composed.send("buy", sender=composed.friend, value=2 * ETHER)
    composed.refuses("ContributionTooLarge", "buy", sender=composed.friend, value=1)
    composed.refuses("SoldOut", "buy", sender=composed.stranger, value=ETHER)
    assert not composed.has("refund")
    composed.later(14 * DAY)
    composed.send("claim", sender=composed.friend)
    assert holdings(bank, composed.friend) == [1_000 * ETHER]


# ── DAO ─────────────────────────────────────────────────────────────────────────────────────────


@on(kinds.DAO)
def test_a_dao_does_what_its_holders_voted_for_after_the_delay(composed: Composed) -> None:
    web3 = composed.chain.web3
    token = web3.eth.contract(address=composed.call("token"), abi=ERC20_VOTES)
    timelock = web3.eth.contract(address=composed.call("timelock"), abi=TIMELOCK)
    assert token.functions.balanceOf(composed.owner).call() == token.functions.totalSupply().call() == 10**6 * ETHER
    assert timelock.functions.getMinDelay().call() == 2 * DAY
    admin = timelock.functions.DEFAULT_ADMIN_ROLE().call()
    holders = (composed.owner, composed.contract.address, composed.chain.accounts[-1])
    assert not any(timelock.functions.hasRole(admin, holder).call() for holder in holders)
    token.functions.transfer(composed.friend, 50_000 * ETHER).transact({"from": composed.owner})
    token.functions.delegate(composed.friend).transact({"from": composed.friend})
    composed.later(1)
    now = web3.eth.get_block("latest")["timestamp"]
    assert composed.call("quorum", now - 1) == 40_000 * ETHER
    web3.eth.send_transaction({"from": composed.stranger, "to": timelock.address, "value": ETHER})
    before = composed.coins(B)
    call = ([B], [ETHER], [b""])
    composed.send("propose", *call, "Pay B", sender=composed.friend)
    proposal = composed.call("getProposalId", *call, keccak(text="Pay B"))
    assert composed.call("state", proposal) == PENDING
    composed.later(DAY + 1)
    composed.send("castVote", proposal, 1, sender=composed.friend)
    assert composed.call("state", proposal) == ACTIVE
    composed.later(7 * DAY)
    assert composed.call("state", proposal) == SUCCEEDED
    composed.send("queue", *call, keccak(text="Pay B"), sender=composed.stranger)
    with pytest.raises(ContractCustomError):
        composed.call("execute", *call, keccak(text="Pay B"))
    composed.later(2 * DAY)
    composed.send("execute", *call, keccak(text="Pay B"), sender=composed.stranger)
    assert composed.coins(B) - before == ETHER


@on(kinds.DAO)
def test_a_proposal_without_a_quorum_fails(composed: Composed) -> None:
    web3 = composed.chain.web3
    token = web3.eth.contract(address=composed.call("token"), abi=ERC20_VOTES)
    token.functions.transfer(composed.friend, 39_999 * ETHER).transact({"from": composed.owner})
    token.functions.delegate(composed.friend).transact({"from": composed.friend})
    composed.later(1)
    call = ([B], [0], [b""])
    composed.send("propose", *call, "Nothing", sender=composed.friend)
    proposal = composed.call("getProposalId", *call, keccak(text="Nothing"))
    composed.later(DAY + 1)
    composed.send("castVote", proposal, 1, sender=composed.friend)
    composed.later(7 * DAY)
    assert composed.call("state", proposal) == DEFEATED


PENDING, ACTIVE, DEFEATED, SUCCEEDED = 0, 1, 3, 4


def function(name: str, inputs: str = "", output: str = "") -> dict[str, Any]:
    taken = [{"name": f"a{place}", "type": kind} for place, kind in enumerate(inputs.split())]
    given = [{"name": "", "type": output}] if output else []
    return {
        "type": "function",
        "name": name,
        "inputs": taken,
        "outputs": given,
        "stateMutability": "view" if output else "nonpayable",
    }


ERC20_VOTES = [
    function("balanceOf", "address", "uint256"),
    function("totalSupply", "", "uint256"),
    function("transfer", "address uint256"),
    function("delegate", "address"),
]
TIMELOCK = [
    function("getMinDelay", "", "uint256"),
    function("DEFAULT_ADMIN_ROLE", "", "bytes32"),
    function("hasRole", "bytes32 address", "bool"),
]


# ── Auctions ────────────────────────────────────────────────────────────────────────────────────


def started(auction: Composed, deploy: Callable[[Case], Composed]) -> Composed:
    card = deploy(kinds.CARD)
    card.send("safeMint", auction.owner)
    card.send("approve", auction.contract.address, 0)
    auction.send("start", card.contract.address, 0)
    return card


@on(kinds.AUCTION)
def test_an_auction_goes_to_the_highest_bid_and_pays_back_the_others(
    composed: Composed, deploy: Callable[[Case], Composed]
) -> None:
    first, second, least = composed.friend, composed.stranger, ETHER // 10
    composed.refuses("NotOpen", "bid", sender=first, value=ETHER)
    composed.refuses("NotOver", "settle")
    card = started(composed, deploy)
    composed.refuses("AlreadyStarted", "start", card.contract.address, 0)
    composed.refuses("BidTooLow", "bid", sender=first, value=least - 1)
    composed.send("bid", sender=first, value=least)
    composed.refuses("BidTooLow", "bid", sender=second, value=least * 105 // 100 - 1)
    composed.send("bid", sender=second, value=2 * least)
    composed.refuses("NotOver", "settle")
    assert composed.call("owed", first) == least
    before = composed.coins(first)
    composed.send("withdraw", sender=first)
    assert least - composed.coins(first) + before < ETHER // 1000
    composed.refuses("NothingOwed", "withdraw", sender=first)
    composed.refuses("NothingOwed", "withdraw", sender=second)
    composed.later(3 * DAY)
    composed.refuses("NotOpen", "bid", sender=first, value=ETHER)
    composed.send("settle", sender=first)
    composed.refuses("NotOver", "settle")
    assert card.call("ownerOf", 0) == second
    assert composed.call("owed", composed.owner) == 2 * least
    composed.send("withdraw")
    assert composed.coins(composed.contract.address) == 0


@on(kinds.AUCTION)
def test_an_auction_without_bids_gives_the_nft_back(composed: Composed, deploy: Callable[[Case], Composed]) -> None:
    card = started(composed, deploy)
    assert card.call("ownerOf", 0) == composed.contract.address
    composed.later(3 * DAY)
    composed.send("settle", sender=composed.stranger)
    assert card.call("ownerOf", 0) == composed.owner


@on(kinds.EXTENDED)
def test_a_late_bid_extends_an_auction_and_the_seller_is_paid(
    composed: Composed, deploy: Callable[[Case], Composed]
) -> None:
    started(composed, deploy)
    end = composed.call("endsAt")
    composed.send("bid", sender=composed.friend, value=ETHER)
    assert composed.call("endsAt") == end
    composed.refuses("BidTooLow", "bid", sender=composed.stranger, value=ETHER * 11 // 10 - 1)
    composed.later(DAY - 300)
    composed.send("bid", sender=composed.stranger, value=ETHER * 11 // 10)
    assert composed.call("endsAt") > end + 200
    composed.later(601)
    composed.send("settle")
    assert (composed.call("owed", B), composed.call("owed", composed.owner)) == (ETHER * 11 // 10, 0)


# ── Money that is shared, locked or given ───────────────────────────────────────────────────────


@on(kinds.SPLITTER)
def test_a_splitter_pays_each_its_share_of_all_that_arrived(composed: Composed, bank: Composed) -> None:
    assert composed.call("payees") == [A, B]
    pay(composed, 1000)
    assert gained(composed, A, "release", COIN, A) == 600
    composed.refuses("NothingDue", "release", COIN, A)
    pay(composed, 500)
    assert (gained(composed, B, "release", COIN, B), gained(composed, A, "release", COIN, A)) == (600, 300)
    composed.refuses("NothingDue", "release", COIN, composed.stranger)
    before = holdings(bank, A, B)
    bank.send("transfer", composed.contract.address, 50)
    for payee in (A, B):
        composed.send("release", bank.contract.address, payee)
    assert [after - was for after, was in zip(holdings(bank, A, B), before, strict=True)] == [30, 20]
    assert not composed.has("owner")


@on(kinds.LOCK)
def test_a_lock_opens_for_its_beneficiary_when_its_time_is_over(composed: Composed, bank: Composed) -> None:
    bank.send("transfer", composed.contract.address, 70)
    release = composed.contract.get_function_by_signature("release(address)")(bank.contract.address)
    before = holdings(bank, B)[0]
    composed.later(180 * DAY - 100)
    release.transact({"from": composed.stranger})
    composed.mine()
    assert holdings(bank, B)[0] == before
    composed.later(101)
    release.transact({"from": composed.stranger})
    composed.mine()
    assert holdings(bank, B)[0] == before + 70


@on(kinds.AIRDROP)
def test_an_airdrop_gives_each_listed_amount_once(composed: Composed, bank: Composed) -> None:
    holder, other, amount = composed.friend, composed.stranger, 30
    mine, second = (
        keccak(keccak(bytes(12) + bytes.fromhex(account[2:]) + size.to_bytes(32)))
        for account, size in ((holder, amount), (other, 20))
    )
    root = keccak(b"".join(sorted((mine, second))))
    composed.refuses("NotOpen", "claim", holder, amount, [second])
    bank.send("approve", composed.contract.address, 60)
    composed.refuses("OwnableUnauthorizedAccount", "open", bank.contract.address, root, 60, sender=holder)
    composed.send("open", bank.contract.address, root, 60)
    composed.refuses("AlreadyOpen", "open", bank.contract.address, root, 60)
    composed.refuses("NotListed", "claim", holder, amount + 1, [second])
    composed.send("claim", holder, amount, [second], sender=other)
    composed.refuses("AlreadyClaimed", "claim", holder, amount, [second])
    composed.refuses("NotOver", "reclaim")
    composed.later(30 * DAY)
    composed.refuses("NotOpen", "claim", other, 20, [mine])
    composed.refuses("OwnableUnauthorizedAccount", "reclaim", sender=other)
    composed.send("reclaim")
    assert holdings(bank, holder, other, composed.contract.address) == [30, 0, 0]


@on(kinds.SUBSCRIPTION)
def test_a_subscription_lasts_as_long_as_it_is_paid(composed: Composed) -> None:
    member, price = composed.friend, ETHER // 100
    composed.refuses("WrongPayment", "subscribe", member, 2, sender=member, value=price)
    composed.refuses("InvalidPeriods", "subscribe", member, 0, sender=member)
    composed.refuses("InvalidPeriods", "subscribe", member, 1201, sender=member, value=1201 * price)
    composed.send("subscribe", member, 1, sender=member, value=price)
    composed.later(29 * DAY)
    composed.send("subscribe", member, 1, sender=composed.stranger, value=price)
    composed.later(30 * DAY)
    assert composed.call("isActive", member)
    composed.later(DAY + 100)
    assert not composed.call("isActive", member)
    composed.refuses("OwnableUnauthorizedAccount", "withdraw", sender=member)
    composed.send("withdraw")
    assert composed.coins(composed.contract.address) == 0


@on(kinds.REVOCABLE)
def test_revoked_vesting_pays_what_had_vested_and_the_rest_to_the_owner(composed: Composed, bank: Composed) -> None:
    held = bank.contract.address
    bank.send("transfer", composed.contract.address, 4_000)
    before = holdings(bank, B)[0]
    composed.later(YEAR - 100)
    composed.refuses("NothingDue", "release", held, B)
    composed.later(YEAR + 100)
    composed.send("release", held, B, sender=composed.stranger)
    assert holdings(bank, B)[0] - before == 2_000
    composed.refuses("OwnableUnauthorizedAccount", "revoke", B, sender=composed.stranger)
    composed.refuses("NothingDue", "reclaim", held, B)
    composed.refuses("NotRevocable", "revoke", A)
    composed.send("revoke", B)
    composed.refuses("NotRevocable", "revoke", B)
    composed.later(YEAR)
    composed.refuses("NothingDue", "release", held, B)
    composed.send("reclaim", held, B)
    composed.refuses("NothingDue", "reclaim", held, B)
    assert holdings(bank, composed.contract.address) == [0]
    assert holdings(bank, B)[0] - before == 2_000


@on(kinds.TEAM)
def test_a_team_vests_in_steps_by_its_shares(composed: Composed) -> None:
    assert composed.call("beneficiaries") == [A, B]
    pay(composed, 12_000)
    composed.later(89 * DAY)
    composed.refuses("NothingDue", "release", COIN, A)
    composed.later(2 * DAY)
    assert (gained(composed, A, "release", COIN, A), gained(composed, B, "release", COIN, B)) == (2_250, 750)
    composed.later(28 * DAY)
    composed.refuses("NothingDue", "release", COIN, A)
    composed.later(2 * DAY)
    assert gained(composed, A, "release", COIN, A) == 750
    composed.later(360 * DAY)
    assert (gained(composed, A, "release", COIN, A), gained(composed, B, "release", COIN, B)) == (6_000, 2_250)
    assert not any(map(composed.has, ("owner", "revoke")))
