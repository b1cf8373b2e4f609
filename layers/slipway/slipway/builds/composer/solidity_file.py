"""One Solidity file with one contract, put together from parts and laid out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from slipway.builds.models import LOGIC

PRAGMA = "0.8.37"
"""The compiler that sources are pinned to: the one that `package.json` pins."""

OPENZEPPELIN = "@openzeppelin/contracts"

_FOLDERS = {
    "AccessControl": "access",
    "Ownable": "access",
    "VestingWallet": "finance",
    "VestingWalletCliff": "finance",
    "ERC20": "token/ERC20",
    "ERC20Burnable": "token/ERC20/extensions",
    "ERC20Capped": "token/ERC20/extensions",
    "ERC20Pausable": "token/ERC20/extensions",
    "ERC20Permit": "token/ERC20/extensions",
    "ERC20Votes": "token/ERC20/extensions",
    "IERC20": "token/ERC20",
    "SafeERC20": "token/ERC20/utils",
    "ERC721": "token/ERC721",
    "ERC721Burnable": "token/ERC721/extensions",
    "ERC721Enumerable": "token/ERC721/extensions",
    "ERC721Pausable": "token/ERC721/extensions",
    "ERC721URIStorage": "token/ERC721/extensions",
    "ERC721Votes": "token/ERC721/extensions",
    "ERC1155": "token/ERC1155",
    "ERC1155Burnable": "token/ERC1155/extensions",
    "ERC1155Pausable": "token/ERC1155/extensions",
    "ERC1155Supply": "token/ERC1155/extensions",
    "ERC1155Holder": "token/ERC1155/utils",
    "ERC721Holder": "token/ERC721/utils",
    "ERC2981": "token/common",
    "Address": "utils",
    "EIP712": "utils/cryptography",
    "Nonces": "utils",
    "ReentrancyGuard": "utils",
    "MerkleProof": "utils/cryptography",
    "Governor": "governance",
    "GovernorCountingSimple": "governance/extensions",
    "GovernorTimelockControl": "governance/extensions",
    "GovernorVotes": "governance/extensions",
    "IERC20Metadata": "token/ERC20/extensions",
    "TimelockController": "governance",
    "ERC1967Proxy": "proxy/ERC1967",
    "Initializable": "proxy/utils",
    "UUPSUpgradeable": "proxy/utils",
    "IERC165": "utils/introspection",
    "IERC721": "token/ERC721",
    "IERC4906": "interfaces",
    "Math": "utils/math",
}


@dataclass
class SolidityFile:
    """A contract in the making.

    Attributes:
        name: The contract's name, an identifier.
        notice: What it is, for its readers.
        dev: What developers should know, or an empty string.
        bases: What it inherits, in Solidity's order (most basic first), each with the arguments of its constructor or
            None.
        parameters: Each parameter of the constructor with its documentation.
        constructor_lines: The constructor's statements.
        members: What comes before the constructor: constants, errors, events, each with its documentation.
        functions: What comes after it.
        imports: Names of OpenZeppelin's that are used beside the bases.
        helper: A contract of the same file, which this one creates.
        upgradeable: Whether this is the code behind a UUPS proxy, which has the name.
    """

    name: str
    notice: str
    dev: str = ""
    bases: list[tuple[str, str | None]] = field(default_factory=list)
    parameters: list[tuple[str, str, str]] = field(default_factory=list)
    constructor_lines: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    helper: SolidityFile | None = None
    upgradeable: bool = False

    def declare(self, *constants: tuple[str, str, int | str | None]) -> None:
        """Add public constants, each with name, documentation and value; those without a value are left out."""
        self.members += [
            f"/// @notice {notice}\nuint256 public constant {name} ="
            f" {value if isinstance(value, str) else f'{value:_}'};"
            for name, notice, value in constants
            if value
        ]

    def render(self) -> str:
        """Return the source text, with a line end at its end."""
        contracts = [self.helper, self] if self.helper else self._proxied() if self.upgradeable else [self]
        paths = sorted({_path(name) for contract in contracts for name in contract.used})
        lines = ["// SPDX-License-Identifier: MIT", f"pragma solidity {PRAGMA};", ""]
        lines += [f'import {{{path.split("/")[-1]}}} from "{path}.sol";' for path in paths]
        lines += [""] if paths else []
        return "\n".join(lines) + "\n" + "\n".join(contract.declared() for contract in contracts)

    def _proxied(self) -> list[SolidityFile]:
        """Return the code, which is set up by an initializer, and the proxy, whose constructor deploys both."""
        names = {name: f"{name}Upgradeable" for name, _ in self.bases if name not in _STATELESS}
        names["Nonces"] = "NoncesUpgradeable"
        logic = SolidityFile(self.name + LOGIC, self.notice, self.dev, upgradeable=True)
        logic.imports = {names.get(name, name) for name in self.imports} | {"Initializable"}
        logic.bases = [("Initializable", None)] + [(names.get(name, name), given) for name, given in self.bases]
        logic.bases.append(("UUPSUpgradeable", None))
        logic.members = [member.replace(" immutable ", " ") for member in self.members]
        logic.parameters = self.parameters
        logic.constructor_lines = [
            *(f"__{name}_init({given or ''});" for name, given in self.bases if name not in _STATELESS),
            *self.constructor_lines,
        ]
        logic.functions = [
            re.sub(r"override\([^)]*\)", lambda found: _renamed(found[0], names), function)
            for function in self.functions
        ]
        proxy = SolidityFile(
            self.name, f"The proxy of {self.name}{LOGIC}: it keeps the address and the data when the code is replaced."
        )
        given = ", ".join(name for _, name, _ in self.parameters)
        created = f"address(new {logic.name}()), abi.encodeCall({logic.name}.initialize, ({given}))"
        proxy.bases = [("ERC1967Proxy", created)]
        proxy.parameters = self.parameters
        return [logic, proxy]

    @property
    def used(self) -> set[str]:
        """Every name that is imported for it."""
        return self.imports | {name for name, _ in self.bases}

    def declared(self) -> str:
        """Return the contract alone, with a line end at its end."""
        lines = [f"/// @title {self.name}", *_documented("notice", self.notice)]
        if self.dev:
            lines += _documented("dev", self.dev)
        heads = f" is {', '.join(name for name, _ in self.bases)}" if self.bases else ""
        lines.append(f"contract {self.name}{heads} {{")
        blocks = [*self.members, self._constructor(), *self.functions]
        body = "\n\n".join(block.strip("\n") for block in blocks if block)
        lines += [f"    {line}".rstrip() for line in body.splitlines()]
        return "\n".join([*lines, "}", ""])

    def _constructor(self) -> str:
        if self.upgradeable:
            return self._initializer()
        calls = [f"{name}({arguments})" for name, arguments in self.bases if arguments is not None]
        lines = [f"/// @param {name} {notice}" for _, name, notice in self.parameters]
        declared = ", ".join(f"{kind} {name}" for kind, name, _ in self.parameters)
        head = " ".join([f"constructor({declared})", *calls])
        if not self.constructor_lines:
            return "\n".join([*lines, f"{head} {{}}"])
        return "\n".join([*lines, f"{head} {{", *(f"    {line}" for line in self.constructor_lines), "}"])

    def _initializer(self) -> str:
        lines = [
            "/// @dev The code alone is never set up, so that nobody owns it.",
            "/// @custom:oz-upgrades-unsafe-allow constructor",
            "constructor() {\n    _disableInitializers();\n}\n",
            "/// @notice Sets the contract up, once: the proxy's constructor does it.",
            *(f"/// @param {name} {notice}" for _, name, notice in self.parameters),
        ]
        declared = ", ".join(f"{kind} {name}" for kind, name, _ in self.parameters)
        head = f"function initialize({declared}) external initializer {{"
        return "\n".join([*lines, head, *(f"    {line}" for line in self.constructor_lines), "}"])


_STATELESS = frozenset({"IERC4906"})


def _path(name: str) -> str:
    """Return the unit of an imported name, without its ending."""
    folder = _FOLDERS.get(name)
    if folder is None:
        return f"{OPENZEPPELIN}-upgradeable/{_FOLDERS[name.removesuffix('Upgradeable')]}/{name}"
    return f"{OPENZEPPELIN}/{folder}/{name}"


def _renamed(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\w+", lambda found: names.get(found[0], found[0]), text)


def _documented(tag: str, text: str) -> list[str]:
    first, *others = text.splitlines()
    return [f"/// @{tag} {first}", *(f"///      {line}" for line in others)]


def overridden(signature: str, body: str, contracts: list[str]) -> str:
    """Return a function that several bases have, so that Solidity wants one that names them.

    Args:
        signature: With visibility and return values, such as `nonces(address owner) public view returns (uint256)`;
            `override(…)` is put before `returns`.
        body: The statement.
        contracts: The bases that have it.
    """
    head, _, returns = signature.partition(" returns ")
    tail = f" returns {returns}" if returns else ""
    return f"function {head} override({', '.join(contracts)}){tail} {{\n    {body}\n}}"


def flow(*parts: str | list[str], indent: str = "    ") -> str:
    """Return the statements of a body, a line each, indented once."""
    lines = [line for part in parts for line in ([part] if isinstance(part, str) else part)]
    return "\n".join(f"{indent}{line}" for line in lines if line)
