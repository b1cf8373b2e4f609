"""ERC-721 collections on OpenZeppelin's ERC721 and its extensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slipway.builds.composer.access_control import Access, first_holder, make_upgradeable, people, royalty_receiver
from slipway.builds.composer.blueprint import Blueprint, DraftView, Parameter, refuse_clashes
from slipway.builds.composer.literals import string_literal
from slipway.builds.composer.phrases import DOCUMENT, WITHOUT, PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile, flow, overridden
from slipway.builds.composer.specification import Specification

_ISSUER = (
    r"(?:issuer|university|school|company|team|organi[sz]ation|club|academy|dao|institute|employer|college|organi[sz]er|issuing"
    r" institution|foundation)"
)
_FOR = (
    r"(?:students?|members?|graduates?|employees?|attendees?|alumni|courses?|events?|participants?|volunteers?"
    r"|staff|users?|holder)"
)
_ANY = r"(?:(?:anyone|people|users?|public|fans|buyers?|minters?|collectors?) )"
_MINTS = r"(?:mint|claim|buy|purchase)(?: (?:it|them|their|own|nft|token|one|<kind>|<symbol>|<name>))*"
_PRICED = (
    r"(?: (?:for|at)(?: price of)? <eth:price>(?: (?:each|per (?:nft|token|mint|one|piece|<kind>|<symbol>|<name>)))?)?"
)
_COUNTED = r"<n:max_per_wallet>(?: (?:nft|token|mint|mints|item|piece|<kind>|<symbol>|<name>))?"
_PER = (
    r"(?:per|each|for each|for every|by each|a|for) (?:wallet|address|account|user|person|minter|buyer|holder"
    r"|customer|collector)"
)
_EACH = r"(?: (?:each|apiece|per (?:wallet|address|account|user|person|head)))?"
_STAGE = r"(?:sale|mint|minting|phase|stage|round|access)"
_PUBLIC = rf"(?:public|open|general)(?: {_STAGE})+"
_OPEN = rf"(?:(?:public|anyone|everyone)(?: {_STAGE})*|open to (?:anyone|public|all))"
_ALLOW = (
    r"(?:allowlist|presale|allowlisted|early access|private sale|merkle allowlist|og)(?: (?:sale|mint|minting"
    r"|phase|stage|round|access|merkle))*"
)

PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        "public_mint",
        said=(
            rf"{_PUBLIC}(?: (?:by anyone|for anyone|for all))?{_PRICED}",
            r"(?:public|open) (?:mint|minting|sale)(?: (?:function|enabled|allowed))?",
            rf"(?:paid|payable) (?:public )?mint(?:ing)?{_PRICED}",
            rf"{_ANY}(?:can|is able to|are able to|is allowed to|are allowed to) {_MINTS}{_PRICED}",
            rf"{_ANY}(?:can|is able to|is allowed to) (?:mint|claim|buy|purchase)(?: (?:up to|at most|max|max of"
            rf"|only|no more than))* {_COUNTED}"
            rf"{_EACH}{_PRICED}",
            rf"(?:mintable|minted|minting)(?: (?:is|open))? (?:by|for|to) (?:anyone|public|all|users?|people){_PRICED}",
            rf"let (?:people|users?|anyone|public|fans|collectors?) {_MINTS}{_PRICED}",
            rf"(?:each|every) (?:user|wallet|person|address|account|anyone) can {_MINTS}{_PRICED}",
            rf"(?:each|every) (?:user|wallet|person|address|account) can (?:mint|claim|buy)(?: (?:up to|at most|max"
            rf"|max of|only))* {_COUNTED}"
            rf"{_PRICED}",
            r"(?:mint|minting|sale|mint price|public mint) (?:is |are )?open to (?:anyone|public|all|everyone)",
        ),
        denied=(rf"{WITHOUT} (?:public|open) (?:mint(?:ing)?|sale)",),
    ),
    PhraseSet(None, said=(r"<kind> (?:drop|project|series|set|launch)", r"drop", r"for <kind>")),
    PhraseSet("public_mint", said=(r"open editions?",)),
    PhraseSet("public_mint", weak=(r"(?:for )?free(?: of charge)?|at no cost",), sets=(("price", 0),)),
    PhraseSet(
        "public_mint",
        said=(
            r"(?:free|gas only) (?:public )?(?:mint(?:ing)?|claim)",
            r"(?:mint(?:ing)?|claim)(?:ing)? (?:is |are )?(?:free|at no cost)(?: of charge)?",
        ),
        sets=(("price", 0),),
    ),
    PhraseSet(
        "public_mint",
        said=(rf"{_ANY}(?:can|is allowed to) (?:mint|claim) (?:it |them |one )?(?:for free|free of charge)",),
        sets=(("price", 0),),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:(?:public|mint|minting|sale|sales|nft|token|unit) )*(?:price|cost|fee|costs|priced)(?: (?:is|of"
            r"|at|:|to|be|each|in|per|nft|token"
            r"|should be|set to|<kind>))* <eth:price>(?: (?:each|apiece|per (?:nft|token|mint|piece|item|one"
            r"|<kind>|<symbol>|<name>)))*",
            r"<eth:price> (?:mint price|mint|price|per mint|mint cost|mint fee|each|apiece|(?:per|for each|for every|an"
            r"|a) (?:nft|token|piece|item|mint|one"
            r"|<kind>|<symbol>|<name>))(?: mint)?(?: price)?",
            r"(?:mint|minting|mints|sold|sells|sell|buy|public mint|minted|public sale)(?: (?:is|are|for|at|costs?"
            r"|one|them|it|each|nft|priced))* <eth:price>"
            r"(?: (?:each|apiece|per (?:nft|token|mint|piece|one|<kind>)))*",
        ),
    ),
    PhraseSet(
        None,
        said=(
            rf"(?:(?:max|up to|at most|no more than|limit|limited to|only|mint limit|of)"
            rf" )+{_COUNTED} {_PER}",
            rf"{_COUNTED}(?: (?:max|limit|maximum|at most|mint max))* {_PER}(?: (?:max|limit))?",
            rf"(?:(?:max|mint|minting) )*(?:limit|max)(?: (?:of|is|:))* {_COUNTED} {_PER}",
            rf"(?:(?:per|each|max|mint|one) )*(?:wallet|address|account|user)(?: (?:mint|minting))? (?:limit|max"
            rf"|cap)(?: (?:of|is|:|at|to))* {_COUNTED}",
            rf"(?:max|mint limit|limit) per (?:wallet|address|user|account|person)(?: (?:is|of|:))* {_COUNTED}",
            rf"(?:no|nobody)(?: (?:wallet|user|address|person))? can mint more than {_COUNTED}",
            rf"(?:each|every|any|one|single) (?:wallet|user|address|person|account|minter|buyer|collector)"
            rf" (?:(?:can|may|is|limited|mints?|mint"
            rf"|buy|claim|to|only|up to|at most|max|no more than) )+{_COUNTED}",
            rf"{_ANY}can (?:only )?mint (?:(?:up to|at most|max|max of|no more than|only) )*{_COUNTED}{_EACH}",
        ),
    ),
    PhraseSet(
        "allowlist",
        said=(
            rf"{_ALLOW}(?: first)?{_PRICED}(?: (?:and then|then|and|,|followed by|before|,? and later|, then"
            rf"|later)(?: (?:open to|for|to|by))? {_OPEN})?",
            rf"{_ALLOW} (?:(?:comes|goes|is|starts|opens) )?(?:first|before public)(?: (?:, then|then|and then|,"
            rf" and then) {_OPEN})?",
            rf"{_ALLOW}(?: (?:for|of|with))*(?: early)?(?: (?:supporters|members|buyers|minters|holder|users?))*(?:"
            rf" (?:by|via|with|using|based on))*(?: (?:merkle|proof|proofs|root|tree))*",
            rf"first {_ALLOW}(?: (?:, then|then|and then|, and then|and) {_OPEN})?",
            rf"(?:(?:two|separate|different|sale|mint|minting) )*phase(?: (?::|of|for|with))* {_ALLOW} (?:and|then"
            rf"|and then|, then|,|/) {_OPEN}",
            rf"{_ALLOW} for allowlisted (?:wallet|user|address|member|people)(?: (?:, then|then|and then|, and then"
            rf"|first) {_OPEN})?",
            r"merkle (?:tree|proof|root)(?: allowlist)?",
            rf"{_ALLOW} (?:can|may) mint (?:first|early|before (?:public|anyone))",
        ),
        denied=(rf"{WITHOUT}(?: any)? allowlist(?: (?:phase|sale|mint))?",),
    ),
    PhraseSet(
        "phases",
        said=(
            r"(?:(?:sale|mint|minting|multiple|several|different|two) )*phase",
            r"(?:owner|i|we) can (?:open|start|close|stop)(?: and (?:close|stop))?(?: (?:public))? (?:mint|minting"
            r"|sale)",
        ),
    ),
    PhraseSet(
        "reveal",
        said=(
            r"(?:(?:delayed|later|metadata|art|image) )*reveal(?:ed|s)?(?: (?:later|afterwards|after (?:mint|sale"
            r"|sellout|sell out|minting|launch)|at (?:later|end)|date|mechanism"
            r"|function|by owner|of metadata|metadata|on|by me|when (?:sold out|i decide|i want)))*",
            r"(?:(?:metadata|art|image|images|artwork) )?(?:(?:is|are|will be|be|gets?|should be) )+(?:revealed"
            r"|hidden)(?: (?:later|afterwards|after (?:mint|sale|sellout"
            r"|minting)|by owner|until reveal))*",
            r"hidden (?:metadata|art|image|artwork)?(?: (?:before|until) reveal)?",
            r"(?:un|pre ?)reveal(?:ed)? (?:metadata|placeholder|image|uri)",
        ),
        denied=(r"(?:no|without) reveal",),
    ),
    PhraseSet(
        "reveal",
        said=(
            r"(?:placeholder|unrevealed|hidden|pre ?reveal)(?: (?:uri|metadata|image|is|at|:))* <uri:placeholder>",
            r"<uri:placeholder> (?:before|until) reveal",
        ),
    ),
    PhraseSet(
        "withdrawal",
        said=(
            r"(?:only )?(?:owner|i|we|creator|team) can withdraw(?: (?:all|eth|ether|fund|funds|proceed|proceeds"
            r"|money|balance|revenue|earnings|from|contract|it))*",
            r"(?:with )?(?:owner )?withdraw(?:al|als)?(?: (?:function|by owner|for owner|to owner|of (?:fund|funds"
            r"|proceeds|eth|ether)|eth|fund|funds|proceeds|balance|to me))*",
            r"(?:proceeds|fund|funds|money|revenue|eth|payment)(?: (?:go|goes|are|is|sent|withdrawn|paid|can be))*"
            r" (?:to|by) (?:owner|me|us|my wallet)",
        ),
    ),
    PhraseSet(
        "revocable",
        said=(
            rf"(?:revocable|revokable)(?: by (?:owner|us|me|admin|(?:(?:our|my) )?{_ISSUER}))?",
            rf"(?:owner|i|we|admin|(?:(?:our|my) )?{_ISSUER}) can (?:revoke|cancel)(?: (?:it|them|any|token|nft"
            r"|badge|certificate))*",
            r"(?:can|to) be revoked(?: (?:by (?:owner|us|me|issuer|university|school)|later|at any time))*",
            r"revocation(?: by (?:owner|issuer|us))?|revoke function|revoking",
        ),
        denied=(
            r"(?:not|non|never) (?:revocable|revokable|revoked)",
            r"irrevocable",
            r"(?:can|must) (?:not|never) be revoked",
        ),
    ),
    PhraseSet(
        None,
        said=(
            rf"(?:(?:for|as|of|representing|that represent) )?(?:(?:course|student|university|school|attendance"
            rf"|completion|training|achievement|loyalty|digital|event|membership"
            rf"|employee|my|our|graduation|alumni|club|workshop|conference|academy) )*{DOCUMENT}(?: (?:of"
            rf" (?:attendance|completion|achievement)|for (?:(?:my|our) )?{_FOR}"
            rf"|of (?:my|our) {_ISSUER}))*",
            rf"(?:for|to) (?:(?:my|our) )?{_FOR}(?: of (?:(?:my|our) )?{_ISSUER})?",
            r"(?:<kind> )?(?:for|of|as proof of|proof of) (?:(?:course|event|conference|workshop|training)"
            r" )?(?:attendance"
            r"|completion|participation|achievements?|membership)",
        ),
    ),
    PhraseSet(
        "mintable",
        said=(
            rf"(?:issued|minted|given|awarded|handed out|granted)(?: only)? by (?:only )?(?:owner|us|me|admin"
            rf"|(?:(?:our|my) )?{_ISSUER})(?: only)?",
            rf"(?:only )?(?:owner|i|we|admin|(?:(?:our|my) )?{_ISSUER}) (?:can )?(?:issues?|mints?|awards?|grants?"
            rf"|gives? out|hands? out)(?: (?:it|them|badge|certificate|token|nft"
            r"|to (?:students?|members?|users?|graduates?)))*",
        ),
    ),
    PhraseSet(
        "uri_storage",
        said=(
            r"(?:each|every|all)(?: (?:token|nft|one|badge|certificate|<kind>|<name>))?(?: (?:(?:can|should|must)"
            r" )?(?:has|have|with|gets?|having|comes with))?(?: (?:its|their))?"
            r"(?: own| individual| separate| unique| different)? (?:metadata(?: (?:link|uri|file|address))?|uri"
            r"|link|token ?uri)",
            r"(?:individual|own|separate|unique|custom|per token|per nft) (?:metadata|uri|link|token ?uri)(?:"
            r" (?:link|uri))?(?: (?:per|for each|for every|of each"
            r"|each|for all)(?: (?:token|nft|one|badge|certificate|<kind>))?)?",
            r"(?:metadata|uri|link|metadata (?:link|uri)) (?:per|for each|for every|of each)(?: (?:token|nft|one"
            r"|badge|certificate|<kind>))?",
            r"token ?uri (?:set )?(?:per|at|on|for each) (?:mint|minting|token|nft)",
        ),
    ),
)

PARAMETERS = (
    Parameter("price", "coins", 0, "Minting is free.", feature="public_mint", least=0),
    Parameter(
        "max_per_wallet", "count", assumed="A wallet may mint as many as it likes.", feature="public_mint", most=10_000
    ),
    Parameter("placeholder", "text", assumed="Until the reveal tokens have no metadata.", feature="reveal"),
)


_CLASHES = (
    ("votes", "soulbound", "Votes of tokens that can't be transferred are not composed."),
    ("uri_storage", "reveal", "Tokens have metadata of their own from the start, or are revealed."),
    ("public_mint", "uri_storage", "Whoever mints would choose the metadata."),
)


def _settle(spec: Specification, draft: DraftView) -> Specification:
    """Refuse what can't be together, and complete what follows from each other."""
    features, words, price = set(spec.features), draft.parsed.words, spec.values.get("price")
    refuse_clashes(spec, draft, _CLASHES)
    if features & {"allowlist", "phases"}:
        features |= {"public_mint", "phases"}
        first = "the allowlist phase and then the public one" if "allowlist" in features else "and closes minting"
        draft.assumed += [
            f"The owner opens {first}.",
            *([] if "public_mint" in spec.features else ["Minting is free."]),
        ]
    elif "public_mint" in features:
        priced = draft.options.price is not None or "price" in draft.parsed.values
        if not (priced or "public_mint" in draft.parsed.features) and "max_per_wallet" in words:
            draft.parsed.refuse(words["max_per_wallet"], "The prompt does not say who mints, and at what price.")
        draft.assumed.append("Minting is open to everyone from the start.")
    if "withdrawal" in features and not price:
        draft.parsed.refuse(words["withdrawal"], "Nothing is paid that could be withdrawn.")
    if "revocable" in features and "soulbound" not in features:
        draft.parsed.refuse(words["revocable"], "Tokens that can be transferred can't be revoked.")
        features.discard("revocable")
    if price and "ownerless" in features:
        draft.parsed.refuse(words["ownerless"], "Nobody could withdraw what minters pay.")
    return replace(spec, features=frozenset(features))


