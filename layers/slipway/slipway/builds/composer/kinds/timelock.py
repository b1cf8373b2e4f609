"""A multisignature timelock of our own: enough signers confirm, a delay passes, then it is executed."""

from __future__ import annotations

from dataclasses import replace

from slipway.builds.composer.blueprint import Blueprint, DraftView, Parameter, addresses_argument
from slipway.builds.composer.options import DAY, MAX_SIGNERS
from slipway.builds.composer.phrases import PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification
from slipway.builds.models import ConstructorArgument
from slipway.errors import ValidationFailedError

_ADDRESSES = r"(?P<signers><address>(?: (?:, and|,|and|or|;) <address>)*)"
_SIGNER = (
    r"(?:signer|signatory|signatories|approver|approvers|member|members|owners|co owners|participants?|guardians?)"
)
PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            rf"(?:with |and |between |among )?(?:<n> )?{_SIGNER}(?: (?:is|are|:|of|wallet|address))* {_ADDRESSES}",
            rf"{_ADDRESSES}(?: (?:as|are|is))* {_SIGNER}",
            rf"(?:(?:of|with|for|between|among|:) )+{_ADDRESSES}",
            rf"<ratio:threshold>(?: (?:{_SIGNER}|signatures?|confirmations?|approval|must (?:sign|confirm|approve)))?",
            r"(?:with )?(?:delay|time ?lock|wait|waiting time|waiting period)(?: (?:is|of|:|for|period))* <time:delay>",
            r"<time:delay>(?: (?:delay|wait|waiting period|waiting time|period))?(?: (?:before execution))?",
            r"<kind> (?:of|with|for) <time:delay>",
            r"signatures?|confirmations?|approval",
        ),
    ),
)

_MEMBERS = """
/// @notice One call that is to be made. `readyAt` is 0 until enough signers have confirmed it.
struct Operation {
    address target;
    uint256 value;
    bytes data;
    uint64 readyAt;
    bool executed;
}

/// @notice How many signers there may be, so that counting them stays cheap.
uint256 public constant MAX_SIGNERS = 20;

/// @notice How many signers must confirm an operation.
uint256 public threshold;

/// @notice How many operations were proposed; they are numbered from 0.
uint256 public operationCount;

/// @notice Whether an account is a signer.
mapping(address account => bool) public isSigner;

/// @notice Whether a signer has confirmed an operation.
mapping(uint256 operationId => mapping(address signer => bool)) public hasConfirmed;

address[] private _signers;
mapping(uint256 operationId => Operation) private _operations;

/// @notice A signer proposed an operation.
/// @param operationId The operation.
/// @param proposer The signer.
/// @param target What is to be called.
/// @param value How much of the chain's own coin goes with the call.
/// @param data The call.
event Proposed(
    uint256 indexed operationId,
    address indexed proposer,
    address indexed target,
    uint256 value,
    bytes data
);

/// @notice A signer confirmed an operation.
/// @param operationId The operation.
/// @param signer The signer.
event Confirmed(uint256 indexed operationId, address indexed signer);

/// @notice A signer took a confirmation back.
/// @param operationId The operation.
/// @param signer The signer.
event Revoked(uint256 indexed operationId, address indexed signer);

/// @notice Enough signers have confirmed an operation.
/// @param operationId The operation.
/// @param readyAt When it can be executed, in seconds since 1970.
event Scheduled(uint256 indexed operationId, uint64 readyAt);

/// @notice An operation was executed.
/// @param operationId The operation.
/// @param executor The signer who did it.
event Executed(uint256 indexed operationId, address indexed executor);

/// @notice A signer was added.
/// @param signer The signer.
event SignerAdded(address indexed signer);

/// @notice A signer was removed.
/// @param signer The former signer.
event SignerRemoved(address indexed signer);

/// @notice Another number of signers must confirm from now on.
/// @param threshold How many.
event ThresholdChanged(uint256 threshold);

/// @notice The caller is no signer.
error NotSigner();

/// @notice Only an operation of this contract itself may do this.
error NotSelf();

/// @notice The address can't be a signer: zero, this contract, or one already.
error InvalidSigner();

/// @notice There are as many signers as there may be.
error TooManySigners();

/// @notice The threshold is from 1 to the number of signers.
error InvalidThreshold();

/// @notice There is no such operation, or it was executed.
error NotPending();

/// @notice The signer has confirmed it already.
error AlreadyConfirmed();

/// @notice The signer has not confirmed it.
error NotConfirmed();

/// @notice Too few signers confirm the operation, or its delay has not passed.
error NotReady();

modifier onlySigner() {
    if (!isSigner[msg.sender]) revert NotSigner();
    _;
}

modifier onlySelf() {
    if (msg.sender != address(this)) revert NotSelf();
    _;
}
"""

