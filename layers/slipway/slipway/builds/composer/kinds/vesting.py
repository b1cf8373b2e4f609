"""Vesting: coins and any ERC-20 tokens, released over time to one beneficiary or several, linearly or in steps.

The plain case is OpenZeppelin's VestingWallet. What it has not (several beneficiaries, steps, revocation) is a contract
of our own.
"""

from __future__ import annotations

from dataclasses import replace

from slipway.builds.composer.blueprint import (
    Blueprint,
    DraftView,
    Parameter,
    address_argument,
    addresses_argument,
)
from slipway.builds.composer.kinds.splitter import share_out, shared
from slipway.builds.composer.literals import decimal_text
from slipway.builds.composer.options import DAY
from slipway.builds.composer.phrases import ADDRESSES, PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile, overridden
from slipway.builds.composer.specification import Specification
from slipway.builds.models import ConstructorArgument
from slipway.errors import ValidationFailedError

_GRANTEE = r"(?:beneficiary|recipient|employee|payee|grantee|founder|advisor|investor|team member)"
_STEPS = (
    ("daily", "day", DAY),
    ("weekly", "week", 7 * DAY),
    ("monthly", "month", 30 * DAY),
    ("quarterly", "quarter", 91 * DAY),
    ("yearly|annually|annual", "year", 365 * DAY),
)
PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            rf"(?:for |to |with |of )*(?:my |our )?(?:{_GRANTEE})(?: (?:is|:|address|wallet|of))*"
            rf" <address:beneficiary>",
            r"(?:releases?|releasing|released|vests?|vesting|unlocks?|unlocking|pays?|paid|goes)(?: (?:out|all"
            r"|them|it|token|eth"
            r"|ether|coin|fund|funds))* (?:to|for) <address:beneficiary>",
            r"(?:to|for) <address:beneficiary>",
            rf"(?:(?:beneficiary|recipient|to|for|between|among|of|with|are|is|:|(?:team )?(?:member|members"
            rf"|founders?|people|employees?|advisors?|investors?|partners?)|wallet|address|<n:payee_count>)"
            rf" )+(?P<beneficiaries><address> (?:, and|,|and|;) {ADDRESSES})",
            r"(?:for|with|between|among|to) <n:payee_count> (?:(?:team|different) )?(?:member|members|beneficiary"
            r"|people|person|founder|founders|employees?|wallet|advisors?|investors?|address|recipient)",
            r"(?P<shares><pct>) each",
            r"(?P<shares><ratio>)(?: split)?",
            r"(?P<pairs><pct> (?:to|for) <address>(?: (?:, and|,|and|;) <pct> (?:to|for) <address>)+)",
            r"(?P<turned><address>(?: (?:gets?|receives?|:|with))? <pct>(?: (?:, and|,|and|;) <address>(?:"
            r" (?:gets?|receives?|:|with))? <pct>)+)",
            r"(?:equally|evenly|in equal (?:parts?|shares?)|equal shares?)",
            r"(?:of |holds? |vests? |for )?<n:amount>(?: (?:of (?:my|our))? ?(?:token|coin|<name>|<symbol>))",
            r"<address:beneficiary> (?:as|is) beneficiary",
            r"(?:to|for) (?:me|myself|us|my wallet)",
            r"(?:over|for|during|within|across|lasting|lasts|duration|period)(?: (?:is|of|:|period of))*"
            r" <time:duration>",
            r"<time:duration>(?: (?:duration|period|vesting|long|in total|total|linear|<kind>))*",
            r"<time:cliff> cliff(?: period)?",
            r"cliff(?: (?:is|of|at|:|period|after|period of|lasts|for))* <time:cliff>",
            r"nothing (?:before|for|in|during)(?: first)? <time:cliff>",
            r"linear(?:ly)?(?: release)?",
            r"(?:releases?|releasing|unlocks?) (?:token|coin|eth|ether|fund|funds)(?: linearly)?",
            r"(?:released?|unlocked?) (?:linearly|gradually|over time|continuously)",
        ),
        weak=(r"(?:for|of) (?:my |our )?team",),
    ),
    PhraseSet(None, said=(r"(?:no|without)(?: any)? cliff(?: period)?",), sets=(("cliff", 0),)),
    *(
        PhraseSet(
            None,
            said=(
                rf"(?:(?:with|in|and|release|releases|released|releasing|vesting|vests|vested|unlock|unlocks"
                rf"|unlocked|paid|pays|linear) )*(?:{words})(?: (?:steps?|tranches|releases?|unlocks?"
                r"|vesting|release schedule|schedule|instal?lments?|payments?))?",
                rf"(?:(?:release|releases|released|vests?|unlocks?|steps?|unlocked|paid|tranches) )+(?:every|each"
                rf"|per|once (?:a|per)) (?:{unit})",
                rf"(?:every|each) (?:{unit})",
            ),
            sets=(("step", seconds),),
        )
        for words, unit, seconds in _STEPS
    ),
    PhraseSet(
        None,
        said=(
            r"(?:(?:release|releases|released|vests?|unlocks?|steps?|unlocked|paid|in tranches|tranches)"
            r" )*(?:every|each|of|steps of) <time:step>(?: steps?)?",
            r"<time:step> (?:steps?|tranches|intervals?)",
        ),
    ),
    PhraseSet(
        "revocable",
        said=(
            r"(?:revocable|revokable|cancell?able)(?: by (?:owner|us|me|company|grantor|employer))?",
            r"(?:owner|company|i|we|grantor|employer) can (?:revoke|cancel|stop|claw back)(?: (?:it|them|vesting"
            r"|unvested|token|rest|grant|any|what|is|not|vested|yet))*",
            r"(?:with )?(?:clawback|claw back|revocation)(?: (?:of unvested token|by owner))?",
            r"can be (?:revoked|cancelled)(?: by (?:owner|us|me|company))?",
        ),
        denied=(
            r"(?:not|non) (?:revocable|revokable)",
            r"irrevocable",
            r"(?:can|must) (?:not|never) be (?:revoked|cancelled)",
            r"(?:no|without) (?:clawback|revocation)",
        ),
    ),
    PhraseSet(None, said=(r"owner(?: (?:is|:))* <address:owner>",)),
)


