"""Splitters: whatever coin or ERC-20 tokens arrive belongs to fixed payees by fixed shares."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from slipway.builds.composer.blueprint import Blueprint, DraftView, Parameter, addresses_argument
from slipway.builds.composer.phrases import ADDRESSES, PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification
from slipway.builds.models import ConstructorArgument

_PAYEES = (
    r"(?:wallets?|addresses|address|payees?|people|persons?|partners?|founders?|members?|recipients?|accounts?|team"
    r"|owners?|co ?founders?|artists?|us)"
)
_MONEY = (
    r"(?:eth|ether|payments?|fund|funds|money|revenue|income|royalty|fees?|coins?|token|proceeds|earnings"
    r"|donations?|everything|it|profits?)"
)
_GETS = r"(?: (?:gets?|receives?|has|:|with|=|at|should get|\())*"
_PAIR = r"<pct>(?: (?:share|of it|goes|go|going|to|for|:))* <address>"
_TURNED = rf"<address>{_GETS} (?:<pct>|<n>(?= \)))(?: \))?"
PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            rf"(?:(?:equal|between|among|to|for|with|by|of|split|shared|sharing|both|the|two|three|four"
            rf"|<n:payee_count>)"
            rf" )*(?:{_PAYEES}(?: :)? )?(?P<payees>{ADDRESSES})"
            r"(?: (?:equally|evenly|in equal (?:parts?|shares?)))?",
            r"(?:equally|evenly|in equal (?:parts?|shares?)|equal (?:shares?|split|parts?)|(?:each )?equal share)",
            rf"(?:split|splits|splitting|divides?|distributes?|shares?)(?: (?:all|any|incoming|received|every"
            rf"|the))*(?: {_MONEY})*(?: (?:or|and) (?:token|erc20 token|erc20))?",
            rf"(?:all|any|incoming|received|<kind>)(?: (?:all|any|incoming|received))*(?: {_MONEY})+(?: (?:or|and)"
            rf" (?:token|erc20 token|erc20))?",
            rf"(?:between|among|for|to) (?:<n:payee_count> )?{_PAYEES}",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?P<shares><ratio>)(?: split)?",
            r"(?P<shares><pct>(?: (?:, and|,|and|/) <pct>)+)(?: respectively)?",
        ),
    ),
    PhraseSet(
        None,
        said=(
            rf"(?P<pairs>{_PAIR}(?: (?:, and|,|and|;) {_PAIR})+)",
            rf"(?:(?:for|between|among|to|of) )?(?P<turned>{_TURNED}(?: (?:, and|,|and|;) {_TURNED})+)",
        ),
    ),
)

_MEMBERS = """
using SafeERC20 for IERC20;

/// @notice How many shares a payee has.
mapping(address payee => uint256) public shares;

/// @notice How much of a token a payee was paid, in base units; the zero token is the chain's own coin.
mapping(IERC20 token => mapping(address payee => uint256)) public paid;

/// @notice How much of a token all payees were paid, in base units.
mapping(IERC20 token => uint256) public totalPaid;

address[] private _payees;

/// @notice A payee was paid.
/// @param token The token; zero for the chain's own coin.
/// @param payee The payee.
/// @param amount How much, in base units.
event Paid(IERC20 indexed token, address indexed payee, uint256 amount);

/// @notice The payees are others, or fewer, than there are shares for.
error InvalidPayees();

/// @notice Nothing is due to the account.
error NothingDue();
"""
_FUNCTIONS = """
/// @notice Takes the chain's own coin.
receive() external payable {}

/// @notice Pays a payee what is due to it. Anybody may.
/// @param token The token; zero for the chain's own coin.
/// @param payee The payee.
function release(IERC20 token, address payee) external {
    uint256 amount = due(token, payee);
    if (amount < 1) revert NothingDue();
    paid[token][payee] += amount;
    totalPaid[token] += amount;
    emit Paid(token, payee, amount);
    if (address(token) == address(0)) {
        Address.sendValue(payable(payee), amount);
    } else {
        token.safeTransfer(payee, amount);
    }
}

/// @notice The payees.
/// @return Their accounts.
function payees() external view returns (address[] memory) {
    return _payees;
}

