"""An escrow of our own: deals in coins or ERC-20 tokens, with an arbiter."""

from __future__ import annotations

from slipway.builds.composer.blueprint import Blueprint
from slipway.builds.composer.phrases import PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification

_PARTY = r"(?:buyer|seller|arbiter|arbitrator|mediator|freelancers?|clients?|payer|payee|customers?|merchants?)"
PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            rf"(?:between|for|with)(?: {_PARTY})(?: (?:and|,) {_PARTY})*",
            rf"{_PARTY}(?: (?:and|,) {_PARTY})*",
            r"(?:for|in|of|with|accepts?|holds?)? ?(?:eth|ether|usdc|usdt|dai|native coin|any token)(?: (?:or"
            r"|and) (?:eth|ether"
            r"|usdc|usdt|dai|any token|token))*(?: payment)?",
            r"(?:with |has |and )?(?:an? )?(?:arbiter|arbitrator|mediator)(?: (?:who|that))?(?: (?:can|to))?(?:"
            r" (?:resolves?|decides?"
            r"|settles?))?(?: (?:dispute|dispute resolution))?",
            r"dispute(?: resolution)?",
            r"refund|refundable",
            r"(?:holds?|holding) (?:fund|funds|payment)(?: until release)?",
            r"payment",
        ),
    ),
    PhraseSet(
        None,
        said=(r"(?:with )?(?:arbiter|arbitrator|mediator)(?: (?:is|:|will be|should be))* <address:owner>",),
    ),
)

_MEMBERS = [
    """
using SafeERC20 for IERC20;
""",
    """
/// @notice Where a deal stands.
enum State {
    None,
    Open,
    Released,
    Refunded
}
""",
    """
/// @notice One deal. `token` is zero for the chain's own coin; `amount` is in base units.
struct Deal {
    address buyer;
    address seller;
    IERC20 token;
    uint256 amount;
    uint64 deadline;
    State state;
}
""",
    """
/// @notice The deals, numbered from 0.
mapping(uint256 dealId => Deal) public deals;
""",
    """
/// @notice How many deals were opened.
uint256 public dealCount;
""",
    """
/// @notice A buyer paid for a deal.
/// @param dealId The deal.
/// @param buyer Who paid.
/// @param seller Whom it is for.
/// @param token The token, zero for the chain's own coin.
/// @param amount How much, in base units.
/// @param deadline When the buyer may take it back, in seconds since 1970.
event Opened(
    uint256 indexed dealId,
    address indexed buyer,
    address indexed seller,
    address token,
    uint256 amount,
    uint64 deadline
);
""",
    """
/// @notice A deal's amount went to its seller.
/// @param dealId The deal.
/// @param by Who decided it.
event Released(uint256 indexed dealId, address indexed by);
""",
    """
/// @notice A deal's amount went back to its buyer.
/// @param dealId The deal.
/// @param by Who decided it.
event Refunded(uint256 indexed dealId, address indexed by);
""",
    """
/// @notice A deal needs an amount.
error ZeroAmount();
""",
    """
/// @notice A deal needs a seller.
error ZeroSeller();
""",
    """
/// @notice The address is no token.
error NotToken();
""",
    """
/// @notice A deadline lies in the future.
error PastDeadline();
""",
    """
/// @notice The token took a part of the amount on its way.
error ShortPayment();
""",
    """
/// @notice The deal is not open.
error NotOpen();
""",
    """
/// @notice The caller may not decide this.
error NotAllowed();
""",
]

