"""Who may do what in a token: its owner, or the holders of roles."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification


@dataclass(frozen=True, slots=True)
class Access:
    """Rules of access of one contract: `roles` or the owner alone."""

    roles: bool

    @property
    def base(self) -> tuple[str, str | None]:
        """What the contract inherits for it."""
        return ("AccessControl", None) if self.roles else ("Ownable", "initialOwner")

    def only(self, role: str) -> str:
        """Return the modifier for a role, such as `MINTER`."""
        return f"onlyRole({role}_ROLE)" if self.roles else "onlyOwner"

    def note(self, role: str) -> str:
        """Return the sentence of the documentation about who may."""
        return f"Only holders of `{role}_ROLE` may." if self.roles else "Only the owner may."

    def declare(self, file: SolidityFile, spec: Specification, roles: dict[str, str], first: str) -> None:
        """Add the constructor's parameters for people: the first owner, and those that the prompt names.

        With roles, their constants and grants are added too: the owner holds each at first, but for a minter's.

        Args:
            file: What is written.
            spec: Names who holds the first supply and who mints, where these are not the owner.
            roles: What each may.
            first: What exists at first, such as `tokens`.
        """
        if self.roles:
            self._declare_roles(file, roles, {"MINTER": "minter"} if spec.minter else {})
        else:
            file.parameters.append(("address", "initialOwner", "Who owns the contract. Not zero."))
        if spec.recipient:
            file.parameters.append(("address", "recipient", f"Who holds the first {first}. Not zero."))
        if spec.minter:
            file.parameters.append(("address", "minter", "Who alone may create tokens at first."))

    @staticmethod
    def _declare_roles(file: SolidityFile, roles: dict[str, str], holders: dict[str, str]) -> None:
        file.parameters.append(
            ("address", "initialOwner", "Who holds every role and may grant them to others. Not zero.")
        )
        file.members += [
            f"/// @notice Holders of this role may {right}.\n"
            f'bytes32 public constant {role}_ROLE = keccak256("{role}_ROLE");'
            for role, right in roles.items()
        ]
        file.members.append("/// @notice The first owner may not be the zero address.\nerror ZeroOwner();")
        file.constructor_lines += [
            "if (initialOwner == address(0)) revert ZeroOwner();",
            "_grantRole(DEFAULT_ADMIN_ROLE, initialOwner);",
            *(f"_grantRole({role}_ROLE, {holders.get(role, 'initialOwner')});" for role in roles),
        ]

    def pausing(self) -> list[str]:
        """Return the two functions of a contract that can be paused."""
        return [
            f"/// @notice Stops every transfer, minting and burning. {self.note('PAUSER')}\n"
            f"function pause() external {self.only('PAUSER')} {{\n    _pause();\n}}",
            f"/// @notice Lets everything go on. {self.note('PAUSER')}\n"
            f"function unpause() external {self.only('PAUSER')} {{\n    _unpause();\n}}",
        ]
