"""ERC-20 tokens on OpenZeppelin's ERC20 and its extensions, and rules for transfers of our own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from slipway.builds.composer.access_control import Access, first_holder, make_upgradeable, people
from slipway.builds.composer.blueprint import Blueprint, DraftView, Parameter, refuse_clashes
from slipway.builds.composer.literals import decimal_text, string_literal, units_literal
from slipway.builds.composer.phrases import AMOUNT_WORDS, OWNER, WITHOUT, PhraseSet, WordForms
from slipway.builds.composer.solidity_file import SolidityFile, flow, overridden
from slipway.builds.composer.specification import Specification

_SALE = r"(?:transfer|transaction|trade|trading|move|movement|send)"
_EVERY = (
    rf"(?: (?:(?:is|are|will be|be|gets?|taken|charged|levied|applied|on|of|per|for|from|each|every|all|any|it|a)"
    rf" )*{_SALE})?"
)
_TO = (
    r"(?: (?:(?:which|that|is|and|goes?|going|sent|paid|it|will|be|all|collected) )*(?:to|for)(?: (?:address"
    r"|wallet))? <address:tax_receiver>)?"
)
_TO_OWNER = (
    r"(?: (?:(?:which|that|is|and|goes?|going|sent|paid) )*(?:to|for) (?:owner|me|us|my wallet|our wallet|deployer"
    r"|creator|treasury wallet))?"
)
_IS = r"(?: (?:is|of|at|:|to|be|should be|set to|limited to|capped at|size|limit|amount))*"
_HOLDING = r"(?:(?:wallet|holding|holder|balance|hold)(?: (?:size|limit|cap|amount|balance|holding))*)"
_TX = r"(?:(?:transaction|transfer|tx)(?: (?:size|limit|cap|amount))*)"
_OF_SUPPLY = r"(?: (?:of|from) (?:total |whole |initial |first )*supply)?"
_ONE_WALLET = r"(?:(?:no|any|each|every|one|single) )*(?:wallet|holder|address|account|user|person)"
_START = r"(?: (?:after|from|following) (?:launch|deployment|creation|start|listing|it is deployed|deploy))?"
_SELL = (
    r"(?:sell|trade|transfer|move|send|trading|selling|transferring)(?: (?:it|them|token|or|and|sell|trade|transfer))*"
)

PHRASES: tuple[PhraseSet | WordForms, ...] = (
    PhraseSet(
        None,
        said=(r"(?:point|credit|voucher|mile|reward|loyalty) (?:token|coin)", r"<kind> (?:point|credit|voucher|mile)"),
    ),
    PhraseSet(
        "tax",
        said=(
            rf"<pct:tax> (?:{_SALE} )?(?:tax|fee|levy)(?: (?:is )?(?:taken|charged|deducted))?{_EVERY}{_TO}{_TO_OWNER}",
            rf"(?:{_SALE} )?(?:tax|fee)(?: rate)?{_IS} <pct:tax>{_EVERY}{_TO}{_TO_OWNER}",
            rf"(?:tax|fee) (?:on|for|per|of) (?:(?:each|every|all|any) )*{_SALE}{_IS} <pct:tax>{_TO}{_TO_OWNER}",
            rf"(?:takes?|charges?|taxes|sends?|deducts?) <pct:tax>(?: tax| fee)?(?: (?:of|on|for|from|each|every"
            rf"|all|amount"
            rf"|value))* {_SALE}{_TO}{_TO_OWNER}",
            rf"(?:each|every|all|any) {_SALE} (?:(?:is|are|gets?) )?(?:takes?|charges?|pays?|costs?|taxed|sends?)"
            rf"(?: at| by)? <pct:tax>(?: tax| fee)?{_TO}{_TO_OWNER}",
            r"fee on transfer",
        ),
        denied=(
            rf"(?:no|without|not|zero|0)(?: any)? (?:{_SALE} )?(?:tax|fee)(?: (?:on|for) (?:any )?{_SALE})?",
            r"(?:tax|fee) free",
        ),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:tax|fee) (?:receiver|recipient|wallet|collector)(?: (?:is|:|address|should be))*"
            r" <address:tax_receiver>",
            r"(?:tax|fee) (?:(?:is|are|goes?|going|sent|paid|should|will|must|be|go) )*(?:to|for)"
            r" <address:tax_receiver>",
            r"<address:tax_receiver> (?:receives?|gets?|collects?) (?:tax|fee)",
        ),
    ),
    PhraseSet(
        "burn_tax",
        said=(
            rf"(?:burns?|burning|destroys?) <pct:burn_tax>(?: (?:of|on|for|from|each|every|all|any|in|amount"
            rf"|value))* {_SALE}",
            rf"<pct:burn_tax> (?:(?:is|of|are|will be|gets?|each|every|a) )*(?:burned|burn|destroyed)(?: (?:on|of"
            rf"|per|for|from"
            rf"|with|in|at|each|every|all|any))* {_SALE}",
            rf"<pct:burn_tax> (?:of |on )?(?:(?:each|every|all|any) )*{_SALE} (?:(?:is|are|gets?|will be)"
            rf" )*(?:burned|destroyed)",
            rf"(?:each|every|all|any) {_SALE} (?:(?:will|should|must) )?(?:burns?|destroys?) <pct:burn_tax>",
            r"<pct:burn_tax> (?:burn tax|burn fee|auto burn|burn rate|deflation|deflationary)",
            r"(?:burn tax|burn fee|auto burn|burn rate)(?: (?:of|is|:|at))* <pct:burn_tax>",
            r"deflationary",
        ),
        denied=(r"not deflationary",),
    ),
    PhraseSet(
        "max_wallet",
        said=(
            rf"max {_HOLDING}{_IS} (?:<pct:max_wallet_percent>|<n:max_wallet>{AMOUNT_WORDS}){_OF_SUPPLY}",
            rf"(?:<pct:max_wallet_percent>|<n:max_wallet>{AMOUNT_WORDS}) max {_HOLDING}{_OF_SUPPLY}",
            rf"max(?: of)? (?:<pct:max_wallet_percent>|<n:max_wallet>{AMOUNT_WORDS}){_OF_SUPPLY} (?:per|each|for"
            rf" each|in each|in any"
            rf"|in one|for every|a) (?:wallet|holder|address|account|user|person)",
            rf"{_HOLDING} (?:limit|cap){_IS} (?:<pct:max_wallet_percent>|<n:max_wallet>{AMOUNT_WORDS}){_OF_SUPPLY}",
            rf"(?:each |every |any )?(?:wallet|holder|address|account) {_IS} ?(?:max|at most|no more than|up to)"
            rf" (?:<pct:max_wallet_percent>|<n:max_wallet>{AMOUNT_WORDS}){_OF_SUPPLY}",
            rf"{_ONE_WALLET} (?:(?:can|may|should|must|will|is allowed to) )?(?:only )?(?:holds?|owns?|haves?)(?:"
            rf" (?:at most|up to|no more than"
            rf"|max|max of|only))+ (?:<pct:max_wallet_percent>|<n:max_wallet>{AMOUNT_WORDS}){_OF_SUPPLY}",
            rf"(?:no|nobody)(?: (?:wallet|holder|address|account|user|person))? (?:can|should|must|may|will|is"
            rf" allowed to)"
            rf" (?:ever )?(?:hold|own|have) (?:more than|over|above) (?:<pct:max_wallet_percent>"
            rf"|<n:max_wallet>{AMOUNT_WORDS})"
            rf"{_OF_SUPPLY}",
            rf"(?:wallet|holder|address|account|user) (?:can|may|must|should) not (?:hold|own|have) (?:more than"
            rf"|over|above)"
            rf" (?:<pct:max_wallet_percent>|<n:max_wallet>{AMOUNT_WORDS}){_OF_SUPPLY}(?: (?:each|per wallet))?",
            rf"(?:limit|limits|cap|caps) (?:each|every|all|any) (?:wallet|holder|address|account|user) (?:to|at)"
            rf" (?:<pct:max_wallet_percent>|<n:max_wallet>{AMOUNT_WORDS}){_OF_SUPPLY}",
            r"max wallet(?: (?:size|limit))?",
        ),
        denied=(r"(?:no|without)(?: any)? (?:max wallet|wallet limit|holding limit)(?: (?:size|limit))?",),
    ),
    PhraseSet(
        "max_transaction",
        said=(
            rf"max(?: (?:per|each|amount per))? {_TX}{_IS} (?:<pct:max_transaction_percent>"
            rf"|<n:max_transaction>{AMOUNT_WORDS}){_OF_SUPPLY}",
            rf"(?:<pct:max_transaction_percent>|<n:max_transaction>{AMOUNT_WORDS}) max {_TX}{_OF_SUPPLY}",
            rf"(?:max|at most|up to|no more than|limit)(?: of)? (?:<pct:max_transaction_percent>"
            rf"|<n:max_transaction>{AMOUNT_WORDS})"
            rf"{_OF_SUPPLY} (?:per|each|in each|in any|in one|for every|for each|a|in single) (?:single )?{_TX}",
            rf"(?:<pct:max_transaction_percent>|<n:max_transaction>{AMOUNT_WORDS}){_OF_SUPPLY} (?:max )?(?:per|in"
            rf" each|in one) {_TX}(?: max)?",
            rf"{_TX} (?:limit|cap){_IS} (?:<pct:max_transaction_percent>"
            rf"|<n:max_transaction>{AMOUNT_WORDS}){_OF_SUPPLY}",
            rf"{_TX} (?:are |is )?(?:limited to|capped at) (?:<pct:max_transaction_percent>"
            rf"|<n:max_transaction>{AMOUNT_WORDS}){_OF_SUPPLY}",
            rf"(?:no|nobody)(?: {_TX})? (?:can|should|must|may|will) (?:be |exceed |transfer |send |move )+(?:more"
            rf" than |over |above )?"
            rf"(?:<pct:max_transaction_percent>|<n:max_transaction>{AMOUNT_WORDS}){_OF_SUPPLY}(?: (?:at once|in one"
            rf" {_TX}|per {_TX}))?",
            r"max transaction(?: (?:size|limit|amount))?",
        ),
        denied=(r"(?:no|without)(?: any)? (?:max transaction|transaction limit)(?: (?:size|limit))?",),
    ),
    PhraseSet(
        "max_wallet",
        said=(r"anti ?whale(?: (?:limits?|protection|measures?|mechanism))?",),
        denied=(r"(?:no|without) anti ?whale(?: limits?)?",),
    ),
    PhraseSet(
        "trading_delay",
        said=(
            rf"(?:nobody|not anyone) (?:can|may|should|must|is able to|is allowed to)(?: be able to)? {_SELL}"
            rf" (?:for|in|during|within|until|before)(?: first)? <time:trading_delay>{_START}(?: (?:have|has) passed)?",
            rf"(?:no|without|disable|block|lock|forbid|prevent)(?: any)? (?:{_SELL}|sale|trade|transfer)"
            rf" (?:for|in|during|within|until|before)(?: first)? <time:trading_delay>{_START}",
            rf"(?:can|must|should|may) not be (?:sold|traded|transferred|moved) (?:for|in|during|within|until"
            rf"|before)(?: first)?"
            rf" <time:trading_delay>{_START}",
            rf"(?:trading|transfer|selling)(?: (?:is|are|only|be|should|will|can|a))* (?:starts?|begins?|opens?"
            rf"|enabled|possible|allowed"
            rf"|disabled for|locked for|blocked for|paused for|unlocked|unlocks?)(?: (?:only|first|after|in|for))*"
            rf" <time:trading_delay>{_START}",
            rf"(?:trading|transfer|launch|selling) (?:delay|lock)(?: (?:of|is|:|for))* <time:trading_delay>{_START}",
            rf"<time:trading_delay> (?:trading|transfer|launch|selling) (?:delay|lock){_START}",
            r"trading delay",
        ),
    ),
    PhraseSet(
        "freezable",
        said=(
            rf"(?:only )?{OWNER} (?:can|is able to|is allowed to|should be able to|must be able to) (?:freeze|block"
            rf"|blacklist|ban)"
            r"(?: (?:and|or|/) (?:unfreeze|unblock|unban))?(?: (?:any|some|single|individual|specific|certain|bad"
            r"|malicious"
            r"|suspicious|stolen))* (?:address|wallet|account|holder|user)",
            r"(?:freezable|freezing|blockable)(?: (?:address|wallet|account|holder))+(?: by owner)?",
            r"freeze (?:list|function|individual account|account|address|wallet|holder)(?: by owner)?",
            r"blacklist(?:ing)?(?: (?:function|feature|support|for (?:bad actors|address|wallet|account)|by owner))?",
            rf"{OWNER} can blacklist",
            rf"(?:freeze|freezing|blacklist)(?: (?:function|list|feature))? for (?:only )?{OWNER}",
            r"blacklist(?: function)? (?:that |which |with )?(?:controlled by owner|managed by owner|owner"
            r" (?:controls|manages|can edit))",
        ),
        denied=(
            rf"{WITHOUT}(?: any)? (?:blacklist(?:ing)?|freezing|freeze (?:list|function))(?: (?:of"
            r" )?(?:account|address))?",
            r"(?:nobody|owner) can (?:not )?(?:ever )?(?:freeze|block|blacklist) (?:any )?(?:account|address"
            r"|wallet|holder)",
        ),
    ),
    PhraseSet(
        "airdrop",
        said=(
            rf"(?:airdrop|send|give|mint|distribute|drop)(?:s|ing)? <n:airdrop_each>{AMOUNT_WORDS} (?:each )?to(?:"
            rf" (?:each|every)"
            rf"(?: one)?(?: of)?)?(?: (?:these|following|address|wallet|account|holder|two|three|:))*"
            rf" (?P<airdrop><address>(?: (?:, and|,|and"
            rf"|;) <address>)+)(?: each)?",
            rf"<n:airdrop_each>{AMOUNT_WORDS} (?:(?:airdropped|sent|minted|given|each|go|goes|going) )*(?:to|for)"
            rf" (?:(?:each|every) (?:of )?)?"
            rf"(?P<airdrop><address>(?: (?:, and|,|and|;) <address>)+)(?: each)?",
            rf"airdrop(?: of)? <n:airdrop_each>{AMOUNT_WORDS}(?: each)? to(?: each(?: of)?)?(?: :)?"
            rf" (?P<airdrop><address>(?: (?:, and|,|and|;) <address>)*)(?: each)?",
            r"(?P<airdrop><address>(?: (?:, and|,|and|;) <address>)+) (?:(?:each|both|all|should|must|will)"
            r" )*(?:gets?|receives?)"
            rf" <n:airdrop_each>{AMOUNT_WORDS}(?: each)?",
        ),
    ),
)

PARAMETERS = (
    Parameter("tax", "percent", feature="tax", most=25, missing="The prompt does not say how many percent the tax is."),
    Parameter("tax_receiver", "address", "owner", "The tax goes to the owner, {}.", feature="tax"),
    Parameter(
        "burn_tax",
        "percent",
        feature="burn_tax",
        most=25,
        missing="The prompt does not say how many percent are burned.",
    ),
    Parameter("max_wallet", "tokens", feature="max_wallet"),
    Parameter("max_wallet_percent", "percent", feature="max_wallet"),
    Parameter("max_transaction", "tokens", feature="max_transaction"),
    Parameter("max_transaction_percent", "percent", feature="max_transaction"),
    Parameter("trading_delay", "seconds", feature="trading_delay", missing="The prompt does not say for how long."),
    Parameter("airdrop_each", "tokens", feature="airdrop", missing="The prompt does not say how many each one gets."),
    Parameter("airdrop", "addresses", feature="airdrop", missing="The prompt does not say whose addresses get it."),
)
_LIMITS = frozenset({"max_wallet", "max_transaction"})


_STILL = "A token that can't be transferred has no transfers."
_CLASHES = tuple(("soulbound", name, _STILL) for name in ("tax", "burn_tax", "max_transaction", "trading_delay"))


def _settle(spec: Specification, draft: DraftView) -> Specification:
    """Turn shares of the supply into amounts, and refuse what can't be together."""
    spec = _with_limits(spec, draft)
    refuse_clashes(spec, draft, _CLASHES)
    if "soulbound" in spec.features:
        draft.assumed.append("The first supply stays with its first holder, since nothing can be transferred.")
    if "trading_delay" in spec.features:
        draft.assumed.append("Until then nobody can transfer, the owner neither.")
    if "airdrop" in spec.features:
        _check_airdrop(spec, draft)
        words = draft.parsed.words.get("recipient", "supply")
        if "supply" not in words.lower():
            draft.parsed.refuse(words, "An airdrop gives each the same; say “supply” if this is the supply.")
        draft.assumed.append("What is given out is part of the first supply.")
    return spec


