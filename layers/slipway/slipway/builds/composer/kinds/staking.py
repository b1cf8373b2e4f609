"""Staking of one ERC-20 token for rewards in the same token: at a yearly rate, paid from what was given for it."""

from __future__ import annotations

from slipway.builds.composer.blueprint import Blueprint, Parameter, address_argument, owned
from slipway.builds.composer.phrases import PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification
from slipway.builds.models import ConstructorArgument

_REWARD = r"(?:rewards?|yield|interest|return|returns|apy|apr)"
_YEARLY = r"(?:apy|apr|yearly|annual|annually|per year|a year|each year|every year|per annum|<time>|interest)"
_COINS = r"(?:(?:my|our|own|erc20|any|an|user) )*(?:token|coin|<name>|<symbol>)"
_NO = r"(?:no|without)(?: any)?"
_COOLDOWN = r"(?:cooldown|cool down|unbonding)(?: period)?"
_LOCK = r"(?:lock|lock ?up)(?: period)?"
PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            rf"(?:(?:users?|holder|stakers?|anyone|people|they|members?) (?:can )?)?(?:to )?(?:stakes?|staking"
            rf"|deposits?|locks?)(?: of)? {_COINS}",
            rf"(?:(?:users?|holder|stakers?|anyone|people|they|and|to|in|can) )*(?:get|gets|earns?|earning"
            rf"|receives?|receiving|pays?|paying|gives?|offers?"
            rf"|with|at)?(?: (?:fixed|rewards? of|reward|rewards|them|out|stakers|of))* ?<pct:rate>(?: (?:{_YEARLY}"
            rf"|fixed|staking))*(?: {_REWARD})?(?: {_YEARLY})?"
            r"(?: (?:in same token|paid in same token|for stakers|to stakers|for staking))?",
            rf"(?:(?:yearly|annual|fixed) )*(?:{_REWARD}|reward rate|rate|staking rewards?|yearly rate)(?: (?:is"
            rf"|are|of|at|:|rate|should be|a))*"
            rf" <pct:rate>(?: {_YEARLY})*(?: {_REWARD})?",
            r"(?:stakers?|users?|holder)(?: (?:can|will|should))? (?:earn|get|receive)s? (?:staking )?rewards?",
            r"(?:staking )?rewards?(?: for (?:stakers|staking|holder))?",
            r"(?:in|paid in|with) same token",
            r"(?:stakers?|users?|holder|they) can (?:unstake|withdraw|claim)(?: (?:it|them|their|rewards?|token"
            r"|stake|at any time|any time|and))*",
            r"unstake|unstaking|claim(?:ing)?(?: (?:of )?rewards?)?",
            r"(?:owner|i|we|anyone) (?:can |will )?(?:fund|funds|deposit|deposits|add|adds|top up)(?: (?:the"
            r"|more))*(?: (?:rewards?|reward pool|pool))+",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"<time:cooldown> (?:unstak(?:e|ing)|unbonding|withdrawals?|exit) (?:period|time|window)",
            r"<time:cooldown>(?: (?:unstake|unstaking|withdrawal|withdraw|unbonding|exit|long))*(?: (?:cooldown"
            r"|cool down|unbonding|delay|notice|waiting time|wait))+"
            r"(?: (?:period|time))?(?: (?:before|for|on|when|to) (?:unstaking|unstake|withdrawal|withdrawing"
            r"|withdrawals))?",
            r"(?:(?:unstake|unstaking|withdrawal|unbonding|exit|with) )*(?:cooldown|cool down|unbonding|delay"
            r"|notice|waiting time|wait)(?: (?:period|time|is|of|:|for"
            r"|before (?:unstaking|withdrawal|withdrawing)|to unstake|should be))* <time:cooldown>",
            r"(?:unstake|unstaking|withdraw|withdrawal|withdrawals)(?: (?:takes?|needs?|is|possible|only|after"
            r"|with|in))* <time:cooldown>(?: (?:cooldown|notice|delay|after request))*",
        ),
    ),
    PhraseSet(None, said=(rf"{_NO} {_COOLDOWN}",), sets=(("cooldown", 0),)),
    PhraseSet(None, said=(rf"{_NO} {_LOCK}",), sets=(("lock", 0),)),
    PhraseSet(
        None,
        said=(
            rf"{_NO} (?:{_COOLDOWN} (?:and|or|nor)(?: {_NO})? {_LOCK}|{_LOCK} (?:and|or|nor)(?: {_NO})? {_COOLDOWN})",
            r"(?:unstake|withdraw) (?:at )?any ?time",
        ),
        sets=(("cooldown", 0), ("lock", 0)),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:min(?:imum)? )?(?:lock|lock ?up|locking|locked|staking)(?: (?:period|time|in|duration|for|is|of|:"
            r"|up|stake))* <time:lock>",
            r"<time:lock> (?:(?:min|minimum|staking) )*(?:lock|lock ?up|lockin|locking|lock in)(?: (?:period|time"
            r"|duration))?",
            r"(?:stakes?|staked|token)(?: token)? (?:are|is|stay|stays|remain) locked for <time:lock>",
            r"(?:can|must) not (?:be )?(?:unstaked?|withdrawn?)(?: (?:for|before|within|in|until))+(?: first)?"
            r" <time:lock>",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:stake|staked|staking)?(?: ?(?:for|of|token|coin|my|our|is|:|at|address|contract))* <address:token>",
        ),
    ),
)

