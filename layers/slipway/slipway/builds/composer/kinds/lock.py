"""Locks: coins and ERC-20 tokens that nobody can move for a time, on OpenZeppelin's VestingWallet."""

from __future__ import annotations

from slipway.builds.composer.blueprint import Blueprint, Parameter, address_argument
from slipway.builds.composer.phrases import PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification
from slipway.builds.models import ConstructorArgument

_WHAT = (
    r"(?:(?:my|our|team|the|all|lp|liquidity|founder|dev|developer|erc20|any|these|own) )*(?:token|coin|liquidity"
    r"|lp|eth|ether|fund|funds|treasury|supply|allocation)"
)
PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            rf"(?:(?:to|that|which|and) )*(?:locks?|locking|locked|holds?|keeps?|freezes?)(?: {_WHAT})?(?: (?:away"
            rf"|up|locked|safe|in it))*(?: (?:for|during|over|until after))? <time:duration>",
            r"(?:for|over|during|of|in|period of|duration|lock period|release after|released? (?:after|in)"
            r"|unlocks? (?:after|in)|unlocked (?:after|in)|withdrawable after|:|is)(?: (?:of|is|:))*"
            r" <time:duration>"
            r"(?: (?:have passed|has passed|lock|period|from now|later))*",
            r"<time:duration>(?: (?:token|liquidity|lock|period|time|long|lockup|duration|<kind>))*",
            rf"(?:(?:nobody|not anyone|not even owner) can|owner can not|can not be)"
            rf" (?:withdrawn?|moved?|touch(?:ed)?|taken?|access(?:ed)?|released?)"
            rf"(?: (?:it|them|{_WHAT}))? (?:before|for|until|in)(?: (?:first|then|that))* ?<time:duration>",
        ),
    ),
    PhraseSet(
        None,
        said=(
            rf"(?:locks?|locking|locked|holds?|for|of|<kind>)(?: {_WHAT})(?: (?:away|up))*(?: and (?:token|eth"
            rf"|coins?))?",
            r"(?:nobody|not anyone|not even owner|not even i|not even me) can (?:withdraw|move|touch|take"
            r"|access)(?: (?:it|them|token|early|before (?:then|that|end|unlock|it ends)))*",
            r"(?:(?:then|and|release|pay|give|send|return)(?: (?:it|them|all|everything))? )*(?:back )?(?:to|for)"
            r" (?:me|myself|us|my wallet)",
            r"(?:no|without) early (?:withdrawals?|release|unlock)",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:(?:then|and|release[ds]?|goes?|go|paid|pays?|withdrawable|unlocks?|unlocked|sent|belongs?|it|they"
            r"|are|is|them"
            r"|token|afterwards|beneficiary|recipient|owner) )*(?:to|for|by|beneficiary|recipient|is|:)"
            r" <address:beneficiary>(?: (?:as|is) beneficiary)?",
        ),
    ),
)


def compose(spec: Specification) -> str:
    """Write the source of a lock: `constructor(address beneficiary)`. It is locked from the block that it is deployed
    in."""
    file = SolidityFile(
        spec.contract_name,
        "Holds coins and ERC-20 tokens until its time is over. Then all of it is its beneficiary's.",
        "Send it what is to be locked. `release()` and `release(token)` pay it out, and nothing else can. The"
        " beneficiary\n"
        "owns the lock and may hand it to another by `transferOwnership`.",
    )
    file.members = [
        "/// @notice How many seconds everything stays.\n"
        f"uint64 public constant LOCK_SECONDS = {spec.values['duration']:_};"
    ]
    file.bases = [("VestingWallet", "beneficiary, uint64(block.timestamp) + LOCK_SECONDS, 0")]
    file.parameters = [("address", "beneficiary", "Who receives it all when the time is over. Not zero.")]
    return file.render()


def _arguments(spec: Specification) -> list[ConstructorArgument]:
    return [address_argument("beneficiary", spec.values["beneficiary"])]


BLUEPRINT = Blueprint(
    title="token lock",
    name="TokenLock",
    compose=compose,
    arguments=_arguments,
    parameters=(
        Parameter("duration", "seconds", missing="The prompt does not say for how long."),
        Parameter("beneficiary", "address", "owner", "When the time is over it belongs to the owner, {}."),
    ),
    values=frozenset({"owner"}),
    phrases=PHRASES,
    powers={"": "Nobody, its beneficiary neither, can move what it holds before its time is over."},
    assumes=("The time begins when the lock is deployed.",),
    about=frozenset({"erc20"}),
    owner="",
)
