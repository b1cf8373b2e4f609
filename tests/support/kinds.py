"""Prompts for the contracts with rules of their own, and what each must become; tried on a chain one by one."""

from __future__ import annotations

from typing import Any

from tests.support.prompt_clauses import A, B
from tests.support.prompts import DAY, Case, erc20, erc721

TAXED = erc20(
    f"ERC-20 token called Taxed with 7 million supply and a 2% tax on every transfer sent to {B}", "Taxed", "TAXE",
    "7000000", "tax", given={"tax": "2", "tax_receiver": B},
)  # fmt: skip
DEFLATING = erc20(
    "ERC20 called Shrink, 1000 supply, 1.5% of every transfer is burned, with permit, votes and a 0.5% transfer fee",
    "Shrink", "SHRI", "1000", "burn_tax tax permit votes", given={"burn_tax": "1.5", "tax": "0.5"},
)  # fmt: skip
MOON = erc20(
    "Create an ERC-20 token with a max wallet of 1% and max transaction of 0.5%, name Moon Safe", "Moon Safe", "MS",
    "1000000", "max_wallet max_transaction",
)  # fmt: skip
LIMITED = erc20(
    "Token called Tidy, 10000 supply, nobody can hold more than 500 tokens, mintable, pausable, 6 decimals, role-based "
    "access",
    "Tidy", "TIDY", "10000", "max_wallet mintable pausable", decimals=6, roles=True,
)  # fmt: skip
FAIR = erc20(
    "make a token where nobody can sell for the first 24 hours after launch, name is FairLaunch", "FairLaunch", "FL",
    "1000000", "trading_delay", given={"trading_delay": DAY},
)  # fmt: skip
FROZEN = erc20(
    "ERC20 called Chill with 500 supply where the owner can freeze accounts", "Chill", "CHIL", "500", "freezable"
)
BOUND = erc20(
    "ERC20 token called Points, 1000 supply, that is not transferable, mintable and burnable", "Points", "POIN", "1000",
    "soulbound mintable burnable",
)  # fmt: skip
OWNERLESS = erc20(
    "token called Renounced, 1 billion, no owner, ownership renounced, cannot be minted ever again", "Renounced",
    "RENO", "1000000000", given={"access": "none"},
)  # fmt: skip
DROPPED = erc20(
    f"Create a token and airdrop 100 tokens each to {A} and {B}", "Token", "TOKE", "1000000", "airdrop",
    given={"airdrop": [A, B], "airdrop_each": "100"},
)  # fmt: skip
PENGUINS = erc721(
    "NFT collection 'Bored Penguins' 10k max supply, mint price 0.05 ETH, max 5 per wallet, allowlist phase first then "
    "public, reveal later, 7.5% royalties",
    "Bored Penguins", "BP", "public_mint capped allowlist phases reveal royalty", cap="10000", royalty="7.5",
    given={"price": "0.05", "max_per_wallet": 5},
)  # fmt: skip
FREEBIES = erc721(
    "ERC721 called Freebies, everyone can mint one, capped at 3", "Freebies", "FREE", "public_mint capped", cap="3",
    given={"price": "0", "max_per_wallet": 1},
)  # fmt: skip
PAID = erc721(
    "NFT collection called Paid with a mint price of 0.05 ETH and public minting, the owner can withdraw the proceeds, "
    "with roles, burnable and pausable",
    "Paid", "PAID", "public_mint withdrawal burnable pausable", roles=True, given={"price": "0.05"},
)  # fmt: skip
CERTIFICATES = erc721(
    "soulbound tokens for course certificates, each with its own metadata link, issued by our university, revocable by "
    "us",
    "Collection", "COLL", "soulbound uri_storage mintable revocable",
)  # fmt: skip


def other(kind: str, prompt: str, name: str, features: str = "", **given: Any) -> Case:
    """Return a case of a kind that is no token; ``given`` are the options in effect."""
    return Case(prompt, kind, name, features=frozenset(features.split()), given=given)