_MEMBERS = """
using SafeERC20 for IERC20;

/// @notice What an account has here, in base units. `since` is when its rewards were last counted.
struct Stake {
    uint256 staked;
    uint256 rewards;
    uint256 since;
    uint256 leaving;
    uint256 readyAt;
}

/// @notice What each account has here.
mapping(address account => Stake) public stakes;

/// @notice What all accounts have staked, that which is leaving included.
uint256 public totalStaked;

/// @notice What is here for rewards. Nothing else pays them.
uint256 public rewardPool;

/// @notice An account staked.
/// @param account The account.
/// @param amount How much.
event Staked(address indexed account, uint256 amount);

/// @notice An account took a stake back.
/// @param account The account.
/// @param amount How much.
event Unstaked(address indexed account, uint256 amount);

/// @notice An account was paid rewards.
/// @param account The account.
/// @param amount How much.
event RewardPaid(address indexed account, uint256 amount);

/// @notice Somebody gave tokens for rewards.
/// @param from Who.
/// @param amount How much.
event Funded(address indexed from, uint256 amount);

/// @notice Nothing is to be moved.
error ZeroAmount();

/// @notice The account has less than that staked.
error NotStaked();

/// @notice The token took a part of the amount on its way.
error ShortPayment();
"""
_COOLDOWN = """
/// @notice An account asked for a stake back.
/// @param account The account.
/// @param amount How much.
/// @param readyAt When it can take it, in seconds since 1970.
event Leaving(address indexed account, uint256 amount, uint256 readyAt);

/// @notice The cooldown is not over.
error NotReady();
"""
_FUNCTIONS = """
/// @notice Stakes tokens, which the caller has approved.
/// @param amount How much, in base units.
function stake(uint256 amount) external nonReentrant {
    if (amount == 0) revert ZeroAmount();
    Stake storage mine = _counted(msg.sender);
    mine.staked += amount;
    totalStaked += amount;@LOCKED@
    emit Staked(msg.sender, amount);
    _take(amount);
}

@LEAVING@
/// @notice Pays the caller its rewards, as far as there is something for rewards. The rest stays owed.
function claim() external nonReentrant {
    Stake storage mine = _counted(msg.sender);
    uint256 amount = Math.min(mine.rewards, rewardPool);
    if (amount == 0) revert ZeroAmount();
    mine.rewards -= amount;
    rewardPool -= amount;
    emit RewardPaid(msg.sender, amount);
    token.safeTransfer(msg.sender, amount);
}

/// @notice Gives tokens for rewards, which the caller has approved. Anybody may; nobody can take them back.
/// @param amount How much, in base units.
function fund(uint256 amount) external nonReentrant {
    if (amount == 0) revert ZeroAmount();
    rewardPool += amount;
    emit Funded(msg.sender, amount);
    _take(amount);
}

/// @notice The rewards of an account by now, whether there is enough for them or not.
/// @param account The account.
/// @return How much, in base units.
function rewardsOf(address account) public view returns (uint256) {
    Stake storage its = stakes[account];
    return its.rewards + (its.staked * RATE_BASIS_POINTS * (block.timestamp - its.since)) / (10_000 * 365 days);
}

function _counted(address account) private returns (Stake storage its) {
    its = stakes[account];
    its.rewards = rewardsOf(account);
    its.since = block.timestamp;
}

function _take(uint256 amount) private {@SET@
    uint256 expected = token.balanceOf(address(this)) + amount;
    token.safeTransferFrom(msg.sender, address(this), amount);
    if (token.balanceOf(address(this)) < expected) revert ShortPayment();
}
"""
_AT_ONCE = """
/// @notice Takes a stake back.
/// @param amount How much, in base units.
function unstake(uint256 amount) external nonReentrant {
    if (amount == 0) revert ZeroAmount();
    Stake storage mine = _counted(msg.sender);
    if (amount > mine.staked) revert NotStaked();@UNLOCKED@
    mine.staked -= amount;
    totalStaked -= amount;
    emit Unstaked(msg.sender, amount);
    token.safeTransfer(msg.sender, amount);
}
"""
_IN_TWO_STEPS = """
/// @notice Asks for a stake back: it earns nothing from now on, and can be taken when the cooldown is over.
/// @param amount How much, in base units. The cooldown of what is leaving already begins anew.
function requestUnstake(uint256 amount) external {
    if (amount == 0) revert ZeroAmount();
    Stake storage mine = _counted(msg.sender);
    if (amount > mine.staked) revert NotStaked();@UNLOCKED@
    mine.staked -= amount;
    mine.leaving += amount;
    mine.readyAt = block.timestamp + COOLDOWN;
    emit Leaving(msg.sender, amount, mine.readyAt);
}

/// @notice Takes back what the caller asked for, once the cooldown is over.
function unstake() external nonReentrant {
    Stake storage mine = stakes[msg.sender];
    uint256 amount = mine.leaving;
    if (amount == 0) revert ZeroAmount();
    if (block.timestamp < mine.readyAt) revert NotReady();
    mine.leaving = 0;
    totalStaked -= amount;
    emit Unstaked(msg.sender, amount);
    token.safeTransfer(msg.sender, amount);
}
"""
_SETTER = """
/// @notice Says which token is staked, once. Only the owner may.
/// @param token_ The token. Not zero.
function setToken(IERC20 token_) external onlyOwner {
    if (address(token) != address(0)) revert TokenIsSet();
    if (address(token_).code.length == 0) revert NotToken();
    token = token_;
}
"""


