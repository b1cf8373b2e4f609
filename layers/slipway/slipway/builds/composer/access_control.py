"""Who may do what in a token: its owner, or the holders of roles."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.builds.composer.blueprint import address_argument, addresses_argument
from slipway.builds.composer.solidity_file import SolidityFile
from slipway.builds.composer.specification import Specification
from slipway.builds.models import ConstructorArgument


@dataclass(frozen=True, slots=True)
class Access:
    """Rules of access of one contract: `roles`, the owner alone, or nobody where it is `ownerless`."""

    roles: bool
    ownerless: bool = False

    @classmethod
    def of(cls, spec: Specification) -> Access:
        """Return a specification's rules."""
        return cls(spec.roles, "ownerless" in spec.features)

    @property
    def bases(self) -> list[tuple[str, str | None]]:
        """What the contract inherits for it."""
        if self.ownerless:
            return []
        return [("AccessControl", None) if self.roles else ("Ownable", "initialOwner")]

    def only(self, role: str) -> str:
        """Return the modifier for a role, such as `MINTER`; `DEFAULT_ADMIN` is the owner's."""
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
        elif not self.ownerless:
            file.parameters.append(("address", "initialOwner", "Who owns the contract. Not zero."))
        if spec.supply and (spec.recipient or self.ownerless):
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


def make_upgradeable(file: SolidityFile, spec: Specification, access: Access) -> None:
    """Let the code be replaced by UUPS, where that is asked for."""
    if "upgradeable" in spec.features:
        file.upgradeable = True
        file.functions.append(
            f"/// @dev Who may replace the code. {access.note('UPGRADER')}\n"
            f"function _authorizeUpgrade(address) internal override {access.only('UPGRADER')} {{}}"
        )


def first_holder(spec: Specification) -> str:
    """Return the constructor's parameter for who holds the first supply."""
    return "recipient" if spec.recipient or "ownerless" in spec.features else "initialOwner"


def people(spec: Specification) -> list[ConstructorArgument]:
    """Return the constructor's arguments of a token, as `Access.declare` and its module declare them."""
    named: list[tuple[str, str | None]] = [
        ("initialOwner", None if "ownerless" in spec.features else spec.owner),
        ("recipient", (spec.recipient or spec.owner) if spec.supply and first_holder(spec) == "recipient" else None),
        ("minter", spec.minter),
        ("royaltyReceiver", royalty_receiver(spec)),
        ("taxReceiver", spec.values.get("tax_receiver") if "tax" in spec.features else None),
    ]
    listed = spec.values.get("airdrop", ())
    arguments = [address_argument(name, value) for name, value in named if value]
    return arguments + ([addresses_argument("airdropped", listed)] if listed else [])


def royalty_receiver(spec: Specification) -> str | None:
    """Return who receives royalties, where that is not the owner of the contract."""
    if spec.royalty_basis_points is None or "ownerless" not in spec.features:
        return spec.royalty_receiver
    return spec.royalty_receiver or spec.owner
