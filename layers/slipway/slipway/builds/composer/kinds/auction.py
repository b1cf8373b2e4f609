"""English auctions of one NFT for the chain's coin."""

from __future__ import annotations

from slipway.builds.composer.blueprint import Blueprint, Parameter, address_argument, owned
from slipway.builds.composer.options import DAY
from slipway.builds.composer.phrases import BARE_DURATION, LAST, PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification
from slipway.builds.models import ConstructorArgument

_IS = r"(?: (?:is|of|at|:|be|should be|price|from))*"
PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            rf"(?:min(?:imum)?|least|lowest|starting|start|first|opening|reserve|at least|begins?|begin|starts?)(?:"
            rf" (?:bid|price|bidding|offer))*{_IS} <eth:min_bid>",
            r"<eth:min_bid> (?:min(?:imum)?|reserve|starting|opening)(?: (?:bid|price))?",
            r"(?:bids?|bidding)(?: (?:starts?|begins?|start|is|must|be|at|from|least|over|above|of))+ <eth:min_bid>",
        ),
    ),
    PhraseSet(None, said=(r"(?:no|without)(?: any)? (?:min bid|reserve)(?: price)?",), sets=(("min_bid", 0),)),
    PhraseSet(
        None,
        said=(
            rf"(?:(?:auction|<kind>|it|bidding|that|which) )*(?:ends?|ending|closes?|runs?|{LAST}|running|lasting"
            r"|open|duration|period|over|stays open|finishes)(?: (?:after|for|in|is|of|:|within|bidding|auction))*"
            r" <time:duration>"
            r"(?: (?:after (?:start|it starts|first bid|launch)|later|long))?",
            r"(?:for|over|during) <time:duration>",
            r"<time:duration>(?: (?:long|duration|auction|bidding|period|bidding period|timed))+",
            BARE_DURATION,
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:(?:min(?:imum)?|each|every|next|new|bid|higher) )*(?:increment|increase|raise|step|outbid|bids?"
            r"|bid step)(?: (?:is|of|at|:|by|must|be|least|at least|min|higher))* <pct:increment>(?: (?:more"
            r"|higher|increment|over (?:last|previous)(?: bid)?))*",
            r"<pct:increment> (?:min(?:imum)? )?(?:bid )?(?:increment|increase|step|higher|raise)(?: (?:per bid"
            r"|each time|min|minimum|each bid))*",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:(?:anti ?snip(?:e|ing)|late bids?|last minute bids?|bids? in (?:last|final) minutes|auction"
            r"|<kind>|time|it|which|is|are) )*(?:extends?|extended|extending|extension|adds?|prolong|prolonged"
            r"|anti ?snip(?:e|ing))(?: (?:by|the|time|auction|<kind>|end|of|for|it|:|is|with|another"
            r"|protection|window))* <time:extension>(?: (?:on|after|for|at|by|when|if|of|each|every|late|last|new"
            r"|minute|bid|bids|in final minutes|extension))*",
            r"<time:extension> (?:extension|anti ?snip(?:e|ing))(?: (?:on|for|of|after|protection|late|last|minute"
            r"|bids?|each|every))*",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:for|of) <n:count> (?:<kind>|nft|token|item|piece)",
            r"(?:for|of|sells?|selling|to sell|auctions?|auctioning)(?: (?:my|our|an|one|single|rare|erc721))*"
            r" (?:<kind>|nft|token|item|collectible|piece|artwork|digital art|art|<name>)",
            r"(?:highest|best) (?:bidder|bid) (?:wins|gets)(?: (?:it|nft|<kind>|token))?",
            r"(?:outbid|losing|previous|other|losers?)(?: (?:bidder|bidders|users?|bids?|people))* (?:(?:can|get"
            r"|gets|are|is|be|their|withdraw|claim|refund|refunds|refunded|money|back|it|eth|bid|bids) )*"
            r"(?:back|refunded|refund|withdraw|refunds|bids?|money|eth)",
            r"refunds?(?: (?:for|to|of) (?:outbid|losing)(?: (?:bidders?|users?))?)?",
            r"bids? in (?:eth|ether)|(?:paid|bid|bidding) in (?:eth|ether)|in eth|for eth",
            r"(?:owner|seller|i|we) (?:can )?(?:withdraws?|gets?|receives?)(?: (?:the|highest|winning|bid|proceeds"
            r"|fund|funds|eth|money|after|auction|ends?|end|of))*",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:proceeds|payment|money|fund|funds|eth|winning bid|highest bid)(?: (?:go|goes|are|is|sent|paid"
            r"|will|should))* to <address:seller>",
            r"(?:seller|beneficiary|payee)(?: (?:is|:|address))* <address:seller>",
        ),
    ),
)