def token_of(file: SolidityFile, spec: Specification, use: str) -> bool:
    """Declare the token that a contract works with: given to the constructor, or set later by the owner.

    Returns:
        Whether it is given.
    """
    given = "token" in spec.values
    file.members += [
        f"/// @notice The token that {use}.\nIERC20 public {'immutable ' if given else ''}token;",
        "/// @notice The address is no token.\nerror NotToken();",
    ]
    if given:
        file.parameters.append(("IERC20", "token_", f"The token that {use}. Not zero."))
        file.constructor_lines += ["if (address(token_) == address(0)) revert NotToken();", "token = token_;"]
    return given


def compose(spec: Specification) -> str:
    """Write the source of a staking contract."""
    cooldown, lock = spec.values.get("cooldown"), spec.values.get("lock")
    file = SolidityFile(
        spec.contract_name,
        "Takes stakes of one ERC-20 token and pays rewards in the same token, at a yearly rate without compounding.",
        "Rewards are paid from what was given with `fund()` alone. Nobody can take the stakes of others.",
    )
    file.declare(
        ("RATE_BASIS_POINTS", "The yearly rate of rewards, in hundredths of a percent.", spec.values["rate"]),
        ("COOLDOWN", "How many seconds pass between asking for a stake and taking it.", cooldown),
        ("LOCK", "How many seconds a stake stays from its last deposit on.", lock),
    )
    given = token_of(file, spec, "is staked")
    file.members.append(_MEMBERS)
    functions = _FUNCTIONS.replace("@LEAVING@", (_IN_TWO_STEPS if cooldown else _AT_ONCE).strip())
    if cooldown:
        file.members.append(_COOLDOWN)
    if lock:
        file.members += [
            "/// @notice Until when the stake of an account stays, in seconds since 1970.\n"
            "mapping(address account => uint256) public lockedUntil;",
            "/// @notice The stake is locked.\nerror StakeLocked();",
        ]
    unlocked = "\n    if (block.timestamp < lockedUntil[msg.sender]) revert StakeLocked();" if lock else ""
    locked = "\n    lockedUntil[msg.sender] = block.timestamp + LOCK;" if lock else ""
    known = "" if given else "\n    if (address(token) == address(0)) revert NotToken();"
    functions = functions.replace("@UNLOCKED@", unlocked).replace("@LOCKED@", locked).replace("@SET@", known)
    file.imports = {"IERC20", "SafeERC20", "Math"}
    if not given:
        file.bases.append(("Ownable", "initialOwner"))
        file.parameters.append(("address", "initialOwner", "Who says which token is staked. Not zero."))
        file.members.append("/// @notice The token is known already.\nerror TokenIsSet();")
        file.functions.append(_SETTER)
    file.bases.append(("ReentrancyGuard", None))
    file.functions.append(functions)
    return file.render()


def given_or_owned(spec: Specification) -> list[ConstructorArgument]:
    """Return the token as the constructor's argument, or the owner, who sets it later."""
    token = spec.values.get("token")
    return [address_argument("token_", token)] if token else owned(spec)


BLUEPRINT = Blueprint(
    title="staking contract",
    name="Staking",
    compose=compose,
    arguments=given_or_owned,
    parameters=(
        Parameter("token", "address", assumed="The owner says once which token is staked, with setToken."),
        Parameter("rate", "percent", missing="The prompt does not say how many percent a year.", most=1000),
        Parameter("cooldown", "seconds", least=0),
        Parameter("lock", "seconds", least=0),
    ),
    phrases=PHRASES,
    powers={
        "": "Rewards are paid only as far as somebody gave tokens for them with fund. The owner says once which token"
        " is staked, where the prompt does not."
    },
    assumes=("Rewards are in the token that is staked, at a yearly rate that does not compound.",),
    about=frozenset({"erc20"}),
)
