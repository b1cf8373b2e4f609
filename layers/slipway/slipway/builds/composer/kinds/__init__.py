"""One module for each kind of contract that the composer makes: a specification in, Solidity out.

A module has `compose`, `FEATURES` (what of the vocabulary its contracts have), `VALUES` (which slots they use),
`WISHES` (phrases of its own) and `POWERS` (who can do what to holders).
"""

from slipway.builds.composer.kinds import erc20, erc721, erc1155, escrow, timelock, vesting
from slipway.builds.composer.wishes import Ability, Wish

WISHES: list[Wish | Ability] = [
    wish for kind in (erc20, erc721, erc1155, vesting, escrow, timelock) for wish in kind.WISHES
]
"""The phrases of all kinds."""