def _with_limits(spec: Specification, draft: DraftView) -> Specification:
    features, values = set(spec.features), dict(spec.values)
    for name in sorted(_LIMITS & features):
        percent = values.pop(f"{name}_percent", None)
        if name not in values and percent is not None:
            units = (spec.supply or spec.cap or 0) * 10**spec.decimals * percent // 10_000
            values[name] = Fraction(units, 10**spec.decimals)
            whole = "first supply" if spec.supply else "cap"
            draft.assumed.append(f"The percentage is of the {whole}: {decimal_text(values[name])} tokens.")
        problem = None if values.get(name) else "The prompt does not say how much: a percentage, or an amount."
        if not problem and (values[name] * 10**spec.decimals).denominator != 1:
            problem = "The amount is less than the token's smallest unit."
        if problem:
            draft.parsed.refuse(draft.parsed.words.get(name, name), problem)
            features.discard(name)
    if _LIMITS & features:
        exempted = "" if "ownerless" in features else ", nor for accounts that the owner exempts"
        draft.assumed.append(f"The limits are not for the first holder{exempted}.")
        features |= {"exempting"} if exempted else set()
    return replace(spec, features=frozenset(features), values=values)


def _check_airdrop(spec: Specification, draft: DraftView) -> None:
    each = spec.values["airdrop_each"]
    total = each * len(spec.values["airdrop"])
    finer = (each * 10**spec.decimals).denominator != 1
    if total > spec.supply or finer or each > spec.values.get("max_wallet", total):
        reason = "That is more than the first supply or than a wallet may hold, or finer than the decimals."
        draft.parsed.refuse(draft.parsed.words["airdrop"], reason)