MAX_FIRST_SUPPLY = 100
"""How many tokens the constructor may create, so that it stays well within a block's gas."""


def compose(spec: Specification) -> str:
    """Write the source of a collection: `constructor(address initialOwner)`."""
    access, has = Access.of(spec), spec.features
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
    file.bases += access.bases
    _members(file, spec)
    access.declare(file, spec, _roles(spec), first="tokens")
    set_royalty(file, spec)
    _first_supply(file, spec)
    _minting(file, spec, access)
    _public_mint(file, spec, access)
    _soulbound(file, spec, access)
    _reveal(file, spec, access)
    if "pausable" in has:
        file.functions += access.pausing()
    _overrides(file, spec)
    make_upgradeable(file, spec, access)
    return file.render()


def _roles(spec: Specification) -> dict[str, str]:
    rights = {"mintable": ("MINTER", "create tokens"), "pausable": ("PAUSER", "pause and unpause the collection")}
    rights |= {"phases": ("SELLER", "open and close minting"), "reveal": ("SELLER", "reveal the metadata")}
    rights |= {"upgradeable": ("UPGRADER", "replace the code")}
    rights |= {"revocable": ("MINTER", "create and revoke tokens")}
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
    if spec.features & {"mintable", "public_mint"}:
        file.members.append("uint256 private _nextTokenId;")
        if spec.supply:
            file.constructor_lines.append("_nextTokenId = INITIAL_SUPPLY;")