EVO = erc20(
    "upgradeable ERC20 using UUPS with name Evo and supply of 5 million, roles for minter and upgrader", "Evo", "EVO",
    "5000000", "upgradeable mintable", roles=True,
)  # fmt: skip
EVERYTHING = erc20(
    "Upgradeable token called Whole, 1000 supply, capped at 2000, mintable, burnable, pausable, permit, votes, max "
    f"wallet of 50%, the owner can freeze accounts, 1% transfer tax sent to {B}",
    "Whole", "WHOL", "1000", "upgradeable mintable burnable pausable permit votes capped max_wallet freezable tax",
    cap="2000", given={"tax": "1"},
)  # fmt: skip
GROWING = erc721(
    "UUPS upgradeable NFT called Growing, premint 3 tokens, burnable, pausable, enumerable, votes, 5% royalties, max "
    "supply 10",
    "Growing", "GROW", "upgradeable mintable burnable pausable enumerable votes royalty capped", cap="10", supply="3",
    royalty="5",
)  # fmt: skip
BANK = erc20("ERC20 called Bank with 1 million supply", "Bank", "BANK", "1000000")
"""A token for others to deal with."""
CARD = erc721("ERC-721 called Card", "Card", "CARD")
"""A collection for others to deal with."""
STAKING = other(
    "staking", "staking contract: stake my token, get 12% APY rewards, 7 day unstake cooldown", "Staking", rate="12",
    cooldown=7 * DAY,
)  # fmt: skip
LOCKED_STAKING = other(
    "staking", "A staking pool called Deep Pool, 10% yearly rewards, 30 day lock period", "Deep Pool", rate="10",
    lock=30 * DAY,
)  # fmt: skip
CROWDSALE = other(
    "crowdsale",
    "Crowdsale: sell my token at 1000 tokens per ETH, soft cap 50 ETH, hard cap 200 ETH, refund if soft cap isn't "
    "reached",
    "Crowdsale", rate="1000", soft_cap="50", hard_cap="200",
)  # fmt: skip
SMALL_SALE = other(
    "crowdsale",
    "token sale called Early, price 0.002 ETH per token, runs for 2 weeks, min contribution 0.1 ETH, max 2 ETH per "
    "wallet",
    "Early", rate="500", duration=14 * DAY, min_contribution="0.1", max_contribution="2",
)  # fmt: skip
DAO = other(
    "governor", "DAO with governor and timelock, 4% quorum, 1 week voting period, 2 day delay", "Dao", quorum="4",
    voting_period=7 * DAY, delay=2 * DAY, voting_delay=DAY,
)  # fmt: skip
AUCTION = other(
    "auction", "English auction for an NFT, min bid 0.1 eth, ends after 3 days", "Auction", min_bid="0.1",
    duration=3 * DAY, increment="5",
)  # fmt: skip
EXTENDED = other(
    "auction",
    "NFT auction called Last Call, bids start at 1 ETH, 10% increments, 1 day long, late bids extend the auction by "
    f"10 minutes, proceeds go to {B}",
    "Last Call", min_bid="1", increment="10", extension=600, seller=B,
)  # fmt: skip
SPLITTER = other(
    "splitter", f"Write a contract that splits incoming ETH 60/40 between {A} and {B}", "Splitter", payees=[A, B],
    shares=[60, 40],
)  # fmt: skip
LOCK = other(
    "lock", f"lock my tokens for 180 days, then release to {B}", "TokenLock", duration=180 * DAY, beneficiary=B
)
AIRDROP = other(
    "airdrop", "merkle airdrop contract called Thanks, claimable for 30 days, unclaimed tokens go back to the owner",
    "Thanks", duration=30 * DAY,
)  # fmt: skip
SUBSCRIPTION = other(
    "subscription", "subscription contract called Club, 0.01 ETH per month", "Club", price="0.01", period=30 * DAY
)
REVOCABLE = other(
    "vesting", f"Vesting of 1,000,000 tokens to {B} over 4 years with a 1 year cliff, revocable", "Vesting",
    beneficiaries=[B], duration=4 * 365 * DAY, cliff=365 * DAY,
)  # fmt: skip
TEAM = other(
    "vesting", f"Vesting called Team Pot: 75% to {A} and 25% to {B}, over 360 days, monthly release, 90 day cliff",
    "Team Pot", beneficiaries=[A, B], shares=[75, 25], step=30 * DAY, duration=360 * DAY, cliff=90 * DAY,
)  # fmt: skip

CASES: list[Case] = [
    TAXED, DEFLATING, MOON, LIMITED, FAIR, FROZEN, BOUND, OWNERLESS, DROPPED, PENGUINS, FREEBIES, PAID, CERTIFICATES,
    EVO, EVERYTHING, GROWING, BANK, CARD, STAKING, LOCKED_STAKING, CROWDSALE, SMALL_SALE, DAO, AUCTION, EXTENDED,
    SPLITTER, LOCK, AIRDROP, SUBSCRIPTION, REVOCABLE, TEAM,
]  # fmt: skip