_MEMBERS = """
using SafeERC20 for IERC20;

/// @notice When vesting began, in seconds since 1970.
uint256 public immutable START = block.timestamp;

/// @notice How many shares a beneficiary has.
mapping(address beneficiary => uint256) public shares;

/// @notice How much of a token a beneficiary was paid, in base units; the zero token is the chain's own coin.
mapping(IERC20 token => mapping(address beneficiary => uint256)) public released;

/// @notice How much of a token went out in all, in base units.
mapping(IERC20 token => uint256) public totalOut;

address[] private _beneficiaries;

/// @notice A beneficiary was paid.
/// @param token The token; zero for the chain's own coin.
/// @param beneficiary The beneficiary.
/// @param amount How much, in base units.
event Released(IERC20 indexed token, address indexed beneficiary, uint256 amount);

/// @notice The beneficiaries are others, or fewer, than there are shares for.
error InvalidBeneficiaries();

/// @notice Nothing is due.
error NothingDue();
"""
_REVOKING = """
/// @notice When the owner ended the vesting of a beneficiary, in seconds since 1970; 0 if never.
mapping(address beneficiary => uint256) public revokedAt;

/// @notice How much of a token the owner took back of a beneficiary's share, in base units.
mapping(IERC20 token => mapping(address beneficiary => uint256)) public reclaimed;

/// @notice The owner ended the vesting of a beneficiary, who keeps what has vested.
/// @param beneficiary The beneficiary.
event Revoked(address indexed beneficiary);

/// @notice The owner took back what will not vest.
/// @param token The token; zero for the chain's own coin.
/// @param beneficiary Of whose share.
/// @param amount How much, in base units.
event Reclaimed(IERC20 indexed token, address indexed beneficiary, uint256 amount);

/// @notice The account is no beneficiary, or its vesting was ended before.
error NotRevocable();
"""
_REVOKE = """
/// @notice Ends the vesting of a beneficiary, who keeps what has vested by now. Only the owner may.
/// @param beneficiary The beneficiary.
function revoke(address beneficiary) external onlyOwner {
    if (shares[beneficiary] == 0 || revokedAt[beneficiary] != 0) revert NotRevocable();
    revokedAt[beneficiary] = block.timestamp;
    emit Revoked(beneficiary);
}

/// @notice Sends the owner what will not vest of a share that was revoked. Only the owner may.
/// @param token The token; zero for the chain's own coin.
/// @param beneficiary Of whose share.
function reclaim(IERC20 token, address beneficiary) external onlyOwner {
    if (revokedAt[beneficiary] < 1) revert NothingDue();
    uint256 amount = allocation(token, beneficiary) - vested(token, beneficiary) - reclaimed[token][beneficiary];
    if (amount < 1) revert NothingDue();
    reclaimed[token][beneficiary] += amount;
    emit Reclaimed(token, beneficiary, amount);
    _pay(token, msg.sender, amount);
}
"""
_FUNCTIONS = """
/// @notice Takes the chain's own coin.
receive() external payable {}

/// @notice Pays a beneficiary what has vested by now. Anybody may.
/// @param token The token; zero for the chain's own coin.
/// @param beneficiary The beneficiary.
function release(IERC20 token, address beneficiary) external {
    uint256 amount = vested(token, beneficiary) - released[token][beneficiary];
    if (amount < 1) revert NothingDue();
    released[token][beneficiary] += amount;
    emit Released(token, beneficiary, amount);
    _pay(token, beneficiary, amount);
}

/// @notice The beneficiaries.
/// @return Their accounts.
function beneficiaries() external view returns (address[] memory) {
    return _beneficiaries;
}

/// @notice The share of a beneficiary in all that ever arrived.
/// @param token The token; zero for the chain's own coin.
/// @param beneficiary The beneficiary.
/// @return How much, in base units.
function allocation(IERC20 token, address beneficiary) public view returns (uint256) {
    uint256 held = address(token) == address(0) ? address(this).balance : token.balanceOf(address(this));
    return ((held + totalOut[token]) * shares[beneficiary]) / TOTAL_SHARES;
}

/// @notice How much of its share has vested for a beneficiary, what it was paid included.
/// @param token The token; zero for the chain's own coin.
/// @param beneficiary The beneficiary.
/// @return How much, in base units.
function vested(IERC20 token, address beneficiary) public view returns (uint256) {
    uint256 elapsed = @NOW@ - START;
    uint256 total = allocation(token, beneficiary);
    if (elapsed >= VESTING_SECONDS) return total;@CLIFF@
    return @PART@;
}

function _pay(IERC20 token, address to, uint256 amount) private {
    totalOut[token] += amount;
    if (address(token) == address(0)) {
        Address.sendValue(payable(to), amount);
    } else {
        token.safeTransfer(to, amount);
    }
}
"""


