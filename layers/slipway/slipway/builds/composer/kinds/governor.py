"""DAOs on OpenZeppelin's Governor: proposals, votes of a token of its own, and a timelock that holds the treasury."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from slipway.builds.composer.blueprint import Blueprint, DraftView, Parameter
from slipway.builds.composer.literals import string_literal, units_literal
from slipway.builds.composer.options import DAY
from slipway.builds.composer.phrases import LAST, PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile, overridden
from slipway.builds.composer.specification import Specification

_IS = rf"(?: (?:is|are|of|at|:|be|should be|period|{LAST}|for|to|a))*"
PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(
            rf"quorum(?: (?:fraction|percentage))?{_IS} <pct:quorum>(?: (?:of (?:total |all )?(?:supply|votes?"
            rf"|token)))?",
            r"<pct:quorum>(?: (?:of (?:total |all )?(?:supply|votes?|token)))? quorum",
            r"<pct:quorum> (?:of (?:total |all )?(?:supply|votes?|token|holder)) (?:must|have to|has to|needs? to)"
            r" vote",
        ),
    ),
    PhraseSet(
        None,
        said=(
            rf"(?:voting|vote|votes)(?: (?:period|time|window|duration|is|open|{LAST}|runs?))+{_IS}"
            rf" <time:voting_period>",
            rf"(?:voting|vote) (?:{LAST}|runs?|for|of|takes?|period) <time:voting_period>",
            r"<time:voting_period>(?: (?:of|for|long))? (?:voting|vote|to vote)(?: (?:period|time|window|duration))?",
        ),
    ),
    PhraseSet(
        None,
        said=(
            rf"(?:voting|vote|proposal|review)(?: (?:start|starts))? delay{_IS} <time:voting_delay>",
            r"<time:voting_delay> (?:voting|vote|proposal|review) delay",
            r"(?:voting|votes?) (?:starts?|begins?)(?: (?:only|after|in))* <time:voting_delay>(?: after"
            r" (?:proposal|it is proposed))?",
            r"<time:voting_delay> (?:delay )?before (?:voting|vote)(?: (?:starts?|begins?|opens?))?",
        ),
    ),
    PhraseSet(
        None,
        said=(
            rf"(?:(?:time ?lock|execution|executor) )*(?:delay|time ?lock|waiting period|wait){_IS}"
            rf" <time:delay>",
            r"<time:delay>(?: (?:time ?lock|execution|timelock))* (?:delay|time ?lock|wait|waiting period)(?:"
            r" (?:before|until|after|on|for)(?: (?:execution|executing|a|vote|proposal|passes|passing))+)?",
            r"<time:delay> (?:before execution|until execution|after (?:vote|voting|passing))",
            r"(?:time ?lock|timelock)(?: (?:controller|contract))?",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:proposal )?threshold(?: (?:is|of|at|:|for proposals|to propose))* <n:proposal_threshold>(?:"
            r" (?:token|votes?|coin|<symbol>|<name>))?(?: to propose)?",
            r"<n:proposal_threshold>(?: (?:token|votes?|coin|<symbol>|<name>))? (?:(?:are |is )?(?:needed"
            r"|required) )?(?:to (?:propose|create proposals?|make proposals?|submit proposals?)|proposal"
            r" threshold)",
            r"(?:at least|min(?:imum)?(?: of)?) <n:proposal_threshold>(?: (?:token|votes?|coin|<symbol>|<name>))?"
            r" to (?:propose|create proposals?|make proposals?|submit proposals?)",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:with |and |on chain )?(?:governor|governance|proposals?|voting|votes?)(?: (?:and|,|with)"
            r" (?:proposals?|voting|votes?|execution|time ?lock|timelock))*",
            r"(?:token )?holder (?:can )?(?:votes?|proposes?|voting)(?: (?:on proposals?|and (?:vote|propose)))*",
            r"(?:token )?holder can (?:propose|vote|create proposals?)(?: and (?:vote|propose|execute))*(?: on"
            r" proposals?)?",
            r"(?:token based|token weighted|on chain) (?:voting|governance|votes?)",
            r"(?:governance|voting) token",
            r"treasury|(?:with |and )(?:its )?(?:own )?treasury|to (?:manage|govern|control) (?:our|my|the)?"
            r" ?(?:treasury|protocol|project|community|funds?)",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"<n:supply>(?: (?:governance|voting|total|initial))*(?: (?:token|coin|supply|<symbol>|<name>))+(?:"
            r" supply)?",
            r"(?:(?:total|initial|token) )*supply(?: (?:is|of|:))* <n:supply>(?: (?:token|coin))?",
        ),
    ),
)
_OVERRIDES = (
    ("state(uint256 proposalId) public view returns (ProposalState)", "return super.state(proposalId);"),
    (
        "proposalNeedsQueuing(uint256 proposalId) public view returns (bool)",
        "return super.proposalNeedsQueuing(proposalId);",
    ),
)
_INTERNAL = (
    (
        "_queueOperations(\n    uint256 proposalId,\n    address[] memory targets,\n    uint256[] memory values,\n"
        "    bytes[] memory calldatas,\n    bytes32 descriptionHash\n) internal returns (uint48)",
        "return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);",
    ),
    (
        "_executeOperations(\n    uint256 proposalId,\n    address[] memory targets,\n    uint256[] memory values,\n"
        "    bytes[] memory calldatas,\n    bytes32 descriptionHash\n) internal",
        "super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);",
    ),
    (
        "_cancel(\n    address[] memory targets,\n    uint256[] memory values,\n    bytes[] memory calldatas,\n"
        "    bytes32 descriptionHash\n) internal returns (uint256)",
        "return super._cancel(targets, values, calldatas, descriptionHash);",
    ),
    ("_executor() internal view returns (address)", "return super._executor();"),
)


def compose(spec: Specification) -> str:
    """Write the source of a governor and its token: `constructor(address initialOwner)`."""
    token = f"{spec.contract_name}Token"
    values, threshold = spec.values, Fraction(spec.values.get("proposal_threshold", 0))
    file = SolidityFile(
        spec.contract_name,
        "A DAO: holders of its token propose and vote, and what passed is executed by its timelock after a delay.",
        "The timelock holds the treasury. Nobody has a power over it but the votes, and its rules stay as they are.",
    )
    file.bases = [
        ("Governor", string_literal(spec.name)),
        ("GovernorCountingSimple", None),
        ("GovernorVotes", f"new {token}(initialOwner)"),
        (
            "GovernorTimelockControl",
            f"new TimelockController({values['delay']:_}, new address[](0), new address[](0), address(this))",
        ),
    ]
    file.imports = {"TimelockController", "ERC20", "ERC20Permit", "ERC20Votes", "Nonces"}
    file.parameters = [("address", "initialOwner", "Who holds the first supply of the token. Not zero.")]
    file.constructor_lines = [
        "TimelockController executor = TimelockController(payable(_executor()));",
        "executor.grantRole(executor.PROPOSER_ROLE(), address(this));",
        "executor.grantRole(executor.CANCELLER_ROLE(), address(this));",
        "executor.grantRole(executor.EXECUTOR_ROLE(), address(0));",
        "executor.renounceRole(executor.DEFAULT_ADMIN_ROLE(), address(this));",
    ]
    file.functions = [
        *(
            f"/// @notice {notice}.\n/// @return So many.\n"
            f"function {name}() public pure override returns (uint256) {{\n    return {value};\n}}"
            for name, notice, value in (
                ("votingDelay", "How many seconds pass between a proposal and the vote", f"{values['voting_delay']:_}"),
                ("votingPeriod", "How many seconds a vote takes", f"{values['voting_period']:_}"),
                ("proposalThreshold", "How many votes a proposer needs, in base units", units_literal(threshold, 18)),
            )
        ),
        "/// @notice How many votes a proposal needs, in base units.\n/// @param timepoint When it counts.\n"
        "/// @return How many.\nfunction quorum(uint256 timepoint) public view override returns (uint256) {\n"
        f"    return (token().getPastTotalSupply(timepoint) * {values['quorum']:_}) / 10_000;\n}}",
        *(
            "/// @dev OpenZeppelin's, by way of the timelock.\n"
            + overridden(signature, body, ["Governor", "GovernorTimelockControl"])
            for signature, body in (*_OVERRIDES, *_INTERNAL)
        ),
    ]
    file.helper = _token(spec, token)
    return file.render()


def _token(spec: Specification, name: str) -> SolidityFile:
    shown = string_literal(spec.name)
    file = SolidityFile(
        name, "The token whose holders vote, by time rather than by block.", "Votes count once they are delegated."
    )
    file.bases = [
        ("ERC20", f"{shown}, {string_literal(spec.symbol)}"),
        ("ERC20Permit", shown),
        ("ERC20Votes", None),
    ]
    file.parameters = [("address", "holder", "Who holds the supply. Not zero.")]
    file.constructor_lines = [f"_mint(holder, {units_literal(spec.supply, 18)});"]
    file.functions = [
        "/// @notice The clock by which votes are counted: seconds since 1970.\n/// @return The time.\n"
        "function clock() public view override returns (uint48) {\n    return uint48(block.timestamp);\n}",
        "/// @notice How the clock counts (ERC-6372).\n/// @return The mode.\n"
        "// solhint-disable-next-line func-name-mixedcase\n"
        'function CLOCK_MODE() public pure override returns (string memory) {\n    return "mode=timestamp";\n}',
        "/// @dev Every transfer and minting passes here.\n"
        + overridden(
            "_update(address from, address to, uint256 value) internal",
            "super._update(from, to, value);",
            ["ERC20", "ERC20Votes"],
        ),
        "/// @notice The nonce that an owner's next permit or delegation is to be signed with.\n"
        "/// @param owner_ Who signs.\n/// @return The nonce.\n"
        + overridden(
            "nonces(address owner_) public view returns (uint256)",
            "return super.nonces(owner_);",
            ["ERC20Permit", "Nonces"],
        ),
    ]
    return file


def _settled(spec: Specification, _: DraftView) -> Specification:
    return replace(spec, supply=Fraction(spec.values["supply"]))


BLUEPRINT = Blueprint(
    title="DAO with a governor, a timelock and a token",
    name="Dao",
    compose=compose,
    features=frozenset(),
    parameters=(
        Parameter("quorum", "percent", 4, "The quorum is 4 percent of the supply."),
        Parameter("voting_period", "seconds", 7 * DAY, "Votes are taken for {}."),
        Parameter("voting_delay", "seconds", DAY, "Voting begins {} after a proposal."),
        Parameter("delay", "seconds", 2 * DAY, "What passed waits in the timelock for {}."),
        Parameter("proposal_threshold", "tokens", assumed="Anybody may propose."),
        Parameter("supply", "tokens", 1_000_000, "The DAO has a token of its own, with a fixed supply of {}."),
    ),
    values=frozenset({"owner", "symbol"}),
    phrases=PHRASES,
    powers={"": "Whoever holds most of the token can decide everything, after the delay of the timelock."},
    assumes=("A delay is the timelock's, where the prompt does not say which.",),
    about=frozenset({"erc20", "timelock"}),
    owner="first holder of the token",
    settle=_settled,
)
