"""Airdrops: accounts of a Merkle tree claim amounts of an ERC-20 token, once and until a deadline."""

from __future__ import annotations

from slipway.builds.composer.blueprint import Blueprint, Parameter
from slipway.builds.composer.options import DAY
from slipway.builds.composer.phrases import LAST, PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification

PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            r"(?:(?:with|using|by|via|based on|through|and|a) )*merkle(?: (?:proofs?|trees?|root|based|airdrop"
            r"|claims?|distribution))*",
            r"(?:of|for|distributes?|distributing|to distribute|drops?|sends?|gives?)(?: (?:my|our|own|existing"
            r"|erc20|an))* (?:token|coin|<name>)(?: to (?:(?:my|our|many|listed|early|community|all) )*(?:holder"
            r"|users?|community|members?|wallets?|address|people|supporters))?",
            r"(?:to|for) (?:(?:my|our|many|listed|early|eligible|community|all|list of) )*(?:users?|community"
            r"|members?|wallets?|address|people|supporters)",
            r"(?:(?:eligible|listed|allowlisted|whitelisted) (?:users?|people|holder|anyone|wallets?|address"
            r"|accounts?|members?)|(?:anyone|users?|people|holder|wallets?|address|accounts?|members?) (?:on|in)"
            r" (?:(?:my|our|merkle) )?(?:list|allowlist|tree)|users?|people|members?|holder)(?: (?:can|may|will|each))*"
            r" (?:claims?|claim)(?: (?:it|them|their|own|token|share|allocation|once|only|only once|one time|amount))*",
            r"(?:claim|claims|claimable|claiming)(?: (?:only|once|their|token|function|page|each|one time))*",
            r"(?:each|every) (?:wallet|address|user|account) can claim (?:only )?once",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:(?:it|they|airdrop|users?|which|is|are) )*(?:claims?|claiming|claimable|open|period|window"
            r"|deadline|ends?|closes?"
            rf"|expires?|{LAST}|runs?)(?: (?:it|is|are|open|period|window|deadline|of|for|within|:"
            r"|during|over|(?:ends?|closes?|expires?) (?:in|after)))* <time:duration>(?: (?:claim"
            r"|window|period|deadline|to claim|long))*",
            r"(?:(?:it|airdrop|which|claims?|claiming|window|period) )*(?:ends?|closes?|expires?) (?:in|after)"
            r" <time:duration>",
            r"<time:duration>(?: (?:claim|claiming|to claim|window|period|deadline|long))+",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:(?:unclaimed|leftover|remaining|rest)(?: (?:of))?(?: (?:token|coins?|amount))? )(?:(?:go|goes|are"
            r"|is|can|be|returned|return|sent|back|withdrawn|recovered|reclaimed|swept|by|to|then|afterwards|after"
            r"|deadline) )*(?:owner|me|us)?"
            r"(?: (?:after (?:that|deadline|it ends|the end)|afterwards))?",
            r"(?:owner|i|we) can (?:reclaim|withdraw|recover|sweep|take back)(?: (?:the|unclaimed|leftover"
            r"|remaining|token|rest))* after <time:duration>",
            r"(?:owner|i|we) can (?:reclaim|withdraw|recover|sweep|take back|take)(?: (?:the|unclaimed|leftover"
            r"|remaining|token|rest|after|that|deadline|it|ends|afterwards))*",
        ),
    ),
)

_MEMBERS = """
using SafeERC20 for IERC20;

/// @notice The token; zero until the airdrop is opened.
IERC20 public token;

/// @notice Root of the Merkle tree of accounts and amounts.
bytes32 public root;

/// @notice Until when it can be claimed, in seconds since 1970; 0 until the airdrop is opened.
uint256 public endsAt;

/// @notice Whether an account was given its amount.
mapping(address account => bool) public claimed;

/// @notice The airdrop was opened.
/// @param token The token.
/// @param root Root of the tree.
/// @param endsAt Until when, in seconds since 1970.
event Opened(IERC20 indexed token, bytes32 root, uint256 endsAt);

/// @notice An account was given its amount.
/// @param account The account.
/// @param amount How much, in base units.
event Claimed(address indexed account, uint256 amount);

/// @notice The airdrop was opened before.
error AlreadyOpen();

/// @notice The airdrop is not open.
error NotOpen();

/// @notice The airdrop is not over.
error NotOver();

/// @notice The account was given its amount before.
error AlreadyClaimed();

/// @notice The tree does not have the account with this amount.
error NotListed();

/// @notice The token took a part of the amount on its way.
error ShortPayment();
"""
_FUNCTIONS = """
/// @notice Opens the airdrop, once. Only the owner may, who has approved the tokens.
/// @dev A leaf is `keccak256(bytes.concat(keccak256(abi.encode(account, amount))))`, as in OpenZeppelin's merkle-tree.
/// @param token_ The token.
/// @param root_ Root of the tree.
/// @param amount How much is given out in all, in base units.
function open(IERC20 token_, bytes32 root_, uint256 amount) external onlyOwner nonReentrant {
    if (endsAt != 0) revert AlreadyOpen();
    token = token_;
    root = root_;
    endsAt = block.timestamp + DURATION;
    emit Opened(token_, root_, endsAt);
    uint256 expected = token_.balanceOf(address(this)) + amount;
    token_.safeTransferFrom(msg.sender, address(this), amount);
    if (token_.balanceOf(address(this)) < expected) revert ShortPayment();
}

/// @notice Gives an account its amount. Anybody may send it.
/// @param account The account.
/// @param amount Its amount, in base units.
/// @param proof The proof of its leaf.
function claim(address account, uint256 amount, bytes32[] calldata proof) external nonReentrant {
    if (block.timestamp >= endsAt) revert NotOpen();
    if (claimed[account]) revert AlreadyClaimed();
    bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, amount))));
    if (!MerkleProof.verifyCalldata(proof, root, leaf)) revert NotListed();
    claimed[account] = true;
    emit Claimed(account, amount);
    token.safeTransfer(account, amount);
}

/// @notice Sends what nobody claimed to the owner, once the airdrop is over. Only the owner may.
function reclaim() external onlyOwner nonReentrant {
    if (endsAt == 0 || block.timestamp < endsAt) revert NotOver();
    token.safeTransfer(msg.sender, token.balanceOf(address(this)));
}
"""


def compose(spec: Specification) -> str:
    """Write the source of an airdrop: `constructor(address initialOwner)`."""
    file = SolidityFile(
        spec.contract_name,
        "Gives amounts of an ERC-20 token to the accounts of a list, who claim them until a deadline.",
        "The list is a Merkle tree, of which the contract keeps the root.",
    )
    file.bases = [("Ownable", "initialOwner"), ("ReentrancyGuard", None)]
    file.imports = {"IERC20", "MerkleProof", "SafeERC20"}
    file.parameters = [("address", "initialOwner", "Who opens it and takes back the rest. Not zero.")]
    file.declare(("DURATION", "How many seconds it can be claimed.", spec.values["duration"]))
    file.members.append(_MEMBERS)
    file.functions = [_FUNCTIONS]
    return file.render()


BLUEPRINT = Blueprint(
    title="airdrop",
    name="Airdrop",
    compose=compose,
    features=frozenset({"owner"}),
    parameters=(Parameter("duration", "seconds", 90 * DAY, "It can be claimed for {}."),),
    phrases=PHRASES,
    powers={"": "The owner says once who may claim how much, and takes back what nobody claimed in time."},
    assumes=("The owner opens it with open, which takes the tokens and the root of the list; the time begins then.",),
    about=frozenset({"erc20"}),
)