def compose(spec: Specification) -> str:
    """Write the source of a vesting contract. It vests from the block that it is deployed in."""
    return _team(spec) if "beneficiaries" in spec.values else _wallet(spec)


def _team(spec: Specification) -> str:
    values, shares, revocable = spec.values, spec.values["shares"], "revocable" in spec.features
    cliff, step = values["cliff"], values.get("step")
    file = SolidityFile(
        spec.contract_name,
        "Holds coins and ERC-20 tokens and releases them to its beneficiaries over time, by fixed shares.",
        "Send it what is to vest. `release` pays out what has vested by then.",
    )
    file.imports = {"Address", "IERC20", "SafeERC20"}
    file.declare(
        ("VESTING_SECONDS", "How many seconds it takes until everything has vested.", values["duration"]),
        ("CLIFF_SECONDS", "How many seconds pass before anything has vested.", cliff),
        ("STEP_SECONDS", "How many seconds pass between two steps of vesting.", step),
        ("TOTAL_SHARES", "How many shares there are.", sum(shares)),
    )
    file.members.append(_MEMBERS)
    if revocable:
        file.bases.append(("Ownable", "initialOwner"))
        file.imports.add("Math")
        file.parameters.append(("address", "initialOwner", "Who may end vesting. Not zero."))
        file.members.append(_REVOKING)
        file.functions.append(_REVOKE)
    file.parameters.append(
        ("address[] memory", "beneficiaries_", "Who is paid, in the order of the shares. All different, none zero.")
    )
    file.constructor_lines = share_out("beneficiaries_", "_beneficiaries", "InvalidBeneficiaries", shares)
    ended = "(revokedAt[beneficiary] > 0 ? revokedAt[beneficiary] : block.timestamp)"
    part = "(total * elapsed) / VESTING_SECONDS"
    if step:
        file.imports.add("Math")
        part = "Math.mulDiv(total * STEP_SECONDS, elapsed / STEP_SECONDS, VESTING_SECONDS)"
    functions = _FUNCTIONS.replace("@NOW@", ended if revocable else "block.timestamp").replace("@PART@", part)
    file.functions.append(functions.replace("@CLIFF@", "\n    if (elapsed < CLIFF_SECONDS) return 0;" if cliff else ""))
    return file.render()


