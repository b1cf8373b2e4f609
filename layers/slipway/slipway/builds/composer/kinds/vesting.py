"""Vesting wallets on OpenZeppelin's VestingWallet: coins and any ERC-20 tokens, released linearly."""

from __future__ import annotations

from dataclasses import replace

from slipway.builds.composer.blueprint import Blueprint, Parameter, Weighing, address_argument
from slipway.builds.composer.options import DAY
from slipway.builds.composer.solidity_file import SolidityFile, overridden
from slipway.builds.composer.specification import Specification
from slipway.builds.composer.wishes import Ability, Wish
from slipway.builds.models import ConstructorArgument
from slipway.errors import ValidationFailedError

_GRANTEE = r"(?:beneficiary|recipient|employee|payee|grantee|founder|advisor|investor|team member)"
WISHES: tuple[Wish | Ability, ...] = (
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
    ),
)


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
        f"{spec.values['duration']:_};"
    ]
    file.bases = [("VestingWallet", "beneficiary, uint64(block.timestamp), VESTING_SECONDS")]
    if spec.values.get("cliff"):
        file.members.append(
            "/// @notice How many seconds pass before anything is released.\nuint64 public constant CLIFF_SECONDS = "
            f"{spec.values['cliff']:_};"
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


def _settle(spec: Specification, draft: Weighing) -> Specification:
    """Weigh cliff and duration against each other."""
    values = dict(spec.values)
    cliff = values.setdefault("cliff", 0)
    if "duration" not in values:
        values["duration"] = max(4 * 365 * DAY, cliff)
        draft.assumed.append(f"Everything has vested after {values['duration'] // DAY} days.")
    if cliff > values["duration"]:
        source = "options.cliff" if draft.options.cliff is not None else "prompt"
        raise ValidationFailedError.of_field(source, "the cliff is longer than the vesting")
    draft.used |= {"duration": values["duration"], "cliff": cliff}
    return replace(spec, values=values)


def _arguments(spec: Specification) -> list[ConstructorArgument]:
    return [address_argument("beneficiary", spec.values["beneficiary"])]


BLUEPRINT = Blueprint(
    title="vesting wallet",
    name="Vesting",
    compose=compose,
    arguments=_arguments,
    parameters=(
        Parameter("beneficiary", "address", "owner", "The beneficiary is the owner, {}."),
        Parameter("duration", "seconds"),
        Parameter("cliff", "seconds"),
    ),
    values=frozenset(),
    wishes=WISHES,
    about=frozenset({"erc20"}),
    owner="",
    settle=_settle,
)
