"""Crowdsales: an ERC-20 token for the chain's coin at a fixed rate, with caps and refunds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from slipway.builds.composer.blueprint import Blueprint, DraftView, Parameter
from slipway.builds.composer.options import DAY
from slipway.builds.composer.phrases import AMOUNT_WORDS, BARE_DURATION, LAST, PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification

_COIN = r"(?:eth|ether|coin)"
_IS = r"(?: (?:is|of|at|:|be|should be|to))*"
_GOAL = r"(?: (?:soft ?cap|goal|it|min|target|sale))*"
_UNMET = (
    rf"(?:(?:if|when|in case){_GOAL} (?:(?:is|was|does|can)? ?not (?:be )?(?:reach|reached|met|hit|meet)|(?:is |was )?"
    rf"(?:missed|unmet|fails?|failed))|unless{_GOAL}(?: (?:is|was|gets))? (?:reached|met|hit|succeeds))"
)
_BY = r"(?: (?:to raise|raised|contributions?|in total|total))*"
PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            rf"(?:(?:sell|sells|selling|sale of|buy) )?(?:(?:my|our|own|for|existing) )*(?:token|coin|<name>)?(?:"
            rf" (?:at|for|rate|price|with|of))* ?<n:rate>{AMOUNT_WORDS}"
            rf" (?:per|for each|for every|for 1|for one|for|each|an|=|:) (?:1 )?(?:{_COIN}|<eth>)",
            rf"(?:rate|exchange rate|price|conversion rate){_IS} <n:rate>{AMOUNT_WORDS}(?: (?:per|for|to) (?:1"
            rf" )?(?:{_COIN}|<eth>))?",
            rf"(?:1 {_COIN}|<eth:unit>) (?:buys|gets|gives|equals|=|:|is|for) <n:rate>{AMOUNT_WORDS}",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:(?:token|coin|sale|at|for|sells?|sold|selling|each) )*(?:price|cost|costs|priced)?(?: (?:is|of|at"
            r"|:|for|be|per token))* ?<eth:price>"
            r" (?:per|each|a|for each|for every|for one) ?(?:token|coin|unit)?",
            r"(?:token )?price(?: (?:is|of|:|at))* <eth:price>",
        ),
    ),
    PhraseSet(
        None,
        said=(
            rf"(?:soft ?cap|softcap|min(?:imum)? (?:goal|raise|target)|funding goal|goal|min(?:imum)? to"
            rf" raise){_IS} <eth:soft_cap>{_BY}",
            r"<eth:soft_cap> (?:soft ?cap|(?:min |minimum |funding )?goal|min(?:imum)? (?:raise|target))",
        ),
    ),
    PhraseSet(None, said=(r"(?:no|without)(?: any)? soft ?cap",), sets=(("soft_cap", Fraction(0)),)),
    PhraseSet(None, said=(r"(?:no|without)(?: any)? hard ?cap",), sets=(("hard_cap", Fraction(0)),)),
    PhraseSet(
        None,
        said=(
            rf"(?:hard ?cap|hardcap|cap|max(?:imum)?(?: (?:raise|to raise|goal))?|limit){_IS} <eth:hard_cap>{_BY}",
            r"<eth:hard_cap> (?:hard ?cap|cap|max(?:imum)?(?: raise)?)",
            r"raise(?:s)? (?:up to|at most|max(?:imum)?(?: of)?|no more than) <eth:hard_cap>",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:soft ?cap|softcap)(?: (?:of|is|:))* <eth:soft_cap> ,? ?(?:and )?(?:hard ?cap|hardcap)(?: (?:of|is"
            r"|:))* <eth:hard_cap>",
        ),
    ),
    PhraseSet(
        "refunds",
        said=(
            r"(?:(?:full|with) )*refunds? (?:if|when|in case) (?:less than|under|below) (?:soft ?cap(?: of)?"
            r" )?<eth:soft_cap>(?: (?:is|are|was|were|gets?))? (?:raised|collected|reached)",
            r"(?:(?:full|with|buyers? (?:can|get|are)|contributors? (?:can|get|are)|people (?:can|get)|everyone"
            r" (?:can|gets)|anyone (?:can|gets)|automatic|claim|get|a) )*"
            r"(?:refund|refunds|refundable|refunded|money back|their money back)(?: (?:of )?(?:everyone|buyers?"
            r"|contributors?|investors?|all|anyone|for (?:buyers?|everyone|all)|to (?:buyers?|all)))*"
            rf"(?: {_UNMET})?",
            rf"{_UNMET}(?: (?::|,|then))* (?:(?:buyers?|contributors?|everyone|anyone|all|they|can|get|gets|are|is"
            r"|claim|full|a) )*"
            r"(?:refund|refunds|refunded|money back)",
        ),
        denied=(r"(?:no|without)(?: any)? refunds?",),
    ),
    PhraseSet(
        None,
        said=(
            rf"(?:(?:sale|it|which|that) )*(?:runs?|{LAST}|open|ends?|closes?|ending|duration|period|stays|goes on"
            r"|lasting)"
            r"(?: (?:sale|period|it|for|after|of|over|is|:|within|open|on))* <time:duration>(?: (?:long|sale"
            r"|duration))?",
            r"(?:(?:sale|it|which|that) )*(?:ends?|closes?) in <time:duration>",
            r"(?:for|over|within) <time:duration>(?: (?:sale|duration|in total))?",
            r"<time:duration> (?:sale|long|duration|period|window)(?: (?:period|long))?",
        ),
        weak=(BARE_DURATION,),
    ),
    PhraseSet(
        None,
        said=(
            r"min(?: (?:contribution|buy|purchase|investment|deposit|per (?:wallet|buyer"
            r"|person|user)|of|is|:))* <eth:min_contribution>(?: (?:per (?:wallet|buyer|person|user|purchase)"
            r"|contribution|each|min))*",
            r"at least <eth:min_contribution> (?:each|per (?:wallet|buyer|person|user|purchase))",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:max(?:imum)?|at most|up to|no more than|limit|cap)(?: (?:of|is|:))* <eth:max_contribution> (?:per"
            r"|each|for each|a|by each) ?(?:wallet|buyer|person|user|address|contributor|investor)?(?:"
            r" contribution)?",
            r"(?:max(?:imum)?|limit)(?: (?:contribution|buy|purchase|investment|per (?:wallet|buyer|person|user"
            r"|address|contributor|investor)|of|is|:))+ <eth:max_contribution>(?: (?:each|per (?:wallet|buyer"
            r"|person|user)))?",
            r"<eth:max_contribution> (?:max|maximum|limit)? ?per (?:wallet|buyer|person|user|address|contributor"
            r"|investor)(?: (?:max|limit))?",
            r"(?:each|every|one|any) (?:wallet|buyer|person|user|address|contributor|investor) (?:(?:can|may|is"
            r"|limited|contributes?|contribute|buy|to|only|up to|at most|max|no more than) )+<eth:max_contribution>",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:(?:sell|sells|selling|sale of|sale for|for) )(?:(?:my|our|own|existing|erc20) )*(?:token|coin"
            r"|<name>|<symbol>)(?: (?:for|in exchange for) (?:eth|ether))?",
            r"(?:for|in|accepts?|paid in|against) (?:eth|ether|native coin)",
            r"(?:owner|i|we) can withdraw(?: (?:it|eth|ether|fund|funds|proceeds|raised|the|money|after|sale"
            r"|success|if|when|soft ?cap|is|reached|successful))*",
            r"(?:buyers?|contributors?|investors?|users?) (?:can )?(?:claim|get|receive)s?(?: their)? token(?:"
            r" (?:after|when|once|at)(?: (?:the|end|sale|of|ends?|has|ended|is|over|closes?))*)?",
        ),
    ),
)

_MEMBERS = """
using SafeERC20 for IERC20;