_MEMBERS = """
/// @notice The collection of the token that is sold.
IERC721 public nft;

/// @notice The number of the token that is sold.
uint256 public tokenId;

/// @notice When the auction ends, in seconds since 1970; 0 until it begins.
uint256 public endsAt;

/// @notice Who bids most.
address public highestBidder;

/// @notice The highest bid, in wei.
uint256 public highestBid;

/// @notice Whether the token went to who bid most, or back.
bool public settled;

/// @notice What each account can take, in wei: bids that were topped, and the seller's proceeds.
mapping(address account => uint256) public owed;

/// @notice The auction began.
/// @param nft The collection.
/// @param tokenId The token.
/// @param endsAt When it ends, in seconds since 1970.
event Started(IERC721 indexed nft, uint256 indexed tokenId, uint256 endsAt);

/// @notice Somebody bids most.
/// @param bidder Who.
/// @param value How much, in wei.
event Bid(address indexed bidder, uint256 value);

/// @notice The auction is over.
/// @param winner Who has the token now; the owner where nobody bid.
/// @param value For how much, in wei.
event Settled(address indexed winner, uint256 value);

/// @notice The auction began before.
error AlreadyStarted();

/// @notice The auction is not on.
error NotOpen();

/// @notice The auction is not over, or is settled.
error NotOver();

/// @notice The bid is too low.
/// @param least What has to be bid, in wei.
error BidTooLow(uint256 least);

/// @notice Nothing is owed to the caller.
error NothingOwed();
"""
_FUNCTIONS = """
/// @notice Begins the auction, once. Only the owner may, who has approved the token.
/// @param nft_ The collection.
/// @param tokenId_ The token.
function start(IERC721 nft_, uint256 tokenId_) external onlyOwner {
    if (endsAt != 0) revert AlreadyStarted();
    nft = nft_;
    tokenId = tokenId_;
    endsAt = block.timestamp + DURATION;
    emit Started(nft_, tokenId_, endsAt);
    nft_.transferFrom(msg.sender, address(this), tokenId_);
}

/// @notice Bids the coin that is sent. Whoever was topped takes its bid back with `withdraw`.
function bid() external payable {
    if (block.timestamp >= endsAt) revert NotOpen();
    uint256 least = leastBid();
    if (msg.value < least) revert BidTooLow(least);
    owed[highestBidder] += highestBid;
    highestBidder = msg.sender;
    highestBid = msg.value;@EXTEND@
    emit Bid(msg.sender, msg.value);
}

/// @notice Ends the auction when its time is over: the token goes to who bid most, or back to the owner. Anybody may.
function settle() external {
    if (address(nft) == address(0) || block.timestamp < endsAt || settled) revert NotOver();
    settled = true;
    address winner = highestBidder == address(0) ? owner() : highestBidder;
    owed[@SELLER@] += highestBid;
    emit Settled(winner, highestBid);
    nft.transferFrom(address(this), winner, tokenId);
}

/// @notice Pays the caller what it is owed.
function withdraw() external {
    uint256 value = owed[msg.sender];
    if (value == 0) revert NothingOwed();
    owed[msg.sender] = 0;
    Address.sendValue(payable(msg.sender), value);
}

/// @notice What the next bid has to be.
/// @return How much, in wei.
function leastBid() public view returns (uint256) {
    if (highestBidder == address(0)) return MIN_BID;
    return highestBid + Math.max((highestBid * INCREMENT_BASIS_POINTS) / 10_000, 1);
}
"""


def compose(spec: Specification) -> str:
    """Write the source of an auction."""
    values, seller = spec.values, spec.values.get("seller")
    file = SolidityFile(
        spec.contract_name,
        "Sells one NFT to who bids most of the chain's own coin by the end.",
        "Bids that were topped are never sent, but taken back by their bidders.",
    )
    file.bases = [("Ownable", "initialOwner")]
    file.imports = {"Address", "IERC721", "Math"}
    file.parameters = [("address", "initialOwner", "Who sells. Not zero.")]
    file.declare(
        ("MIN_BID", "The least first bid, in wei.", values["min_bid"] or 1),
        ("DURATION", "How many seconds the auction is on.", values["duration"]),
        (
            "INCREMENT_BASIS_POINTS",
            "How much more each bid has to be, in hundredths of a percent.",
            values["increment"],
        ),
        ("EXTENSION", "How many seconds are left after a late bid, at least.", values.get("extension")),
    )
    if seller:
        file.members.append("/// @notice Who receives the highest bid.\naddress public immutable SELLER;")
        file.members.append("/// @notice The proceeds need a receiver.\nerror ZeroSeller();")
        file.parameters.append(("address", "seller", "Who receives the highest bid. Not zero."))
        file.constructor_lines = ["if (seller == address(0)) revert ZeroSeller();", "SELLER = seller;"]
    file.members.append(_MEMBERS)
    late = "\n    if (endsAt - block.timestamp < EXTENSION) endsAt = block.timestamp + EXTENSION;"
    functions = _FUNCTIONS.replace("@EXTEND@", late if values.get("extension") else "")
    file.functions = [functions.replace("@SELLER@", "SELLER" if seller else "owner()")]
    return file.render()


def _arguments(spec: Specification) -> list[ConstructorArgument]:
    seller = spec.values.get("seller")
    return [*owned(spec), *([address_argument("seller", seller)] if seller else [])]


BLUEPRINT = Blueprint(
    title="auction",
    name="Auction",
    compose=compose,
    arguments=_arguments,
    features=frozenset({"owner"}),
    parameters=(
        Parameter("min_bid", "coins", 0, "The first bid may be of any size.", least=0),
        Parameter("duration", "seconds", 7 * DAY, "The auction is on for {}."),
        Parameter("increment", "percent", 5, "Each bid has to be 5 percent higher than the one before.", most=100),
        Parameter("extension", "seconds"),
        Parameter("seller", "address"),
    ),
    phrases=PHRASES,
    powers={"": "The owner decides which token is sold and when the auction begins, once."},
    assumes=("The owner begins the auction with start, which takes the NFT; the time begins then.",),
    about=frozenset({"erc721", "erc20"}),
)