def _first_supply(file: SolidityFile, spec: Specification) -> None:
    if spec.supply:
        file.constructor_lines += [
            "for (uint256 tokenId = 0; tokenId < INITIAL_SUPPLY; ++tokenId) {",
            f"    _mint({first_holder(spec)}, tokenId);",
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
        *(["    emit Locked(tokenId);"] if "soulbound" in spec.features else []),
        "    _safeMint(to, tokenId);",
        "}",
    ]
    file.functions.append("\n".join(lines))


def _public_mint(file: SolidityFile, spec: Specification, access: Access) -> None:
    """Add minting by everyone: at a price, so many a wallet, in phases that the owner opens."""
    has, price, most = spec.features, spec.values.get("price", 0), spec.values.get("max_per_wallet")
    if "public_mint" not in has:
        return
    file.members.append("/// @notice One token at least is minted at a time.\nerror ZeroQuantity();")
    if price:
        file.members += [
            f"/// @notice What one token costs, in wei.\nuint256 public constant PRICE = {price:_};",
            "/// @notice The payment is not the price of so many tokens.\nerror WrongPayment();",
        ]
    if most:
        file.members += [
            f"/// @notice How many tokens an account may mint.\nuint256 public constant MAX_PER_WALLET = {most:_};",
            "/// @notice How many tokens an account minted.\nmapping(address account => uint256) public minted;",
            "/// @notice The account would mint more than it may.\nerror WalletLimit();",
        ]
    if "phases" in has:
        _phases(file, spec, access)
    payable = " payable" if price else ""
    begin = ["if (phase != Phase.Public) revert MintingClosed();"] if "phases" in has else []
    file.functions.append(
        "/// @notice Mints tokens for the caller.\n/// @param quantity How many.\n"
        + "\n".join([f"function mint(uint256 quantity) external{payable} {{", flow(begin, "_purchase(quantity);"), "}"])
    )
    body = flow(
        "if (quantity == 0) revert ZeroQuantity();",
        "if (msg.value != PRICE * quantity) revert WrongPayment();" if price else "",
        ["minted[msg.sender] += quantity;", "if (minted[msg.sender] > MAX_PER_WALLET) revert WalletLimit();"]
        if most
        else [],
        "uint256 first = _nextTokenId;",
        "_nextTokenId = first + quantity;",
        "if (first + quantity > MAX_SUPPLY) revert SoldOut();" if spec.cap is not None else "",
        "for (uint256 tokenId = first; tokenId < first + quantity; ++tokenId) {",
        *(["    emit Locked(tokenId);"] if "soulbound" in has else []),
        "    _mint(msg.sender, tokenId);",
        "}",
    )
    file.functions.append(f"function _purchase(uint256 quantity) private {{\n{body}\n}}")
    if price:
        file.imports.add("Address")
        file.functions.append(
            f"/// @notice Sends what minters paid to the caller. {access.note('DEFAULT_ADMIN')}\n"
            f"function withdraw() external {access.only('DEFAULT_ADMIN')} {{\n"
            "    Address.sendValue(payable(msg.sender), address(this).balance);\n}"
        )