/// @notice The token on sale; zero until the sale is opened.
IERC20 public token;

/// @notice How many base units one whole token has.
uint256 public tokenUnit;

/// @notice How many base units were put on sale.
uint256 public offered;

/// @notice When the sale closes, in seconds since 1970; 0 until it is opened.
uint256 public closesAt;

/// @notice What buyers paid in all, in wei.
uint256 public raised;

/// @notice What each buyer paid and has not claimed for, in wei.
mapping(address buyer => uint256) public paid;

bool private _leftoverTaken;

/// @notice The sale was opened.
/// @param token The token.
/// @param offered How many base units are on sale.
/// @param closesAt When it closes, in seconds since 1970.
event Opened(IERC20 indexed token, uint256 offered, uint256 closesAt);

/// @notice Somebody bought.
/// @param buyer Who.
/// @param value For how much, in wei.
event Bought(address indexed buyer, uint256 value);

/// @notice A buyer was given tokens.
/// @param buyer Who.
/// @param amount How many base units.
event Claimed(address indexed buyer, uint256 amount);

/// @notice A buyer was paid back.
/// @param buyer Who.
/// @param value How much, in wei.
event Refunded(address indexed buyer, uint256 value);

/// @notice The sale was opened before.
error AlreadyOpen();

/// @notice The sale is not open.
error NotOpen();

