"""What is to be composed, after prompt, template and options were weighed: complete, checked, and without a doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

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
        cliff: Seconds until anything vests.
        duration: Seconds until everything is vested.
        delay: Seconds between enough confirmations and execution.
        threshold: How many signers must confirm.
        signers: Who they are.
        recipient: Who holds the first supply; None for the owner.
        minter: Who alone has the minter role at first; None for the owner.
        royalty_receiver: Who receives royalties; None for the owner.
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
    cliff: int = 0
    duration: int = 0
    delay: int = 0
    threshold: int = 1
    signers: tuple[str, ...] = ()
    recipient: str | None = None
    minter: str | None = None
    royalty_receiver: str | None = None
