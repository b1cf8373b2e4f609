"""ERC-1155 collections on OpenZeppelin's ERC1155 and its extensions."""

from __future__ import annotations

from slipway.builds.composer.access_control import Access, first_holder, people
from slipway.builds.composer.blueprint import Blueprint
from slipway.builds.composer.kinds.erc721 import set_royalty, supports_interface
from slipway.builds.composer.literals import string_literal
from slipway.builds.composer.solidity_file import SolidityFile, overridden
from slipway.builds.composer.specification import Specification


def compose(spec: Specification) -> str:
    """Write the source of a collection: `constructor(address initialOwner)`."""
    access, has = Access.of(spec), spec.features
    file = SolidityFile(
        spec.contract_name,
        "An ERC-1155 collection. It counts the supply of each kind of token.",
        "Composed of OpenZeppelin's audited parts.",
    )
    file.bases = [("ERC1155", string_literal(spec.base_uri))]
    if "burnable" in has:
        file.bases.append(("ERC1155Burnable", None))
    if "pausable" in has:
        file.bases.append(("ERC1155Pausable", None))
    file.bases.append(("ERC1155Supply", None))
    if spec.royalty_basis_points is not None:
        file.bases.append(("ERC2981", None))
    file.bases += access.bases
    file.members = [
        "/// @notice The collection's name, shown by marketplaces.\n"
        f"string public constant name = {string_literal(spec.name)};",
        "/// @notice The collection's symbol, shown by marketplaces.\n"
        f"string public constant symbol = {string_literal(spec.symbol)};",
    ]
    if spec.supply:
        file.members.append(
            "/// @notice How many of token 0 exist from the start.\n"
            f"uint256 public constant INITIAL_SUPPLY = {spec.supply.numerator:_};"
        )
    access.declare(file, spec, _roles(spec), first="tokens")
    set_royalty(file, spec)
    if spec.supply:
        file.constructor_lines.append(f'_mint({first_holder(spec)}, 0, INITIAL_SUPPLY, "");')
    _functions(file, spec, access)
    return file.render()


def _roles(spec: Specification) -> dict[str, str]:
    roles = {"URI_SETTER": "say where metadata is"}
    if "mintable" in spec.features:
        roles["MINTER"] = "create tokens"
    if "pausable" in spec.features:
        roles["PAUSER"] = "pause and unpause the collection"
    return roles


def _functions(file: SolidityFile, spec: Specification, access: Access) -> None:
    file.functions.append(
        f"/// @notice Says where metadata is. {access.note('URI_SETTER')}\n"
        "/// @param uri_ The address; clients put a token's number for `{id}`.\n"
        f"function setURI(string calldata uri_) external {access.only('URI_SETTER')} {{\n    _setURI(uri_);\n}}"
    )
    if "mintable" in spec.features:
        only, who = access.only("MINTER"), access.note("MINTER")
        receiver = "/// @param to Who receives them. Not zero; a contract must accept them.\n"
        file.functions += [
            f"/// @notice Creates tokens of one kind. {who}\n{receiver}/// @param id Their kind.\n"
            "/// @param amount How many.\n/// @param data For a receiving contract.\n"
            f"function mint(address to, uint256 id, uint256 amount, bytes calldata data) external {only} {{\n"
            "    _mint(to, id, amount, data);\n}",
            f"/// @notice Creates tokens of several kinds. {who}\n{receiver}/// @param ids Their kinds.\n"
            "/// @param amounts How many of each.\n/// @param data For a receiving contract.\n"
            "function mintBatch(\n    address to,\n    uint256[] calldata ids,\n    uint256[] calldata amounts,\n"
            f"    bytes calldata data\n) external {only} {{\n    _mintBatch(to, ids, amounts, data);\n}}",
        ]
    if "pausable" in spec.features:
        file.functions += access.pausing()
    inherited = {base for base, _ in file.bases}
    updating = [base for base in ("ERC1155Pausable", "ERC1155Supply") if base in inherited]
    file.functions.append(
        "/// @dev Every transfer, minting and burning passes here.\n"
        + overridden(
            "_update(address from, address to, uint256[] memory ids, uint256[] memory values) internal",
            "super._update(from, to, ids, values);",
            ["ERC1155", *updating],
        )
    )
    speaking = [base for base in ("ERC2981", "AccessControl") if base in inherited]
    if speaking:
        file.functions.append(supports_interface(["ERC1155", *speaking]))


BLUEPRINT = Blueprint(
    title="ERC-1155 collection",
    name="Collection",
    compose=compose,
    arguments=people,
    features=frozenset({"mintable", "burnable", "pausable", "roles", "royalty", "fixed", "owner"}),
    values=frozenset({"supply", "royalty", "base_uri", "owner", "recipient", "minter", "royalty_receiver", "symbol"}),
    powers={
        "": "{uri_setter} can change where the metadata of all tokens is.",
        "mintable": "{minter} can mint more tokens of every kind.",
        "pausable": "{pauser} can stop every transfer for as long as it wants.",
        "roles": "The owner can give every role to others and take it back.",
    },
)
