"""Prompts for the contracts with rules of their own, and what each must become; tried on a chain one by one."""

from __future__ import annotations

from typing import Any

from tests.support.prompts import DAY, Case, erc20, erc721
from tests.support.wishes import A, B

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

CASES: list[Case] = [
    TAXED, DEFLATING, MOON, LIMITED, FAIR, FROZEN, BOUND, OWNERLESS, DROPPED, PENGUINS, FREEBIES, PAID, CERTIFICATES,
]  # fmt: skip


def other(kind: str, prompt: str, name: str, given: dict[str, Any] | None = None, **more: Any) -> Case:
    """A case of a kind that is no token."""
    return Case(prompt, kind, name, given=given or {}, **more)