def compose(spec: Specification) -> str:
    """Write the source of a token."""
    access, has = Access.of(spec), spec.features
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
    file.bases += access.bases
    _amounts(file, spec)
    access.declare(file, spec, _roles(spec), first="supply")
    _transfer_rules(file, spec, access)
    _first_supply(file, spec)
    _functions(file, spec, access)
    make_upgradeable(file, spec, access)
    return file.render()


def _roles(spec: Specification) -> dict[str, str]:
    rights = {
        "mintable": ("MINTER", "create tokens"),
        "pausable": ("PAUSER", "pause and unpause the token"),
        "upgradeable": ("UPGRADER", "replace the code"),
        "freezable": ("FREEZER", "freeze accounts"),
        "exempting": ("LIMITER", "exempt accounts from the limits"),
    }
    return dict(rights[feature] for feature in rights if feature in spec.features)


def _amounts(file: SolidityFile, spec: Specification) -> None:
    amounts = (
        ("INITIAL_SUPPLY", "What exists from the start, in base units.", spec.supply or None),
        ("MAX_SUPPLY", "How much may ever exist at a time, in base units.", spec.cap),
        ("MAX_WALLET", "How much an account may hold, in base units.", spec.values.get("max_wallet")),
        ("MAX_TRANSACTION", "How much one transfer may move, in base units.", spec.values.get("max_transaction")),
        ("AIRDROP", "How much of the first supply each listed account gets.", spec.values.get("airdrop_each")),
    )
    file.declare(
        *(
            (name, notice, units_literal(amount, spec.decimals))
            for name, notice, amount in amounts
            if amount is not None
        )
    )