def _phases(file: SolidityFile, spec: Specification, access: Access) -> None:
    listed = "allowlist" in spec.features
    only, note = access.only("SELLER"), access.note("SELLER")
    file.members += [
        "/// @notice Who may mint at a time.\nenum Phase {\n    Closed,"
        + ("\n    Allowlist," if listed else "")
        + "\n    Public\n}",
        "/// @notice Who may mint now.\nPhase public phase;",
        "/// @notice Another phase has begun.\n/// @param phase The phase.\nevent PhaseChanged(Phase phase);",
        "/// @notice The phase does not let the caller mint.\nerror MintingClosed();",
    ]
    file.functions += [
        f"/// @notice Lets everyone mint. {note}\nfunction openPublic() external {only} {{\n"
        "    phase = Phase.Public;\n    emit PhaseChanged(Phase.Public);\n}",
        f"/// @notice Lets nobody mint. {note}\nfunction closeMinting() external {only} {{\n"
        "    phase = Phase.Closed;\n    emit PhaseChanged(Phase.Closed);\n}",
    ]
    if not listed:
        return
    file.imports.add("MerkleProof")
    file.members += [
        "/// @notice Root of the Merkle tree of the accounts that may mint in the allowlist phase.\nbytes32"
        " public allowlistRoot;",
        "/// @notice The caller is not on the allowlist.\nerror NotAllowlisted();",
    ]
    payable = " payable" if spec.values.get("price") else ""
    file.functions += [
        f"/// @notice Lets the accounts of an allowlist mint. {note}\n"
        "/// @dev A leaf is `keccak256(bytes.concat(keccak256(abi.encode(account))))`, as OpenZeppelin's"
        " merkle-tree has it.\n"
        f"/// @param root Root of the tree.\nfunction openAllowlist(bytes32 root) external {only} {{\n"
        "    allowlistRoot = root;\n    phase = Phase.Allowlist;\n    emit PhaseChanged(Phase.Allowlist);\n}",
        "/// @notice Mints tokens for the caller, who is on the allowlist.\n/// @param quantity How many.\n"
        "/// @param proof The proof of the caller's leaf.\n"
        f"function mintAllowlisted(uint256 quantity, bytes32[] calldata proof) external{payable} {{\n"
        "    if (phase != Phase.Allowlist) revert MintingClosed();\n"
        "    bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(msg.sender))));\n"
        "    if (!MerkleProof.verifyCalldata(proof, allowlistRoot, leaf)) revert NotAllowlisted();\n"
        "    _purchase(quantity);\n}",
    ]