/// @notice The sale has not closed with success.
error NotSuccessful();

/// @notice The sale has not closed without success.
error NotFailed();

/// @notice Nothing is to be moved.
error NothingDue();

/// @notice So much is not on sale.
error SoldOut();

/// @notice Too few tokens arrived for what may be sold.
error TooFewTokens();
"""
_FUNCTIONS = """
/// @notice Opens the sale, once. Only the owner may, who has approved the tokens.
/// @param token_ The token.
/// @param amount How many base units are on sale@ENOUGH_NOTE@.
function open(IERC20Metadata token_, uint256 amount) external onlyOwner nonReentrant {
    if (closesAt != 0) revert AlreadyOpen();
    token = token_;
    tokenUnit = 10 ** token_.decimals();
    offered = amount;
    closesAt = block.timestamp + DURATION;
    if (@ENOUGH@) revert TooFewTokens();
    emit Opened(token_, amount, closesAt);
    uint256 expected = token_.balanceOf(address(this)) + amount;
    IERC20(token_).safeTransferFrom(msg.sender, address(this), amount);
    if (token_.balanceOf(address(this)) < expected) revert TooFewTokens();
}

/// @notice Buys for the coin that is sent. The tokens are claimed after the sale.
function buy() external payable {
    if (block.timestamp >= closesAt || closed()) revert NotOpen();
    if (msg.value == 0) revert NothingDue();
    raised += msg.value;
    paid[msg.sender] += msg.value;@LIMITS@
    if (@OVER@) revert SoldOut();
    emit Bought(msg.sender, msg.value);
}

/// @notice Gives the caller its tokens, after a sale with success.
function claim() external nonReentrant {
    if (!successful()) revert NotSuccessful();
    uint256 amount = tokensFor(_settle());
    emit Claimed(msg.sender, amount);
    token.safeTransfer(msg.sender, amount);
}

@REFUND@
/// @notice Sends what the sale raised to the owner, after a sale with success. Only the owner may.
function withdraw() external onlyOwner {
    if (!successful()) revert NotSuccessful();
    Address.sendValue(payable(msg.sender), address(this).balance);
}

/// @notice Sends the owner the tokens that nobody bought, after the sale. Only the owner may.
function withdrawTokens() external onlyOwner nonReentrant {
    if (!closed() || _leftoverTaken) revert NothingDue();
    _leftoverTaken = true;
    token.safeTransfer(msg.sender, successful() ? offered - tokensFor(raised) : offered);
}

/// @notice Whether the sale was opened and is over.
/// @return Whether it is.
function closed() public view returns (bool) {
    return closesAt != 0 && (block.timestamp >= closesAt@FULL@);
}

/// @notice Whether the sale is over with success.
/// @return Whether it is.
function successful() public view returns (bool) {
    return closed()@GOAL@;
}

/// @notice How many base units a payment buys.
/// @param value The payment, in wei.
/// @return How many.
function tokensFor(uint256 value) public view returns (uint256) {
    return Math.mulDiv(value * TOKENS, tokenUnit, COINS * 1 ether);
}

function _settle() private returns (uint256 value) {
    value = paid[msg.sender];
    if (value == 0) revert NothingDue();
    paid[msg.sender] = 0;
}
"""
_REFUND = """
/// @notice Pays the caller back, after a sale that did not reach its soft cap.
function refund() external nonReentrant {
    if (!closed() || successful()) revert NotFailed();
    uint256 value = _settle();
    emit Refunded(msg.sender, value);
    Address.sendValue(payable(msg.sender), value);
}