_FUNCTIONS = """
/// @notice Takes the chain's own coin.
receive() external payable {}

/// @notice Proposes an operation and confirms it. Only a signer may.
/// @param target What is to be called.
/// @param value How much of the chain's own coin goes with the call.
/// @param data The call; empty to send the coin alone.
/// @return operationId The operation.
function propose(
    address target,
    uint256 value,
    bytes calldata data
) external onlySigner returns (uint256 operationId) {
    operationId = operationCount++;
    _operations[operationId] = Operation(target, value, data, 0, false);
    emit Proposed(operationId, msg.sender, target, value, data);
    _confirm(operationId);
}

/// @notice Confirms an operation. The delay begins when enough signers have. Only a signer may.
/// @param operationId The operation.
function confirm(uint256 operationId) external onlySigner {
    _requirePending(operationId);
    if (hasConfirmed[operationId][msg.sender]) revert AlreadyConfirmed();
    _confirm(operationId);
}

/// @notice Takes a confirmation back. The delay begins anew if too few are left. Only a signer may.
/// @param operationId The operation.
function revoke(uint256 operationId) external onlySigner {
    _requirePending(operationId);
    if (!hasConfirmed[operationId][msg.sender]) revert NotConfirmed();
    hasConfirmed[operationId][msg.sender] = false;
    emit Revoked(operationId, msg.sender);
    if (confirmations(operationId) < threshold) _operations[operationId].readyAt = 0;
}

/// @notice Executes an operation that is confirmed and whose delay has passed. Only a signer may.
/// @param operationId The operation.
/// @return answer What the call answered; empty where only the coin was sent.
function execute(uint256 operationId) external onlySigner returns (bytes memory answer) {
    _requirePending(operationId);
    Operation storage operation = _operations[operationId];
    bool waited = operation.readyAt != 0 && block.timestamp >= operation.readyAt;
    if (!waited || confirmations(operationId) < threshold) revert NotReady();
    operation.executed = true;
    emit Executed(operationId, msg.sender);
    if (operation.data.length == 0) {
        Address.sendValue(payable(operation.target), operation.value);
    } else {
        answer = Address.functionCallWithValue(operation.target, operation.data, operation.value);
    }
}

/// @notice Adds a signer. Only an operation may.
/// @param signer The new signer.
function addSigner(address signer) external onlySelf {
    _addSigner(signer);
}

/// @notice Removes a signer, whose confirmations no longer count. Only an operation may.
/// @param signer The signer. As many as the threshold must remain.
function removeSigner(address signer) external onlySelf {
    if (!isSigner[signer]) revert InvalidSigner();
    uint256 last = _signers.length - 1;
    if (last < threshold) revert InvalidThreshold();
    isSigner[signer] = false;
    for (uint256 index = 0; index < last; ++index) {
        if (_signers[index] == signer) {
            _signers[index] = _signers[last];
            break;
        }
    }
    _signers.pop();
    emit SignerRemoved(signer);
}

/// @notice Changes how many signers must confirm. Only an operation may.
/// @param threshold_ How many.
function changeThreshold(uint256 threshold_) external onlySelf {
    _changeThreshold(threshold_);
}

/// @notice The signers.
/// @return Their accounts, in no order.
function signers() external view returns (address[] memory) {
    return _signers;
}

/// @notice An operation.
/// @param operationId The operation.
/// @return What it is.
function operations(uint256 operationId) external view returns (Operation memory) {
    return _operations[operationId];
}

/// @notice How many of the present signers confirm an operation.
/// @param operationId The operation.
/// @return count How many.
function confirmations(uint256 operationId) public view returns (uint256 count) {
    uint256 length = _signers.length;
    for (uint256 index = 0; index < length; ++index) {
        if (hasConfirmed[operationId][_signers[index]]) ++count;
    }
}

function _confirm(uint256 operationId) private {
    hasConfirmed[operationId][msg.sender] = true;
    emit Confirmed(operationId, msg.sender);
    Operation storage operation = _operations[operationId];
    if (operation.readyAt == 0 && confirmations(operationId) >= threshold) {
        operation.readyAt = uint64(block.timestamp + DELAY);
        emit Scheduled(operationId, operation.readyAt);
    }
}

function _requirePending(uint256 operationId) private view {
    if (operationId >= operationCount || _operations[operationId].executed) revert NotPending();
}

function _addSigner(address signer) private {
    if (signer == address(0) || signer == address(this) || isSigner[signer]) revert InvalidSigner();
    if (_signers.length == MAX_SIGNERS) revert TooManySigners();
    isSigner[signer] = true;
    _signers.push(signer);
    emit SignerAdded(signer);
}

function _changeThreshold(uint256 threshold_) private {
    if (threshold_ == 0 || threshold_ > _signers.length) revert InvalidThreshold();
    threshold = threshold_;
    emit ThresholdChanged(threshold_);
}
"""