def _soulbound(file: SolidityFile, spec: Specification, access: Access) -> None:
    if "soulbound" not in spec.features:
        return
    file.members += [
        "/// @notice A token is bound to its holder (ERC-5192).\n/// @param tokenId The token.\nevent"
        " Locked(uint256 tokenId);",
        "/// @notice Tokens stay with whom they were created for.\nerror NotTransferable();",
    ]
    file.functions.append(
        "/// @notice Whether a token is bound to its holder (ERC-5192): each is.\n/// @param tokenId The token.\n"
        "/// @return True.\nfunction locked(uint256 tokenId) external view returns (bool) {\n"
        "    _requireOwned(tokenId);\n    return true;\n}"
    )
    if "revocable" in spec.features:
        file.functions.append(
            f"/// @notice Takes a token back from its holder and destroys it. {access.note('MINTER')}\n"
            f"/// @param tokenId The token.\nfunction revoke(uint256 tokenId) external {access.only('MINTER')} {{\n"
            "    _requireOwned(tokenId);\n    _burn(tokenId);\n}"
        )


def _reveal(file: SolidityFile, spec: Specification, access: Access) -> None:
    if "reveal" not in spec.features:
        return
    file.imports.add("IERC4906")
    file.bases.insert(1, ("IERC4906", None))
    file.members += [
        "/// @notice Whether the metadata is revealed.\nbool public revealed;",
        "string private _revealedURI;",
        "/// @notice The metadata is revealed already.\nerror AlreadyRevealed();",
    ]
    file.functions += [
        f"/// @notice Reveals where the metadata is, once. {access.note('SELLER')}\n"
        "/// @param baseURI What stands before each token's number.\n"
        f"function reveal(string calldata baseURI) external {access.only('SELLER')} {{\n"
        "    if (revealed) revert AlreadyRevealed();\n    revealed = true;\n    _revealedURI = baseURI;\n"
        "    emit BatchMetadataUpdate(0, type(uint256).max);\n}",
        "/// @dev What stands before each token's number in the address of its metadata, once revealed.\n"
        "function _baseURI() internal view override returns (string memory) {\n    return _revealedURI;\n}",
        "/// @notice Where a token's metadata is.\n/// @param tokenId The token.\n/// @return The address.\n"
        "function tokenURI(uint256 tokenId) public view override returns (string memory) {\n"
        f"    if (revealed) return super.tokenURI(tokenId);\n    _requireOwned(tokenId);\n"
        f"    return {string_literal(spec.values.get('placeholder', ''))};\n}}",
    ]