_FUNCTIONS = [
    """
/// @notice Pays the chain's own coin into a new deal.
/// @param seller Whom it is for. Not zero.
/// @param deadline When the buyer may take it back, in seconds since 1970.
/// @return dealId The deal.
function open(address seller, uint64 deadline) external payable returns (uint256 dealId) {
    return _open(seller, IERC20(address(0)), msg.value, deadline);
}
""",
    """
/// @notice Pays an ERC-20 token into a new deal. The buyer has approved it before.
/// @dev Refuses tokens of which less arrives than is sent.
/// @param seller Whom it is for. Not zero.
/// @param token The token. Not zero.
/// @param amount How much, in base units.
/// @param deadline When the buyer may take it back, in seconds since 1970.
/// @return dealId The deal.
function openWithToken(
    address seller,
    IERC20 token,
    uint256 amount,
    uint64 deadline
) external nonReentrant returns (uint256 dealId) {
    if (address(token).code.length == 0) revert NotToken();
    dealId = _open(seller, token, amount, deadline);
    uint256 expected = token.balanceOf(address(this)) + amount;
    token.safeTransferFrom(msg.sender, address(this), amount);
    if (token.balanceOf(address(this)) < expected) revert ShortPayment();
}
""",
    """
/// @notice Pays the seller. Only the buyer may, and the owner as arbiter.
/// @param dealId The deal.
function release(uint256 dealId) external nonReentrant {
    Deal storage deal = deals[dealId];
    if (deal.state != State.Open) revert NotOpen();
    if (msg.sender != deal.buyer && msg.sender != owner()) revert NotAllowed();
    deal.state = State.Released;
    emit Released(dealId, msg.sender);
    _pay(deal.token, deal.seller, deal.amount);
}
""",
    """
/// @notice Pays the buyer back. The seller may at any time, the owner as arbiter too, the buyer after the deadline.
/// @param dealId The deal.
function refund(uint256 dealId) external nonReentrant {
    Deal storage deal = deals[dealId];
    if (deal.state != State.Open) revert NotOpen();
    bool late = msg.sender == deal.buyer && block.timestamp >= deal.deadline;
    if (msg.sender != deal.seller && msg.sender != owner() && !late) revert NotAllowed();
    deal.state = State.Refunded;
    emit Refunded(dealId, msg.sender);
    _pay(deal.token, deal.buyer, deal.amount);
}
""",
    """
function _open(address seller, IERC20 token, uint256 amount, uint64 deadline) private returns (uint256 dealId) {
    if (seller == address(0)) revert ZeroSeller();
    if (amount == 0) revert ZeroAmount();
    if (deadline <= block.timestamp) revert PastDeadline();
    dealId = dealCount++;
    deals[dealId] = Deal(msg.sender, seller, token, amount, deadline, State.Open);
    emit Opened(dealId, msg.sender, seller, address(token), amount, deadline);
}
""",
    """
function _pay(IERC20 token, address to, uint256 amount) private {
    if (address(token) == address(0)) {
        Address.sendValue(payable(to), amount);
    } else {
        token.safeTransfer(to, amount);
    }
}
""",
]


def compose(spec: Specification) -> str:
    """Write the source of an escrow: `constructor(address initialOwner)`. The owner is the arbiter of every deal."""
    file = SolidityFile(
        spec.contract_name,
        "Holds what buyers pay until a deal is done, in the chain's own coin or in ERC-20 tokens.",
        "A deal ends once: released to its seller by the buyer or the arbiter, or refunded to its buyer by the seller\n"
        "or the arbiter, and by the buyer alone after the deadline. The arbiter is the contract's owner and can send\n"
        "a deal's amount nowhere else.",
    )
    file.bases = [("Ownable", "initialOwner"), ("ReentrancyGuard", None)]
    file.imports = {"Address", "IERC20", "SafeERC20"}
    file.members = list(_MEMBERS)
    file.parameters = [("address", "initialOwner", "Who owns the contract and is the arbiter. Not zero.")]
    file.functions = list(_FUNCTIONS)
    return file.render()


BLUEPRINT = Blueprint(
    title="escrow",
    name="DealEscrow",
    compose=compose,
    features=frozenset({"owner"}),
    phrases=PHRASES,
    powers={"": "The arbiter, who is the owner, decides who receives a disputed payment."},
    about=frozenset({"erc20"}),
    owner="arbiter and owner",
)