def _first_supply(file: SolidityFile, spec: Specification) -> None:
    holder = first_holder(spec)
    if _LIMITS & spec.features:
        file.constructor_lines.append(f"isExempt[{holder}] = true;")
    if "airdrop" in spec.features:
        file.parameters.append(("address[] memory", "airdropped", "Who gets a part of the first supply. None zero."))
        rest = spec.supply - spec.values.get("airdrop_each", 0) * len(spec.values.get("airdrop", ()))
        file.constructor_lines += [
            "for (uint256 index = 0; index < airdropped.length; ++index) {",
            "    _mint(airdropped[index], AIRDROP);",
            "}",
            *([f"_mint({holder}, INITIAL_SUPPLY - airdropped.length * AIRDROP);"] if rest > 0 else []),
        ]
    elif spec.supply:
        file.constructor_lines.append(f"_mint({holder}, INITIAL_SUPPLY);")


def _transfer_rules(file: SolidityFile, spec: Specification, access: Access) -> None:
    """Add what the rules for transfers keep and who may change it; `_moving` applies them."""
    has, values = spec.features, spec.values
    if "soulbound" in has:
        file.members.append("/// @notice Tokens stay with whom they were created for.\nerror NotTransferable();")
    if "tax" in has:
        file.members += [
            "/// @notice How much of every transfer is taxed, in hundredths of a percent.\n"
            f"uint256 public constant TAX_BASIS_POINTS = {values['tax']:_};",
            "/// @notice Who receives the tax.\naddress public immutable TAX_RECEIVER;",
            "/// @notice The tax needs a receiver.\nerror ZeroTaxReceiver();",
        ]
        file.parameters.append(("address", "taxReceiver", "Who receives the tax. Not zero."))
        file.constructor_lines += [
            "if (taxReceiver == address(0)) revert ZeroTaxReceiver();",
            "TAX_RECEIVER = taxReceiver;",
        ]
    if "burn_tax" in has:
        file.members.append(
            "/// @notice How much of every transfer is burned, in hundredths of a percent.\n"
            f"uint256 public constant BURN_BASIS_POINTS = {values['burn_tax']:_};"
        )
    if "trading_delay" in has:
        file.members += [
            "/// @notice When transfers begin, in seconds since 1970.\nuint256 public immutable TRANSFERS_BEGIN;",
            "/// @notice Transfers have not begun.\nerror TransfersNotBegun();",
        ]
        file.constructor_lines.append(f"TRANSFERS_BEGIN = block.timestamp + {values['trading_delay']:_};")
    if "freezable" in has:
        file.members += [
            "/// @notice Whether an account is frozen: it neither sends nor receives.\n"
            "mapping(address account => bool) public isFrozen;",
            "/// @notice An account was frozen or thawed.\n/// @param account The account.\n/// @param frozen"
            " Whether it is frozen.\n"
            "event FreezeChanged(address indexed account, bool frozen);",
            "/// @notice An account of a transfer is frozen.\n/// @param account The account.\nerror"
            " AccountFrozen(address account);",
        ]
        file.functions.append(
            f"/// @notice Freezes an account, or thaws it. {access.note('FREEZER')}\n/// @param account The account.\n"
            "/// @param frozen Whether it is to be frozen.\n"
            f"function setFrozen(address account, bool frozen) external {access.only('FREEZER')} {{\n"
            "    isFrozen[account] = frozen;\n    emit FreezeChanged(account, frozen);\n}"
        )
    if _LIMITS & has:
        _limits(file, spec, access)


