"""ERC-20 tokens on OpenZeppelin's ERC20 and its extensions."""

from __future__ import annotations

from slipway.builds.composer.access_control import Access
from slipway.builds.composer.literals import string_literal, units_literal
from slipway.builds.composer.solidity_file import SolidityFile, overridden
from slipway.builds.composer.specification import Specification
from slipway.builds.composer.wishes import Ability, Wish

FEATURES = frozenset({"mintable", "burnable", "pausable", "permit", "votes", "capped", "roles", "fixed", "owner"})
VALUES = frozenset({"supply", "cap", "decimals", "owner", "recipient", "minter"})
WISHES: list[Wish | Ability] = []
POWERS = {
    "mintable": "{minter} can mint more tokens{up_to_cap}, which dilutes holders.",
    "pausable": "{pauser} can stop every transfer for as long as it wants.",
    "roles": "The owner can give every role to others and take it back.",
}


def compose(spec: Specification) -> str:
    """Write the source of a token: `constructor(address initialOwner)`."""
    access, has = Access(spec.roles), spec.features
    file = SolidityFile(
        spec.contract_name,
        "An ERC-20 token. Its first owner holds the first supply.",
        "Composed of OpenZeppelin's audited parts; amounts are in base units.",
    )
    name = string_literal(spec.name)
    file.bases = [("ERC20", f"{name}, {string_literal(spec.symbol)}")]
    if "burnable" in has:
        file.bases.append(("ERC20Burnable", None))
    if spec.cap is not None:
        file.bases.append(("ERC20Capped", "MAX_SUPPLY"))
    if "pausable" in has:
        file.bases.append(("ERC20Pausable", None))
    if "permit" in has:
        file.bases.append(("ERC20Permit", name))
    if "votes" in has:
        file.bases.append(("ERC20Votes", None))
    file.bases.append(access.base)
    _amounts(file, spec)
    access.declare(file, spec, _roles(spec), first="supply")
    if spec.supply:
        file.constructor_lines.append(f"_mint({'recipient' if spec.recipient else 'initialOwner'}, INITIAL_SUPPLY);")
    _functions(file, spec, access)
    return file.render()


def _roles(spec: Specification) -> dict[str, str]:
    rights = {"mintable": ("MINTER", "create tokens"), "pausable": ("PAUSER", "pause and unpause the token")}
    return dict(rights[feature] for feature in rights if feature in spec.features)


def _amounts(file: SolidityFile, spec: Specification) -> None:
    if spec.supply:
        file.members.append(
            "/// @notice What exists from the start, in base units.\n"
            f"uint256 public constant INITIAL_SUPPLY = {units_literal(spec.supply, spec.decimals)};"
        )
    if spec.cap is not None:
        file.members.append(
            "/// @notice How much may ever exist at a time, in base units.\n"
            f"uint256 public constant MAX_SUPPLY = {units_literal(spec.cap, spec.decimals)};"
        )


def _functions(file: SolidityFile, spec: Specification, access: Access) -> None:
    if spec.decimals != 18:
        file.functions.append(
            "/// @notice How many digits of an amount are after the point.\n/// @return The digits.\n"
            f"function decimals() public pure override returns (uint8) {{\n    return {spec.decimals};\n}}"
        )
    if "mintable" in spec.features:
        file.functions.append(
            f"/// @notice Creates tokens. {access.note('MINTER')}\n/// @param to Who receives them. Not zero.\n"
            "/// @param amount How many, in base units.\n"
            f"function mint(address to, uint256 amount) external {access.only('MINTER')} {{\n    _mint(to, amount);\n}}"
        )
    if "pausable" in spec.features:
        file.functions += access.pausing()
    inherited = {base for base, _ in file.bases}
    updating = [base for base in ("ERC20Capped", "ERC20Pausable", "ERC20Votes") if base in inherited]
    if len(updating) > 0:
        file.functions.append(
            "/// @dev Every transfer, minting and burning passes here.\n"
            + overridden(
                "_update(address from, address to, uint256 value) internal",
                "super._update(from, to, value);",
                ["ERC20", *updating],
            )
        )
    if "votes" in spec.features:
        file.imports.add("Nonces")
        file.functions.append(
            "/// @notice The nonce that an owner's next permit or delegation is to be signed with.\n"
            "/// @param owner_ Who signs.\n/// @return The nonce.\n"
            + overridden(
                "nonces(address owner_) public view returns (uint256)",
                "return super.nonces(owner_);",
                ["ERC20Permit", "Nonces"],
            )
        )