/// @notice What is due to a payee by now.
/// @param token The token; zero for the chain's own coin.
/// @param payee The payee.
/// @return How much, in base units.
function due(IERC20 token, address payee) public view returns (uint256) {
    uint256 held = address(token) == address(0) ? address(this).balance : token.balanceOf(address(this));
    return ((held + totalPaid[token]) * shares[payee]) / TOTAL_SHARES - paid[token][payee];
}
"""


def compose(spec: Specification) -> str:
    """Write the source of a splitter: `constructor(address[] payees_)`."""
    shares = spec.values["shares"]
    file = SolidityFile(
        spec.contract_name,
        "Splits what arrives, in the chain's own coin or in ERC-20 tokens, by fixed shares.",
        "Each payee is paid by `release`. Nobody owns it, and nobody can change payees or shares.",
    )
    file.imports = {"Address", "IERC20", "SafeERC20"}
    file.declare(("TOTAL_SHARES", "How many shares there are.", sum(shares)))
    file.members.append(_MEMBERS)
    file.parameters = [
        ("address[] memory", "payees_", "Who is paid, in the order of the shares. All different, none zero.")
    ]
    file.constructor_lines = share_out("payees_", "_payees", "InvalidPayees", shares)
    file.functions = [_FUNCTIONS]
    return file.render()


def share_out(given: str, listed: str, error: str, shares: tuple[int, ...]) -> list[str]:
    """Return the constructor's statements that give the accounts of an argument their shares, and list them."""
    first, *others = shares
    parts = ", ".join([f"uint256({first:_})", *(f"{share:_}" for share in others)])
    return [
        f"uint256[{len(shares)}] memory parts = [{parts}];",
        f"if ({given}.length != parts.length) revert {error}();",
        f"for (uint256 index = 0; index < {given}.length; ++index) {{",
        f"    if ({given}[index] == address(0) || shares[{given}[index]] != 0) revert {error}();",
        f"    shares[{given}[index]] = parts[index];",
        f"    {listed}.push({given}[index]);",
        "}",
    ]


def shared(spec: Specification, draft: DraftView, who: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return who shares, and how many shares each has: of the slots `pairs`, `turned`, `shares`, and of ``who``."""
    values, parsed = spec.values, draft.parsed
    said = draft.options.shares or parsed.values.get("shares", ())
    people, parts = tuple(values.get(who, ())), tuple(said) if isinstance(said, list | tuple) else (said,)
    pairs = parsed.values.get("pairs") or parsed.values.get("turned")
    if pairs:
        people = people or tuple(entry for entry in pairs if isinstance(entry, str))
        parts = tuple(entry for entry in pairs if not isinstance(entry, str))
    if parts and len(parts) == 1 and len(people) > 1:
        parts = parts * len(people)
    finest = max((Fraction(part).denominator for part in parts), default=1)
    shares = [int(part * finest) for part in parts]
    if not shares:
        shares = [1] * len(people)
        draft.assumed += ["Each has an equal share."] if len(people) > 1 else []
    percent = any(name in parsed.words and "%" in parsed.words[name] for name in ("pairs", "turned", "shares"))
    if len(shares) != len(people) or 0 in shares or (percent and sum(shares) != 100 * finest):
        words = next((parsed.words[name] for name in ("pairs", "turned", "shares") if name in parsed.words), who)
        parsed.refuse(
            words, f"The shares are for {len(shares)} wallets and come to {sum(shares)}; {len(people)} are named."
        )
        shares = [1] * len(people)
    count = parsed.values.get("payee_count")
    if count is not None and count != len(people):
        parsed.refuse(parsed.words["payee_count"], f"{len(people)} wallets are named.")
    return people, tuple(shares)


def _settled(spec: Specification, draft: DraftView) -> Specification:
    people, shares = shared(spec, draft, "payees")
    draft.used |= {"payees": list(people), "shares": list(shares)}
    if sum(shares) not in (100, len(shares)):
        draft.assumed.append(f"The shares are parts of {sum(shares)}: {', '.join(map(str, shares))}.")
    if len(people) < 2:
        draft.parsed.refuse(draft.parsed.kind_words or "options.payees", "Name at least two wallets.")
        people, shares = (people * 2)[:2], (1, 1)
    return replace(spec, values={**spec.values, "payees": people, "shares": shares})


def _arguments(spec: Specification) -> list[ConstructorArgument]:
    return [addresses_argument("payees_", spec.values["payees"])]


BLUEPRINT = Blueprint(
    title="splitter of payments",
    name="Splitter",
    compose=compose,
    arguments=_arguments,
    parameters=(
        Parameter(
            "payees",
            "addresses",
            missing="Name the wallets that are paid, such as 60% to 0x… and 40% to 0x….",
            instead=("pairs", "turned"),
        ),
    ),
    values=frozenset({"shares", "pairs", "turned", "payee_count"}),
    phrases=PHRASES,
    about=frozenset({"erc20"}),
    owner="",
    settle=_settled,
)