def compose(spec: Specification) -> str:
    """Write the source of a timelock: `constructor(address[] signers_, uint256 threshold_)`."""
    file = SolidityFile(
        spec.contract_name,
        "Makes a call only after enough signers have confirmed it and a delay has passed since.",
        "Nobody owns it: signers and threshold are changed by operations of the contract itself.",
    )
    file.imports = {"Address"}
    file.members = [
        "/// @notice How many seconds pass between enough confirmations and execution.\n"
        f"uint256 public constant DELAY = {spec.values['delay']:_};",
        _MEMBERS,
    ]
    file.parameters = [
        ("address[] memory", "signers_", "Who may propose, confirm and execute. All different, none zero."),
        ("uint256", "threshold_", "How many of them must confirm. From 1 to their number."),
    ]
    file.constructor_lines = [
        "for (uint256 index = 0; index < signers_.length; ++index) {",
        "    _addSigner(signers_[index]);",
        "}",
        "_changeThreshold(threshold_);",
    ]
    file.functions = [_FUNCTIONS]
    return file.render()


def _settle(spec: Specification, draft: DraftView) -> Specification:
    """Weigh signers and threshold against each other."""
    parsed, options = draft.parsed, draft.options
    named = parsed.values.get("signers", [])
    named = named if isinstance(named, list) else [named]
    for address in named[MAX_SIGNERS:]:
        parsed.refuse(address, f"There are at most {MAX_SIGNERS} signers.")
    if not options.signers and not named:
        draft.assumed.append(f"The only signer is the owner, {draft.owner}.")
    signers = tuple(dict.fromkeys(options.signers or named[:MAX_SIGNERS] or [draft.owner]))
    threshold, wanted = _threshold(draft)
    if options.threshold is not None and options.threshold > len(signers):
        raise ValidationFailedError.of_field("options.threshold", "is more than there are signers")
    if wanted > len(signers) and options.threshold is None and options.signers is None:
        parsed.refuse(
            parsed.words["threshold"],
            f"Only {len(signers)} signer{'s are' if len(signers) > 1 else ' is'} known. The first operations can "
            "add others (addSigner) and then set the threshold (changeThreshold).",
        )
    if threshold is None:
        threshold = len(signers) // 2 + 1
        draft.assumed.append(f"{threshold} of {len(signers)} signers must confirm.")
    threshold = min(threshold, len(signers))
    draft.used |= {"signers": list(signers), "threshold": threshold}
    return replace(spec, values={**spec.values, "signers": signers, "threshold": threshold})


def _threshold(draft: DraftView) -> tuple[int | None, int]:
    """Return how many must confirm, if that is said, and how many signers there are said to be at least."""
    ratio = draft.parsed.values.get("threshold")
    if ratio is not None and not (len(ratio) == 2 and 1 <= ratio[0] <= ratio[1]):
        draft.parsed.refuse(draft.parsed.words["threshold"], "The threshold is not over the number of signers.")
        ratio = None
    threshold = draft.options.threshold or (int(ratio[0]) if ratio else None)
    return threshold, max(int(ratio[1]) if ratio else 0, threshold or 0)


def _arguments(spec: Specification) -> list[ConstructorArgument]:
    return [
        addresses_argument("signers_", spec.values["signers"]),
        ConstructorArgument(name="threshold_", type="uint256", value=str(spec.values["threshold"])),
    ]


BLUEPRINT = Blueprint(
    title="multisignature timelock",
    name="MultisigTimelock",
    compose=compose,
    arguments=_arguments,
    parameters=(Parameter("delay", "seconds", 2 * DAY, "The delay is {}.", least=0),),
    values=frozenset({"threshold", "signers"}),
    phrases=PHRASES,
    powers={
        "": "Enough signers together, after the delay, can make any call with what the contract holds, and change the"
        " signers."
    },
    about=frozenset({"erc20", "erc721", "erc1155"}),
    owner="",
    settle=_settle,
)