"""


def compose(spec: Specification) -> str:
    """Write the source of a crowdsale: `constructor(address initialOwner)`."""
    values, rate = spec.values, spec.values["rate"]
    soft, hard = values.get("soft_cap"), values.get("hard_cap")
    file = SolidityFile(
        spec.contract_name,
        "Sells an ERC-20 token for the chain's own coin, at a fixed rate and for a fixed time.",
        "Buyers claim their tokens after the sale."
        + (" If the soft cap is not reached, they take their coin back instead." if soft else ""),
    )
    file.bases = [("Ownable", "initialOwner"), ("ReentrancyGuard", None)]
    file.imports = {"Address", "IERC20", "IERC20Metadata", "Math", "SafeERC20"}
    file.parameters = [("address", "initialOwner", "Who opens the sale and receives what it raises. Not zero.")]
    file.declare(
        ("TOKENS", "So many whole tokens are sold for `COINS` whole coins.", rate.numerator),
        ("COINS", "For so many whole coins `TOKENS` whole tokens are sold.", rate.denominator),
        ("DURATION", "How many seconds the sale is open.", values["duration"]),
        ("SOFT_CAP", "What has to be raised, or buyers are paid back, in wei.", soft),
        ("HARD_CAP", "What may be raised, in wei.", hard),
        ("MIN_CONTRIBUTION", "What a buyer pays at least, in wei.", values.get("min_contribution")),
        ("MAX_CONTRIBUTION", "What a buyer pays at most in all, in wei.", values.get("max_contribution")),
    )
    file.members.append(_MEMBERS)
    limits = ""
    for name, sign in (("MIN_CONTRIBUTION", "<"), ("MAX_CONTRIBUTION", ">")):
        if values.get(name.lower()):
            error = "ContributionTooSmall" if sign == "<" else "ContributionTooLarge"
            file.members.append(f"/// @notice A buyer's payments are bounded.\nerror {error}();")
            limits += f"\n    if (paid[msg.sender] {sign} {name}) revert {error}();"
    parts = {
        "@ENOUGH_NOTE@": ", enough for the hard cap" if hard else "",
        "@ENOUGH@": "amount < tokensFor(HARD_CAP)" if hard else "amount == 0",
        "@LIMITS@": limits,
        "@OVER@": "raised > HARD_CAP" if hard else "tokensFor(raised) > offered",
        "@FULL@": " || raised == HARD_CAP" if hard else "",
        "@GOAL@": " && raised >= SOFT_CAP" if soft else "",
        "@REFUND@\n": _REFUND if soft else "",
    }
    functions = _FUNCTIONS
    for mark, text in parts.items():
        functions = functions.replace(mark, text)
    if not soft:
        file.members = [_without(member, "NotFailed", "Refunded") for member in file.members]
    file.functions = [functions]
    return file.render()


def _without(text: str, *names: str) -> str:
    """Leave out the declarations of names, each a block between empty lines."""
    blocks = text.split("\n\n")
    return "\n\n".join(block for block in blocks if not any(f" {name}(" in block for name in names))


def _settled(spec: Specification, draft: DraftView) -> Specification:
    """Weigh rate, price and caps against each other."""
    words, parsed = draft.parsed.words, draft.parsed
    values = {name: value for name, value in spec.values.items() if value != 0}
    price = values.pop("price", None)
    if parsed.values.get("unit", 1) != 1:
        parsed.refuse(words["unit"], "Say how many tokens one whole coin buys.")
    if price and "rate" in values:
        parsed.refuse(words["price"], "The prompt gives a rate and a price.")
    elif price:
        values["rate"] = Fraction(10**18, price)
    if "rate" not in values:
        values["rate"] = Fraction(1)
        parsed.refuse(parsed.kind_words or "options.rate", "The prompt does not say how many tokens one coin buys.")
    if parsed.features.get("refunds") is False and "soft_cap" in values:
        parsed.refuse(words["refunds"], "Below a soft cap everyone is refunded.")
    if "refunds" in spec.features and "soft_cap" not in values:
        parsed.refuse(words["refunds"], "Without a soft cap there is nothing to be refunded for.")
    if values.get("soft_cap", 0) > values.get("hard_cap", 10**40):
        parsed.refuse(words.get("soft_cap", "options.soft_cap"), "The soft cap is over the hard cap.")
    if values.get("min_contribution", 0) > values.get("max_contribution", 10**40):
        parsed.refuse(words.get("min_contribution", "the least payment"), "The least payment is over the largest.")
    draft.used["rate"] = str(values["rate"])
    return replace(spec, values=values)


BLUEPRINT = Blueprint(
    title="crowdsale",
    name="Crowdsale",
    compose=compose,
    features=frozenset({"refunds", "owner"}),
    parameters=(
        Parameter("rate", "tokens"),
        Parameter("price", "coins"),
        Parameter("soft_cap", "coins", least=0),
        Parameter("hard_cap", "coins", least=0),
        Parameter("duration", "seconds", 30 * DAY, "The sale is open for {}."),
        Parameter("min_contribution", "coins"),
        Parameter("max_contribution", "coins"),
    ),
    values=frozenset({"owner", "unit"}),
    phrases=PHRASES,
    powers={
        "": "The owner decides which token is sold and when the sale begins, and withdraws what it raised.",
    },
    assumes=(
        "The owner opens the sale with open, which takes the tokens; the time begins then.",
        "Buyers claim their tokens when the sale is over.",
    ),
    about=frozenset({"erc20"}),
    settle=_settled,
)