def _wallet(spec: Specification) -> str:
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


_OWNER = "The beneficiary is the owner, {}."


def _settle(spec: Specification, draft: DraftView) -> Specification:
    """Weigh cliff and duration against each other, and beneficiaries against shares."""
    values, parsed = dict(spec.values), draft.parsed
    cliff = values.setdefault("cliff", 0)
    if "duration" not in values:
        values["duration"] = max(4 * 365 * DAY, cliff)
        draft.assumed.append(f"Everything has vested after {values['duration'] // DAY} days.")
    if cliff > values["duration"]:
        source = "options.cliff" if draft.options.cliff is not None else "prompt"
        raise ValidationFailedError.of_field(source, "the cliff is longer than the vesting")
    if values.get("step", 0) > values["duration"]:
        parsed.refuse(parsed.words["step"], "A step is longer than the vesting.")
        del values["step"]
    if "amount" in parsed.values:
        amount = decimal_text(parsed.values["amount"])
        draft.assumed.append(
            f"It vests whatever is sent to it; the {amount} tokens are to be sent once it is deployed."
        )
    draft.used |= {"duration": values["duration"], "cliff": cliff}
    several = parsed.values.keys() & {"beneficiaries", "pairs", "turned", "shares", "payee_count"}
    if several or values.get("step") or "revocable" in spec.features:
        named = values.get("beneficiaries") or ((values["beneficiary"],) if "beneficiary" in values else ())
        if not named and not several:
            named = (draft.owner,)
            draft.assumed.append(_OWNER.format(draft.owner))
        people, shares = shared(replace(spec, values={**values, "who": named}), draft, "who")
        if not people:
            parsed.refuse(parsed.words[min(several)], "Name the wallet of each beneficiary.")
        values |= {"beneficiaries": people or (draft.owner,), "shares": shares or (1,)}
        draft.used |= {"beneficiaries": list(values["beneficiaries"]), "shares": list(values["shares"])}
    elif "beneficiary" not in values:
        values["beneficiary"] = draft.owner
        draft.used["beneficiary"] = draft.owner
        draft.assumed.append(_OWNER.format(draft.owner))
    if "revocable" in spec.features:
        draft.assumed.append(f"Only the owner, {draft.owner}, may revoke, and takes back what has not vested.")
    return replace(spec, values=values)


def _arguments(spec: Specification) -> list[ConstructorArgument]:
    if "beneficiaries" not in spec.values:
        return [address_argument("beneficiary", spec.values["beneficiary"])]
    owner = [address_argument("initialOwner", spec.owner)] if "revocable" in spec.features else []
    return [*owner, addresses_argument("beneficiaries_", spec.values["beneficiaries"])]


BLUEPRINT = Blueprint(
    title="vesting contract",
    name="Vesting",
    compose=compose,
    arguments=_arguments,
    features=frozenset({"revocable"}),
    parameters=(
        Parameter("beneficiary", "address"),
        Parameter("beneficiaries", "addresses"),
        Parameter("duration", "seconds", least=0),
        Parameter("cliff", "seconds", least=0),
        Parameter("step", "seconds"),
    ),
    values=frozenset({"owner", "shares", "pairs", "turned", "payee_count", "amount"}),
    phrases=PHRASES,
    powers={"revocable": "The owner can end the vesting of any beneficiary, and takes what has not vested."},
    about=frozenset({"erc20"}),
    owner="",
    settle=_settle,
)
