"""Vesting wallets on OpenZeppelin's VestingWallet: coins and any ERC-20 tokens, released linearly."""

from __future__ import annotations

from slipway.builds.composer.solidity_file import SolidityFile, overridden
from slipway.builds.composer.specification import Specification
from slipway.builds.composer.wishes import Ability, Wish

FEATURES: frozenset[str] = frozenset()
VALUES = frozenset({"beneficiary", "duration", "cliff"})
_GRANTEE = r"(?:beneficiary|recipient|employee|payee|grantee|founder|advisor|investor|team member)"
WISHES: list[Wish | Ability] = [
    Wish(
        None,
        said=(
            rf"(?:for |to |with |of )*(?:my |our )?(?:{_GRANTEE})(?: (?:is|:|address|wallet|of))*"
            rf" <address:beneficiary>",
            r"(?:releases?|releasing|released|vests?|vesting|unlocks?|unlocking|pays?|paid|goes)(?: (?:out|all"
            r"|them|it|token|eth"
            r"|ether|coin|fund|funds))* (?:to|for) <address:beneficiary>",
            r"(?:to|for) <address:beneficiary>",
            r"<address:beneficiary> (?:as|is) beneficiary",
            r"(?:over|for|during|within|across|lasting|lasts|duration|period)(?: (?:is|of|:|period of))*"
            r" <time:duration>",
            r"<time:duration>(?: (?:duration|period|vesting|long|in total|total|linear|<kind>))*",
            r"<time:cliff> cliff(?: period)?",
            r"cliff(?: (?:is|of|at|:|period|after|period of|lasts|for))* <time:cliff>",
            r"nothing (?:before|for|in|during)(?: first)? <time:cliff>",
            r"linear(?:ly)?",
            r"(?:releases?|releasing|unlocks?) (?:token|coin|eth|ether|fund|funds)(?: linearly)?",
            r"(?:released?|unlocked?) (?:linearly|gradually|over time|continuously)",
        ),
        weak=(r"(?:for|of) (?:my |our )?(?:team|founder|employee|advisor|investor)",),
        kinds=frozenset({"vesting"}),
    ),
]
POWERS: dict[str, str] = {}


def compose(spec: Specification) -> str:
    """Write the source of a wallet: `constructor(address beneficiary)`. It vests from the block that it is deployed
    in."""
    file = SolidityFile(
        spec.contract_name,
        "Holds coins and ERC-20 tokens and releases them to its beneficiary over time.",
        "Send it what is to vest. `release()` and `release(token)` pay out what has vested by then. The beneficiary\n"
        "owns the wallet and may hand what is still to come to another by `transferOwnership`.",
    )
    file.members = [
        f"/// @notice How many seconds it takes until everything has vested.\nuint64 public constant VESTING_SECONDS = "
        f"{spec.duration:_};"
    ]
    file.bases = [("VestingWallet", "beneficiary, uint64(block.timestamp), VESTING_SECONDS")]
    if spec.cliff:
        file.members.append(
            "/// @notice How many seconds pass before anything is released.\nuint64 public constant CLIFF_SECONDS = "
            f"{spec.cliff:_};"
        )
        file.bases.append(("VestingWalletCliff", "CLIFF_SECONDS"))
        file.functions.append(
            "/// @dev How much of an allocation has vested at a time: nothing before the cliff, then linearly.\n"
            + overridden(
                "_vestingSchedule(uint256 totalAllocation, uint64 timestamp) internal view returns (uint256)",
                "return super._vestingSchedule(totalAllocation, timestamp);",
                ["VestingWallet", "VestingWalletCliff"],
            )
        )
    file.parameters = [("address", "beneficiary", "Who receives what vests. Not zero.")]
    return file.render()
