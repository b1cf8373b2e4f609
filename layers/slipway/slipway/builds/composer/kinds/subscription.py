"""Subscriptions: accounts pay the chain's coin for periods of time."""

from __future__ import annotations

from slipway.builds.composer.blueprint import Blueprint, Parameter
from slipway.builds.composer.options import DAY
from slipway.builds.composer.phrases import LAST, PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification

_PERIODS = {
    "day|daily": DAY,
    "week|weekly": 7 * DAY,
    "month|monthly": 30 * DAY,
    "quarter|quarterly": 91 * DAY,
    "year|yearly|annual|annually": 365 * DAY,
}
_FEE = (
    r"(?:(?:price|fee|cost|costs|priced|charge|charges|paying|pay|pays|payment|subscription|subscribers?|users?"
    r"|members?|at|of|for|is|:|with|membership) )*"
)
PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            rf"{_FEE}<eth:price>(?: (?:per|each|every|a|for|fee|price|/))* <time:period>(?: (?:period|of access"
            rf"|access|subscription))?",
            rf"{_FEE}<eth:price>(?: (?:fee|price|per period|each|subscription price|subscription fee))?",
            rf"(?:every|per|each|period|{LAST}|for|billed every|renewed every|of|a|is|:)(?: (?:is|of|:))*"
            r" <time:period>(?: (?:of access|access|period))?",
            r"<time:period> (?:period|subscription|access|billing period)",
        ),
    ),
    *(
        PhraseSet(
            None,
            said=(
                rf"{_FEE}<eth:price>(?: (?:fee|price|per|each|every|a|/))* (?:{words})(?: (?:fee|price|subscription"
                rf"|payment))?",
                rf"(?:(?:per|each|every|billed|paid|pay|renews?|renewed) )*(?:{words})(?: (?:subscription|payments?"
                rf"|fee|price|access|plan|billing))?",
                rf"(?:{words}) (?:price|fee|cost|payment)(?: (?:is|of|:|at))* <eth:price>",
            ),
            sets=(("period", seconds),),
        )
        for words, seconds in _PERIODS.items()
    ),
    PhraseSet(
        None,
        said=(
            r"(?:users?|anyone|people|members?|customers?|subscribers?) (?:can )?(?:subscribes?|joins?|pays?)(?:"
            r" (?:to (?:it|my service|our service)|with eth|in eth|monthly|for access|and))*",
            r"(?:users?|subscribers?|they|anyone|members?) can (?:renew|extend)(?: (?:it|their|subscription"
            r"|early|at any time|any time|at))*",
            r"(?:paid |pay |payable |payments? )?in (?:eth|ether)|(?:for|to|access to) (?:(?:my|our|a|premium)"
            r" )*(?:service|content|newsletter|app|website|platform|community|saas|course|club|api|podcast)(?:"
            r" access)?",
            r"(?:owner|i|we) can withdraw(?: (?:the|fees?|eth|fund|funds|payments?|revenue|money|balance|proceeds))*",
            r"(?:renewable|renewal|renewals|recurring)(?: (?:payments?|manually|by subscriber))*",
            r"(?:check|checks|shows?|tells?|know|see)(?: (?:whether|if|who))? (?:(?:someone|user|users?|account"
            r"|wallet|an|is|has|an?) )*(?:active|subscribed|subscription|valid)",
        ),
    ),
)

_MEMBERS = """
/// @notice Until when an account has paid, in seconds since 1970.
mapping(address account => uint256) public paidUntil;

/// @notice Somebody paid for an account.
/// @param account The account.
/// @param periods How many periods.
/// @param until Until when it has paid, in seconds since 1970.
event Subscribed(address indexed account, uint256 periods, uint256 until);

/// @notice One period at least is paid, and so many at most.
error InvalidPeriods();

/// @notice The payment is not the price of so many periods.
error WrongPayment();
"""
_FUNCTIONS = """
/// @notice Pays for periods of an account, from now or from the end of what is paid. Anybody may.
/// @param account The account.
/// @param periods How many periods, at most 1200.
function subscribe(address account, uint256 periods) external payable {
    if (periods == 0 || periods > 1_200) revert InvalidPeriods();
    if (msg.value != PRICE * periods) revert WrongPayment();
    uint256 until = Math.max(paidUntil[account], block.timestamp) + periods * PERIOD;
    paidUntil[account] = until;
    emit Subscribed(account, periods, until);
}

/// @notice Whether an account has paid for now.
/// @param account The account.
/// @return Whether it has.
function isActive(address account) external view returns (bool) {
    return block.timestamp < paidUntil[account];
}

/// @notice Sends what was paid to the owner. Only the owner may.
function withdraw() external onlyOwner {
    Address.sendValue(payable(msg.sender), address(this).balance);
}
"""


def compose(spec: Specification) -> str:
    """Write the source of a subscription: `constructor(address initialOwner)`."""
    file = SolidityFile(
        spec.contract_name,
        "Accounts pay the chain's own coin for periods of time, and everybody can see until when one has paid.",
        "Nothing is taken by itself: each period is paid in advance. Nothing is paid back.",
    )
    file.bases = [("Ownable", "initialOwner")]
    file.imports = {"Address", "Math"}
    file.parameters = [("address", "initialOwner", "Who receives what is paid. Not zero.")]
    file.declare(
        ("PRICE", "What a period costs, in wei.", spec.values["price"]),
        ("PERIOD", "How many seconds a period has.", spec.values["period"]),
    )
    file.members.append(_MEMBERS)
    file.functions = [_FUNCTIONS]
    return file.render()


BLUEPRINT = Blueprint(
    title="subscription",
    name="Subscription",
    compose=compose,
    features=frozenset({"owner"}),
    parameters=(
        Parameter("price", "coins", missing="The prompt does not say what a period costs, such as 0.01 ETH per month."),
        Parameter("period", "seconds", 30 * DAY, "A period has {}."),
    ),
    phrases=PHRASES,
    powers={"": "The owner withdraws what was paid; nothing is paid back."},
    assumes=("Each period is paid in advance by a transaction; a contract can't take money by itself.",),
)
