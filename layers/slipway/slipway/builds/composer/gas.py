"""What a composed contract's creation uses, estimated from its source alone: compiling takes too long for a preview.

Fitted to contracts of each kind that were compiled and created on anvil; see docs/decisions/builds.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from slipway.builds.models import ConstructorArgument

_CREATION = 100_000
_PER_CHARACTER = 175
_PER_ARGUMENT_WORD = 600
_PER_LISTED = 45_000
_UNKNOWN = 120_000
_BASES = {
    "AccessControl": 185_000,
    "Address": 310_000,
    "EIP712": 0,
    "ERC1155": 860_000,
    "ERC1155Burnable": 78_000,
    "ERC1155Pausable": 78_000,
    "ERC1155Supply": 260_000,
    "ERC1967Proxy": 560_000,
    "ERC20": 435_000,
    "ERC20Burnable": 27_000,
    "ERC20Capped": 75_000,
    "ERC20Pausable": 44_000,
    "ERC20Permit": 390_000,
    "ERC20Votes": 800_000,
    "ERC2981": 92_000,
    "ERC721": 840_000,
    "ERC721Burnable": 13_000,
    "ERC721Enumerable": 510_000,
    "ERC721Pausable": 13_000,
    "ERC721URIStorage": 110_000,
    "ERC721Votes": 520_000,
    "Governor": 2_250_000,
    "GovernorCountingSimple": 250_000,
    "GovernorTimelockControl": 450_000,
    "GovernorVotes": 200_000,
    "IERC20": 0,
    "Initializable": 0,
    "Nonces": 0,
    "Ownable": 77_000,
    "ReentrancyGuard": 0,
    "SafeERC20": 0,
    "TimelockController": 1_300_000,
    "UUPSUpgradeable": 190_000,
    "VestingWallet": 455_000,
    "VestingWalletCliff": 0,
}
"""Units of gas that an imported part adds."""


def creation_gas(source: str, arguments: Sequence[ConstructorArgument]) -> int:
    """Estimate the gas of a composed contract's creation."""
    own = re.sub(r"^\s*(?:///|//|import|pragma).*$", "", source, flags=re.MULTILINE)
    parts = sum(
        _BASES.get(name.removesuffix("Upgradeable"), _BASES.get(name, _UNKNOWN))
        for name in re.findall(r"import \{(\w+)\}", source)
    )
    listed = sum(len(argument.value) for argument in arguments if isinstance(argument.value, list))
    written = _PER_CHARACTER * len(re.sub(r"\s", "", own))
    return _CREATION + parts + written + _PER_LISTED * listed + _PER_ARGUMENT_WORD * len(arguments)