def _limits(file: SolidityFile, spec: Specification, access: Access) -> None:
    file.members.append(
        "/// @notice Whether the limits are not for an account.\nmapping(address account => bool) public isExempt;"
    )
    if "max_wallet" in spec.features:
        file.members.append("/// @notice The receiver would hold more than an account may.\nerror WalletLimit();")
    if "max_transaction" in spec.features:
        file.members.append("/// @notice The transfer moves more than one may.\nerror TransactionLimit();")
    if access.ownerless:
        return
    file.members.append(
        "/// @notice Whether the limits are for an account has changed.\n/// @param account The account.\n"
        "/// @param exempt Whether they are not.\nevent ExemptionChanged(address indexed account, bool exempt);"
    )
    file.functions.append(
        f"/// @notice Exempts an account from the limits, or no longer. {access.note('LIMITER')}\n"
        "/// @param account The account, such as an exchange's.\n/// @param exempt Whether the limits are not for it.\n"
        f"function setExempt(address account, bool exempt) external {access.only('LIMITER')} {{\n"
        "    isExempt[account] = exempt;\n    emit ExemptionChanged(account, exempt);\n}"
    )


def _moving(spec: Specification) -> list[str]:
    """Return the statements of `_update`, which every transfer, minting and burning passes."""
    has = spec.features
    between = []
    if "soulbound" in has:
        between.append("revert NotTransferable();")
    if "trading_delay" in has:
        between.append("if (block.timestamp < TRANSFERS_BEGIN) revert TransfersNotBegun();")
    if "max_transaction" in has:
        between.append("if (value > MAX_TRANSACTION && !isExempt[from] && !isExempt[to]) revert TransactionLimit();")
    if has & {"tax", "burn_tax"}:
        parts = [part for name, part in (("tax", "tax"), ("burn_tax", "burned")) if name in has]
        rates = {"tax": "TAX_BASIS_POINTS", "burned": "BURN_BASIS_POINTS"}
        between += [f"uint256 {part} = (value * {rates[part]}) / 10_000;" for part in parts]
        between += [
            f"super._update(from, {'TAX_RECEIVER' if part == 'tax' else 'address(0)'}, {part});" for part in parts
        ]
        between.append(f"value -= {' + '.join(parts)};")
    lines = []
    if "freezable" in has:
        lines += ["if (isFrozen[from]) revert AccountFrozen(from);", "if (isFrozen[to]) revert AccountFrozen(to);"]
    if between:
        lines += ["if (from != address(0) && to != address(0)) {", *(f"    {line}" for line in between), "}"]
    if "max_wallet" in has:
        held = "to != address(0) && to != from && !isExempt[to] && balanceOf(to) + value > MAX_WALLET"
        lines.append(f"if ({held}) revert WalletLimit();")
    return [*lines, "super._update(from, to, value);"]


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
    moving = _moving(spec)
    if updating or len(moving) > 1:
        file.functions.append(
            "/// @dev Every transfer, minting and burning passes here.\n"
            + overridden(
                "_update(address from, address to, uint256 value) internal", flow(moving).strip(), ["ERC20", *updating]
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


BLUEPRINT = Blueprint(
    title="ERC-20 token",
    name="Token",
    compose=compose,
    arguments=people,
    features=frozenset(
        {
            "mintable", "burnable", "pausable", "permit", "votes", "capped", "roles", "fixed", "owner", "ownerless",
            "upgradeable", "soulbound", "freezable", *(parameter.feature for parameter in PARAMETERS),
        }
    ),
    parameters=PARAMETERS,
    values=frozenset({"supply", "cap", "decimals", "owner", "recipient", "minter", "symbol"}),
    phrases=PHRASES,
    powers={
        "mintable": "{minter} can mint more tokens{up_to_cap}, which dilutes holders.",
        "pausable": "{pauser} can stop every transfer for as long as it wants.",
        "freezable": "{freezer} can freeze any account, whose tokens then stay where they are.",
        "tax": "{tax} percent of every transfer goes to {tax_receiver}.",
        "burn_tax": "{burn_tax} percent of every transfer is burned.",
        "trading_delay": "Nobody can transfer tokens in the first {trading_delay} seconds.",
        "soulbound": "Holders can't transfer their tokens.",
        "exempting": "{limiter} can exempt accounts from the limits.",
        "upgradeable": "{upgrader} can replace the code, and with it every rule.",
        "roles": "The owner can give every role to others and take it back.",
    },
    settle=_settle,
)  # fmt: skip