def _overrides(file: SolidityFile, spec: Specification) -> None:
    inherited = {base for base, _ in file.bases}
    if spec.base_uri and "reveal" not in spec.features:
        file.functions.append(
            "/// @dev What stands before each token's number in the address of its metadata.\n"
            f"function _baseURI() internal pure override returns (string memory) {{\n"
            f"    return {string_literal(spec.base_uri)};\n}}"
        )
    updating = [base for base in ("ERC721Enumerable", "ERC721Pausable", "ERC721Votes") if base in inherited]
    bound = "if (to != address(0) && _ownerOf(tokenId) != address(0)) revert NotTransferable();"
    if updating or "soulbound" in spec.features:
        moving = [*([bound] if "soulbound" in spec.features else []), "return super._update(to, tokenId, auth);"]
        file.functions.append(
            "/// @dev Every transfer, minting and burning passes here.\n"
            + overridden(
                "_update(address to, uint256 tokenId, address auth) internal returns (address)",
                flow(moving).strip(),
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
    speaking: list[str] = [
        base for base in ("ERC721Enumerable", "ERC721URIStorage", "ERC2981", "AccessControl") if base in inherited
    ]
    known = {"soulbound": "0xb45a3c0e", "reveal": "0x49064906"}
    interfaces = [known[feature] for feature in known if feature in spec.features]
    if "ERC721URIStorage" in inherited and "reveal" in spec.features:
        interfaces.remove(known["reveal"])
    if "reveal" in spec.features:
        speaking.insert(0, "IERC165")
        file.imports.add("IERC165")
    if speaking or interfaces:
        file.functions.append(supports_interface(["ERC721", *speaking], interfaces))


def set_royalty(file: SolidityFile, spec: Specification) -> None:
    """Set the royalty in the constructor, where there is one."""
    if royalty_receiver(spec):
        file.parameters.append(("address", "royaltyReceiver", "Who receives royalties. Not zero."))
    if spec.royalty_basis_points is not None:
        receiver = "royaltyReceiver" if royalty_receiver(spec) else "initialOwner"
        file.constructor_lines.append(f"_setDefaultRoyalty({receiver}, {spec.royalty_basis_points});")


def supports_interface(bases: list[str], own: Sequence[str] = ()) -> str:
    """Return ERC-165's function for a contract whose bases each know some interfaces, and which has some itself."""
    also = "".join(f"interfaceId == {known} || " for known in own)
    return (
        "/// @notice Whether the contract has an interface, as ERC-165 defines it.\n"
        "/// @param interfaceId The interface.\n/// @return Whether it has it.\n"
        + overridden(
            "supportsInterface(bytes4 interfaceId) public view returns (bool)",
            f"return {also}super.supportsInterface(interfaceId);",
            bases,
        )
    )


BLUEPRINT = Blueprint(
    title="ERC-721 collection",
    name="Collection",
    compose=compose,
    arguments=people,
    features=frozenset(
        {
            "mintable", "burnable", "pausable", "votes", "capped", "roles", "royalty", "enumerable", "uri_storage",
            "fixed", "owner", "ownerless", "upgradeable", "soulbound", "revocable", "public_mint", "allowlist",
            "phases", "reveal", "withdrawal",
        }
    ),
    parameters=PARAMETERS,
    values=frozenset(
        {"supply", "cap", "royalty", "base_uri", "owner", "recipient", "minter", "royalty_receiver", "symbol"}
    ),
    phrases=PHRASES,
    powers={
        "mintable": "{minter} can mint more tokens{up_to_cap}.",
        "public_mint": "Anybody can mint more tokens{up_to_cap}.",
        "phases": "{seller} decides when and for whom minting is open.",
        "reveal": "{seller} sets the metadata of all tokens once, at the reveal.",
        "pausable": "{pauser} can stop every transfer for as long as it wants.",
        "soulbound": "Holders can't transfer their tokens.",
        "revocable": "{minter} can destroy any holder's token.",
        "upgradeable": "{upgrader} can replace the code, and with it every rule.",
        "roles": "The owner can give every role to others and take it back.",
    },
    settle=_settle,
)  # fmt: skip
