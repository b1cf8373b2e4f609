"""ERC-721 collections on OpenZeppelin's ERC721 and its extensions."""

from __future__ import annotations

from slipway.builds.composer.access_control import Access
from slipway.builds.composer.literals import string_literal
from slipway.builds.composer.solidity_file import SolidityFile, overridden
from slipway.builds.composer.specification import Specification
from slipway.builds.composer.wishes import Ability, Wish

FEATURES = frozenset(
    {
        "mintable", "burnable", "pausable", "votes", "capped", "roles", "royalty", "enumerable", "uri_storage",
        "fixed", "owner",
    }
)  # fmt: skip
VALUES = frozenset({"supply", "cap", "royalty", "base_uri", "owner", "recipient", "minter", "royalty_receiver"})
WISHES: list[Wish | Ability] = []
POWERS = {
    "mintable": "{minter} can mint more tokens{up_to_cap}.",
    "pausable": "{pauser} can stop every transfer for as long as it wants.",
    "roles": "The owner can give every role to others and take it back.",
}

MAX_FIRST_SUPPLY = 100
"""How many tokens the constructor may create, so that it stays well within a block's gas."""


def compose(spec: Specification) -> str:
    """Write the source of a collection: `constructor(address initialOwner)`."""
    access, has = Access(spec.roles), spec.features
    file = SolidityFile(
        spec.contract_name,
        "An ERC-721 collection. Tokens are numbered from 0.",
        "Composed of OpenZeppelin's audited parts.",
    )
    file.bases = [("ERC721", f"{string_literal(spec.name)}, {string_literal(spec.symbol)}")]
    for feature, base in (
        ("enumerable", "ERC721Enumerable"),
        ("uri_storage", "ERC721URIStorage"),
        ("burnable", "ERC721Burnable"),
        ("pausable", "ERC721Pausable"),
    ):
        if feature in has:
            file.bases.append((base, None))
    if spec.royalty_basis_points is not None:
        file.bases.append(("ERC2981", None))
    if "votes" in has:
        file.bases += [("EIP712", f'{string_literal(spec.name)}, "1"'), ("ERC721Votes", None)]
    file.bases.append(access.base)
    _members(file, spec)
    access.declare(file, spec, _roles(spec), first="tokens")
    set_royalty(file, spec)
    _first_supply(file, spec)
    _minting(file, spec, access)
    if "pausable" in has:
        file.functions += access.pausing()
    _overrides(file, spec)
    return file.render()


def _roles(spec: Specification) -> dict[str, str]:
    rights = {"mintable": ("MINTER", "create tokens"), "pausable": ("PAUSER", "pause and unpause the collection")}
    return dict(rights[feature] for feature in rights if feature in spec.features)


def _members(file: SolidityFile, spec: Specification) -> None:
    if spec.cap is not None:
        file.members.append(
            "/// @notice How many tokens may ever be created.\n"
            f"uint256 public constant MAX_SUPPLY = {spec.cap.numerator:_};"
        )
        file.members.append("/// @notice All tokens exist already.\nerror SoldOut();")
    if spec.supply:
        file.members.append(
            "/// @notice How many tokens exist from the start.\n"
            f"uint256 public constant INITIAL_SUPPLY = {spec.supply.numerator:_};"
        )
    if "mintable" in spec.features:
        first = "INITIAL_SUPPLY" if spec.supply else ""
        file.members.append(f"uint256 private _nextTokenId{f' = {first}' if first else ''};")


def _first_supply(file: SolidityFile, spec: Specification) -> None:
    if spec.supply:
        file.constructor_lines += [
            "for (uint256 tokenId = 0; tokenId < INITIAL_SUPPLY; ++tokenId) {",
            f"    _mint({'recipient' if spec.recipient else 'initialOwner'}, tokenId);",
            "}",
        ]


def _minting(file: SolidityFile, spec: Specification, access: Access) -> None:
    if "mintable" not in spec.features:
        return
    stored = "uri_storage" in spec.features
    lines = [
        f"/// @notice Creates the next token. {access.note('MINTER')}",
        "/// @param to Who receives it. Not zero; a contract must accept it.",
        *(["/// @param uri Where the token's own metadata is, behind the base."] if stored else []),
        "/// @return tokenId Its number.",
        f"function safeMint(address to{', string calldata uri' if stored else ''}) external {access.only('MINTER')} "
        "returns (uint256 tokenId) {",
        "    tokenId = _nextTokenId++;",
        *(["    if (tokenId >= MAX_SUPPLY) revert SoldOut();"] if spec.cap is not None else []),
        *(["    _setTokenURI(tokenId, uri);"] if stored else []),
        "    _safeMint(to, tokenId);",
        "}",
    ]
    file.functions.append("\n".join(lines))


def _overrides(file: SolidityFile, spec: Specification) -> None:
    inherited = {base for base, _ in file.bases}
    if spec.base_uri:
        file.functions.append(
            "/// @dev What stands before each token's number in the address of its metadata.\n"
            f"function _baseURI() internal pure override returns (string memory) {{\n"
            f"    return {string_literal(spec.base_uri)};\n}}"
        )
    updating = [base for base in ("ERC721Enumerable", "ERC721Pausable", "ERC721Votes") if base in inherited]
    if updating:
        file.functions.append(
            "/// @dev Every transfer, minting and burning passes here.\n"
            + overridden(
                "_update(address to, uint256 tokenId, address auth) internal returns (address)",
                "return super._update(to, tokenId, auth);",
                ["ERC721", *updating],
            )
        )
    counting = [base for base in ("ERC721Enumerable", "ERC721Votes") if base in inherited]
    if counting:
        file.functions.append(
            "/// @dev Counts what an account receives at once.\n"
            + overridden(
                "_increaseBalance(address account, uint128 value) internal",
                "super._increaseBalance(account, value);",
                ["ERC721", *counting],
            )
        )
    if "ERC721URIStorage" in inherited:
        file.functions.append(
            "/// @notice Where a token's metadata is.\n/// @param tokenId The token.\n/// @return The address.\n"
            + overridden(
                "tokenURI(uint256 tokenId) public view returns (string memory)",
                "return super.tokenURI(tokenId);",
                ["ERC721", "ERC721URIStorage"],
            )
        )
    speaking = [
        base for base in ("ERC721Enumerable", "ERC721URIStorage", "ERC2981", "AccessControl") if base in inherited
    ]
    if speaking:
        file.functions.append(supports_interface(["ERC721", *speaking]))


def set_royalty(file: SolidityFile, spec: Specification) -> None:
    """Set the royalty in the constructor, where there is one."""
    if spec.royalty_receiver:
        file.parameters.append(("address", "royaltyReceiver", "Who receives royalties. Not zero."))
    if spec.royalty_basis_points is not None:
        receiver = "royaltyReceiver" if spec.royalty_receiver else "initialOwner"
        file.constructor_lines.append(f"_setDefaultRoyalty({receiver}, {spec.royalty_basis_points});")


def supports_interface(bases: list[str]) -> str:
    """Return ERC-165's function for a contract whose bases each know some interfaces."""
    return (
        "/// @notice Whether the contract has an interface, as ERC-165 defines it.\n"
        "/// @param interfaceId The interface.\n/// @return Whether it has it.\n"
        + overridden(
            "supportsInterface(bytes4 interfaceId) public view returns (bool)",
            "return super.supportsInterface(interfaceId);",
            bases,
        )
    )
