"""What is to be composed, after prompt, template and options were weighed: complete, checked, and without a doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from slipway.builds.models import Kind


@dataclass(frozen=True, slots=True)
class Specification:
    """One contract. What a kind doesn't have stays at its default.

    Attributes:
        kind: Of contract.
        contract_name: An identifier.
        name: Shown by wallets.
        symbol: Shown by wallets.
        decimals: Digits after the point of a token.
        supply: What exists from the start, in whole tokens.
        cap: How much may ever exist, in whole tokens; None for no bound.
        features: Of the kind's own, such as `mintable`.
        roles: Whether access is by roles, not by the owner alone.
        royalty_basis_points: Of a sale's price, in hundredths of a percent.
        base_uri: Where metadata is, or an empty string.
        recipient: Who holds the first supply; None for the owner.
        minter: Who alone has the minter role at first; None for the owner.
        royalty_receiver: Who receives royalties; None for the owner.
        owner: Who owns it, and whoever is not named otherwise.
        values: Of the kind's parameters (`slipway.builds.composer.blueprint`): whole seconds, wei, basis points,
            counts, whole tokens, addresses.
    """

    kind: Kind
    contract_name: str
    name: str
    symbol: str = ""
    decimals: int = 18
    supply: Fraction = Fraction(0)
    cap: Fraction | None = None
    features: frozenset[str] = field(default_factory=frozenset)
    roles: bool = False
    royalty_basis_points: int | None = None
    base_uri: str = ""
    recipient: str | None = None
    minter: str | None = None
    royalty_receiver: str | None = None
    owner: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
