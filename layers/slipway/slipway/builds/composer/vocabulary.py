"""The phrases that the composer knows: kinds of contracts, what tokens can be asked for, and what nobody makes.

What only one kind can be asked for is declared with that kind, as `PHRASES` of its module.
"""

from __future__ import annotations

from typing import get_args

from slipway.builds.composer.phrases import CAN, DOCUMENT, HOLDER, MORE, NOBODY, OWNER, WITHOUT, PhraseSet, WordForms
from slipway.builds.models import Kind

TOKENS: frozenset[Kind] = frozenset({"erc20", "erc721", "erc1155"})
_BUT_COINS: frozenset[Kind] = frozenset(get_args(Kind)) - {"erc20"}
_BUT_COLLECTIONS: frozenset[Kind] = frozenset(get_args(Kind)) - {"erc721"}
_UNREVOKED: frozenset[Kind] = frozenset(get_args(Kind)) - {"erc721", "vesting"}
_NOBODYS: frozenset[Kind] = frozenset(get_args(Kind)) - {"vesting", "lock", "splitter", "escrow", "timelock"}
"""Kinds that pay nobody in particular: there "for my cofounder" says what it is about, not who is paid."""

# Kind, pattern over the canonical text, and whether the word also stands for other things (any kind that is named
# outright goes before).
KINDS: list[tuple[Kind, str, bool]] = [
    ("erc1155", r"erc1155|eip1155|multi token|multitoken|semi fungible(?: token)?", False),
    (
        "erc721",
        r"(?:erc|eip)721a?(?: nft)?|(?:(?<=soulbound )|(?<=soul bound ))token|sbt|nft|non fungible(?: token)?"
        r"|nonfungible(?: token)?|(?:digital )?collectible",
        False,
    ),
    (
        "erc20",
        r"(?:erc|eip)20|fungible token|(?:meme|stable|utility|community|loyalty|reward|game|gaming)"
        r" ?(?:coin|token)"
        r"|(?:game|in game|virtual|internal) (?:gold|money|currency)|memecoin|stablecoin|(?:loyalty|reward|bonus"
        r"|store|game|community|member|fan|club|gift|customer|shop|school|class|brand|karma|experience|xp|reputation)"
        r" (?:point|credit|voucher|mile)",
        False,
    ),
    (
        "vesting",
        r"(?:token |team |linear |revocable |multi beneficiary )*vest(?:ing|ed|s)?(?: (?:wallet|contract|schedule"
        r"|vault))?",
        False,
    ),
    (
        "staking",
        r"(?:token |reward |yield )*stak(?:ing|e)(?: (?:contract|pool|vault|program|rewards? contract|platform))+"
        r"|staking"
        r"|(?:(?:users?|holder|people|members?) (?:can |to )?)?stake (?:(?:my|our|their|the|any|erc20) )?(?:token"
        r"|coin)|yield"
        r" farm(?:ing)?(?: (?:contract|pool))?",
        False,
    ),
    (
        "crowdsale",
        r"crowd ?sale(?: contract)?|(?:token|coin) sale(?: contract)?|public sale contract|(?:an )?(?:ico|ido)(?:"
        r" contract)?|(?:token |coin )?presale contract|(?:token|coin) presale",
        False,
    ),
    (
        "auction",
        r"(?:(?:english|nft|timed|ascending|on chain|art) )*auction(?: contract)?(?! house)|auctions off",
        False,
    ),
    (
        "governor",
        r"(?:on chain )?dao(?: contract)?|(?:on chain )?governor(?: contract)?|governance (?:contract|system|module)",
        False,
    ),
    (
        "splitter",
        r"(?:(?:payment|revenue|royalty|fee|income|profit|eth|fund) )*(?:splitter|splitting|sharing)(?:"
        r" (?:contract|wallet))?"
        r"|(?:payment|revenue|income|profit) split(?: contract)?"
        r"|(?:(?:contract |wallet |one )?(?:that|which|to) )?(?:splits?|divides?|distributes?|shares?)"
        r"(?= (?:all |any |incoming |received |every |every incoming )*(?:eth|ether|payment|fund|money|revenue"
        r"|income|royalty|fee|everything|donation|profit|it))",
        False,
    ),
    (
        "lock",
        r"(?:(?:token|liquidity|lp|team) )+lock(?:er|ing|up)?(?: (?:contract|vault))?|lock(?:er)? (?:contract|vault)"
        r"|(?:to )?locks?(?= (?:(?:my|our|team|lp|the|all) )*(?:token|coin|liquidity|lp|fund|eth|ether|treasury)\b)",
        False,
    ),
    (
        "airdrop",
        r"(?:(?:merkle|token|claimable) )*airdrop(?:per|s)?(?: (?:contract|claim contract|distributor))?(?! (?:of"
        r" )?<n>)|merkle (?:distributor|drop|claim)(?: contract)?"
        r"|(?:token )?claim contract|claimable (?:drop|distribution)",
        False,
    ),
    (
        "subscription",
        r"(?:(?:membership|monthly|paid|recurring|on chain) )*subscription(?:s)?(?: (?:contract|service|payment"
        r"|system))?|membership (?:contract|payment)",
        False,
    ),
    ("escrow", r"escrow(?:s|ed)?", False),
    (
        "timelock",
        r"time ?lock(?:s|ed|ing)?(?: controller)?|multi ?sig(?:s|nature|natures)?(?: wallet)?|multi signature(?:"
        r" wallet)?",
        False,
    ),
    ("erc20", r"coin|token|cryptocurrency", True),
    ("crowdsale", r"presale", True),
    ("erc721", rf"(?:art )?collection|{DOCUMENT}", True),
]

UNSUPPORTED_KINDS = (
    r"decentrali[sz]ed exchange|dex|amm|(?:liquidity|lending) pool"
    r"|lending(?: protocol)?|borrowing|auction houses?|(?:dutch|sealed bid|vickrey|blind|reverse) auctions?"
    r"|lottery|lotteries|raffles?|casino|gambling|prediction market"
    r"|marketplaces?|bridge|oracles?|crowd ?fund(?:ing)?|kickstarter"
    r"|(?:erc|eip)(?:4626|777|4907|3643|404|6551|4337|1363)|vaults?|insurance|payroll"
    r"|faucet|flash ?loans?|pyramid scheme|ponzi|swap"
    r"|voting (?:contract|system)|ballot|registry|website|frontend"
)
ORACLES = (
    r"(?:chainlink )?vrf|chainlink(?: (?:oracle|price feed))?|price feed|oracle|randomness|random(?: (?:number"
    r"|winner))?"
)
"""What a chain may lack."""

_UNIT = (
    r"(?:token|coin|unit|nft|item|piece|edition|collectible|copy|point|credit|share|voucher|ticket|<kind>|<symbol>"
    r"|<name>)"
)
_IS = (
    r"(?: (?:is|are|of|at|:|to|be|equal|equals|equal to|should be|will be|must be|shall be|set|set to|fixed at|exactly"
    r"|initially))*"
)
_SUPPLY = (
    r"(?:(?:total|initial|starting|start|whole|full|overall|genesis|first|circulating|premint|token|max initial) )*"
    r"(?:supply|issuance|amount|quantity|total)"
)
_ME = r"(?:me|owner|us|myself|deployer|creator|caller|my wallet|our wallet)"
_AFTER = (
    rf"(?: (?:in total|total|altogether|initially|initial|to start with|to start|to begin with|at start|from start"
    rf"|at launch"
    rf"|at deployment|supply|premint|to {_ME}|for {_ME}|minted to {_ME}|in circulation|in existence))*"
)
_FIXED = r"(?:fixed|constant|immutable|unchangeable|static|hard coded)"
_CAP = (
    r"(?:(?:hard|supply|total|max|mint|minting) )*(?:cap|capped|hardcap)|max(?: total| token| possible)* supply"
    r"|supply (?:limit|ceiling)|max issuance|max (?:amount|number) of token"
)
_TRANSFER = r"(?:transfer|transferring|trading|trades?|token transfer)"

_GROUP = (
    r"(?:communit(?:y|ies)|project|team|company|startup|business|shop|store|cafe|coffee|bakery|bar|restaurant"
    r"|club|fan|fans|band"
    r"|school|university|class|students?|city|town|village|family|friends|members?|customers?|people|charity"
    r"|festival|events?"
    r"|conference|podcast|game|games|gaming|gamers|players|item|items|artists?|art|music|movie|film|photos?|photography"
    r"|membership|loyalty|rewards? program|program|test|tests|testing|demo|demonstration|hackathon|sample"
    r"|example|website"
    r"|app|platform|marketplace|network|protocol|ecosystem|organi[sz]ation|studio|farm|library|museum|digital"
    r"|utility|meme"
    r"|social|internal|general|purpose|use|freelance|dao|gym|church|hotel|blog|newsletter|league|sports?"
    r"|clients?|freelancers?|work)"
)
_JOINT = r"(?:and|with|that|which|called|named|but|where|symbol|ticker|to|only|is)\b"
_CLAIMS = (
    r"(?:each|every|any|all|both|only|not|no|never|until|unless|without|holder|holders|user|users|who|to|owner|owners"
    r"|staker|stakers|voter|voters|investor|investors|buyer|buyers|sale|presale|airdrop|treasury|wallet|wallets"
    r"|\w+(?:ed|able|ing|ly))\b"
)

# What tokens of all kinds can be asked for.
MINTABLE = WordForms(
    "mintable",
    adjective=r"mintable|mint able|mintability|re mintable",
    noun=r"minting|issuing",
    verb=r"mint|issue",
    participle=r"minted|issued",
    by=OWNER,
    kinds=TOKENS,
)
BURNABLE = WordForms(
    "burnable",
    adjective=r"burnable|burn able|burnability|destroyable",
    noun=r"burning",
    verb=r"burn",
    participle=r"burned|destroyed",
    after="",
    kinds=TOKENS,
)
_PAUSED = rf"(?: (?:(?:all|any|every) )*(?:{_TRANSFER}|everything|it|token|contract|<kind>))?(?: (?:in|for) emergency)?"
PAUSABLE = WordForms(
    "pausable",
    adjective=r"pausable|pause able|pausability",
    noun=r"pausing|emergency (?:stop|pause|shutdown)|circuit breaker",
    verb=r"pause(?: and unpause| unpause)?|halt|suspend",
    participle=r"paused|halted|suspended",
    by=OWNER,
    after=_PAUSED,
)
_OWN = (
    r"(?: (?:their|his|her|own|their own|my own|some of their|some of their own))*(?: (?:token|coin|nft|item|<kind>))?"
)

UPGRADEABLE = WordForms(
    "upgradeable",
    adjective=(
        r"(?:uups )?upgrade ?able(?: (?:via|by|through|using|with)(?: (?:openzeppelin|oz))?"
        r" (?:uups proxy|uups pattern|uups|proxy))?"
    ),
    noun=(
        r"upgradeability|upgrades?(?: (?:via|by) (?:uups|proxy))?|(?:uups )?proxy(?: pattern)?"
        r"|uups(?: (?:upgrades?|pattern|upgradeability))?|(?:using|via|with|through) (?:uups proxy|uups|proxy)"
    ),
    participle="upgraded",
    reason="Only ERC-20 tokens and ERC-721 collections can be upgraded.",
)

_ROLE = r"(?:minter|minting|pauser|pausing|upgrader|upgrading|upgrades)"
SHARED: list[PhraseSet | WordForms] = [
    MINTABLE,
    BURNABLE,
    PAUSABLE,
    UPGRADEABLE,
    PhraseSet(
        "upgradeable",
        said=(
            rf"(?:only )?{OWNER} {CAN} (?:upgrade|replace)(?: (?:it|token|contract|code|implementation|logic|<kind>"
            rf"|later|its))*",
            rf"upgradeable(?: only)? by (?:only )?{OWNER}(?: only)?",
            "upgrader role",
        ),
        reason="Only ERC-20 tokens and ERC-721 collections can be upgraded.",
    ),
    PhraseSet(
        "mintable",
        said=(
            "minter role",
            rf"issue more{MORE}",
            rf"mint{MORE} (?:later|in future|at any time|more)",
            r"mintable by minter",
            r"(?:only )?owner (?:only )?mints",
            r"minter can mint",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        "uncapped",
        said=(
            r"(?:unlimited|infinite|uncapped|unbounded) (?:supply|minting|issuance|mint)",
            "uncapped",
            r"(?:no|without)(?: any)? (?:supply |hard |max |minting )*(?:cap|limit|max)(?: (?:on|of) (?:supply"
            r"|minting))?",
            r"(?:no|without)(?: any)? max supply",
            r"not capped",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        "burnable",
        said=(
            rf"{HOLDER} {CAN} (?:burn|destroy){_OWN}",
            r"burn(?:able|ed|ing)? by (?:their |its |token |all |any )*"
            r"(?:holder|users?|owner of token)",
            r"burning(?: of)? own token",
            r"burn mechanism for holder",
            rf"let {HOLDER} burn{_OWN}",
            rf"(?:anyone|holder|user) (?:burn|burning){_OWN}",
        ),
        denied=(rf"{HOLDER} (?:can|must|should) not burn{_OWN}",),
        kinds=TOKENS,
    ),
    PhraseSet(
        "pausable",
        said=(
            rf"(?:only )?{OWNER} {CAN} (?:pause|stop|halt|suspend|freeze)(?: (?:all|any|every))*(?:"
            rf" (?:{_TRANSFER}|token"
            rf"|everything|it))?(?: and (?:unpause|resume)(?: (?:it|them))?)?",
            rf"(?:stop|halt|freeze|pause|suspend) all {_TRANSFER}",
            rf"{_TRANSFER} can be (?:paused|stopped|halted)",
            "pauser role",
        ),
    ),
    PhraseSet(
        "permit",
        said=(
            r"(?:with )?(?:erc20 ?)?permit(?: (?:support|function|extension))?",
            "erc20permit",
            "(?:erc|eip)2612",
            r"permit (?:erc|eip)2612",
            r"gas ?less approval",
            r"gas less approval",
            "signed approval",
        ),
        denied=(rf"{WITHOUT} (?:erc20 ?)?permit",),
    ),
    PhraseSet(
        "votes",
        said=(
            r"(?:erc20|erc721)votes?",
            "votes?",
            r"voting(?: (?:power|rights?))?",
            r"governance(?: (?:token"
            r"|votes?|ready|enabled))?",
            r"(?:vote )?delegation",
            r"delegatable|votable",
            r"snapshot(?: (?:by|via|with|for) (?:votes?|voting))?",
            rf"{HOLDER} {CAN} (?:vote|delegate|delegate their votes?)",
        ),
        denied=(
            rf"{WITHOUT}(?: any)? (?:votes?|voting(?: (?:power|rights?))?|governance|delegation"
            r"|snapshot)",
        ),
    ),
    PhraseSet(
        "roles",
        said=(
            r"(?:with )?(?:separate |multiple |different )?role(?: based)?(?: access)?(?: control)?",
            rf"role based(?: access)?(?: control)? (?:for|with) (?P<roles_of>{_ROLE}(?: (?:, and|,|and)"
            rf" {_ROLE})*)(?: role)?",
            rf"(?:(?:separate|different|distinct|with) )*(?P<roles_of>{_ROLE}(?: (?:, and|,|and) {_ROLE})+)(?: role)",
            rf"role(?: (?:for|such as|:|of|like))+ (?P<roles_of>{_ROLE}(?: (?:, and|,|and) {_ROLE})*)",
            "access ?control",
            r"access by role",
            r"access controlled",
        ),
        denied=(rf"{WITHOUT} (?:access control|role(?: based)?(?: access)?(?: control)?)",),
    ),
    PhraseSet("minter_role", said=(r"minter role",), kinds=frozenset({"vesting"})),
    PhraseSet(
        "owner",
        said=(
            "ownable",
            "onlyowner",
            r"(?:single|with|has|have) owner",
            r"owned by (?:me|us|my wallet|our wallet|caller|deployer|creator)",
            r"i (?:am|will be|should be"
            r"|own) (?:owner|it)",
            r"owner (?:is|will be|should be) (?:me|my wallet|caller|deployer|creator)",
            "owner : me",
            "me as owner",
        ),
    ),
    PhraseSet(
        "owner",
        said=(
            r"owner(?: (?:is|:|will be|should be|address|wallet|to|set to|of))*(?: contract)? <address:owner>",
            r"owned by(?: wallet| address)? <address:owner>",
            r"<address:owner> (?:as|is|will be|should be) owner",
            r"<address:owner> owns (?:it|token|contract|<kind>)",
            r"ownership (?:to|goes to|for|:) <address:owner>",
            r"transfer ownership to <address:owner>",
            r"admin(?: (?:is|:))? <address:owner>",
            r"treasury(?: (?:is"
            r"|:))? <address:owner>",
        ),
    ),
    PhraseSet(
        "royalty",
        said=(
            r"royalty(?: info| support| standard)?",
            "(?:erc|eip)2981",
            r"royalty (?:erc|eip)2981",
            r"<pct:royalty>(?: (?:creator|secondary|sale|resale|fee|of|in|as|on))* royalty(?: fee)?(?: on"
            r" (?:secondary |all |every"
            r" |each )*(?:sale|resale))?",
            r"royalty(?: fee| rate)?(?: (?:is|are|of|at|set|to|set to|set at|:|be|should be))* <pct:royalty>(?: on"
            r" (?:secondary |all"
            r" |every |each )*(?:sale|resale))?",
            r"creator fee(?: (?:is|of|at|:))* <pct:royalty>",
        ),
        denied=(rf"{WITHOUT}(?: any)? royalty",),
    ),
    PhraseSet(
        "enumerable",
        said=("enumerable", "enumerability", "enumeration"),
        denied=(
            r"(?:not|non|no|without)"
            r" enumera\w+",
        ),
    ),
    PhraseSet(
        "uri_storage",
        said=(
            r"(?:own|individual|custom|per token|separate|different) (?:metadata|uri|metadata uri)(?: (?:per|for"
            r" each|for every)"
            r" (?:token|nft|<kind>))?",
            "uri storage",
            r"each (?:token|nft|<kind>|one)?(?: ?(?:has|have|with))?(?: (?:its|their))?(?: own)? (?:metadata|uri"
            r"|metadata (?:link|uri))",
            r"metadata (?:per|for each|for every) (?:token|nft|<kind>)",
        ),
        denied=(r"(?:no|without) uri storage",),
    ),
    PhraseSet(
        "soulbound",
        said=(
            r"soul ?bound",
            r"(?:not|non|never)(?: be)? (?:transferable|tradeable|tradable|sellable|movable)",
            r"untransferable|nontransferable",
            r"(?:can|must|should|will|shall) (?:not|never)(?: ever)? be(?: (?:traded|sold|moved)(?: ,)? (?:or|and))?"
            r" (?:transferred|traded|sold|moved)",
            rf"{NOBODY} {CAN} (?:transfer|sell|trade|move)(?: (?:it|them|token))?",
            r"(?:no|without|disable|disabled"
            r"|not allow) transfer",
            r"transfer (?:is |are )?(?:disabled|not allowed|not possible|impossible|blocked|forbidden)",
            rf"{HOLDER} (?:can|must|should) not (?:transfer|sell|trade|move)(?: (?:it|them|their))?(?: token)?",
        ),
        denied=(
            r"(?:freely |fully )?(?:transferable|tradeable|tradable)",
            r"(?:can|to) be (?:freely )?(?:transferred|traded)",
            r"not soul ?bound",
            rf"{HOLDER} {CAN} (?:freely )?transfer(?: (?:it|them|their))?(?: token)?",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        "deploy",
        said=(r"deploy(?:ed)?(?: it| this)?(?: (?:now|right away|immediately))",),
        denied=(
            r"(?:(?:do|should|must|will|shall) )*(?:not|never)(?: (?:be|yet|actually))* deploy(?:ed|ing)?(?: (?:it"
            r"|this|them|token|contract"
            r"|anything|yet|to any chain|on any chain|on chain|anywhere))*",
            r"without(?: actually)? deploy(?:ing|ment)(?: (?:it|this|token|contract))?",
            "no deployment",
            "dry run",
            r"(?:just|only|simply)(?: (?:want|need|like|to|i|would))*(?: (?:show|give|send|write|see|return|print"
            r"|get|generate))(?: (?:me|us))?"
            r"(?: (?:solidity|source))*(?: code)?(?: only)?(?: for now)?",
            r"(?:source |solidity )?code only",
            "only code",
            "just code",
            r"deploy(?: it)? (?:later|myself|ourselves)",
            r"(?:i|we) will deploy(?: it)?(?: (?:myself|ourselves|later))*",
        ),
    ),
    PhraseSet(None, said=(r"(?:and )?(?:show|give|send)(?: (?:me|us))? (?:source |solidity )*(?:code|source)",)),
    PhraseSet(
        "ownerless",
        said=(
            r"(?:no|without|not have|not has)(?: any)? (?:owner|admin)(?: (?:or|and|nor) (?:owner|admin))?(?:"
            r" (?:at all|ever|key|rights?|functions?))*",
            r"(?:ownerless|adminless|unowned)",
            r"ownership (?:(?:is|will be|should be|must be|gets?|to be) )*renounced(?: (?:forever|at (?:launch"
            r"|deployment|creation)|from start|immediately|after deployment"
            r"|right away))*",
            r"renounced?(?: ownership)?(?: (?:forever|at (?:launch|deployment)|from start|immediately))*",
            r"not owned by (?:anyone|me)",
            rf"(?:owned|controlled|administered) by {NOBODY}",
            r"(?:with )?renounced (?:owner|contract)",
            r"(?:nobody|not anyone) (?:owns|controls|can (?:control|own|change)) (?:it|token|contract|<kind>|anything)",
            r"(?:fully |completely )?(?:trustless|immutable) (?:with|and) no owner",
        ),
        denied=(r"not (?:ownerless|renounced)",),
        reason="The contract has an owner.",
    ),
    # People.
    PhraseSet(
        None,
        said=(
            rf"<n:supply>(?: {_UNIT})?(?: (?:supply|initial supply))?(?: (?:is|are|will be|should be|to be))?"
            r"(?: (?:all|sent|minted|premint|issued|given|going|goes|go))* (?:to|for)(?: (?:address|wallet))?"
            r" <address:recipient>",
            rf"(?:premint|mint|send|give|issue|transfer) <n:supply>(?: {_UNIT})?(?: supply)? to(?: (?:address|wallet))?"
            r" <address:recipient>",
            rf"{_SUPPLY}{_IS} <n:supply>(?: {_UNIT})?(?: (?:and )?(?:it|which|that|is|sent|minted|premint|goes"
            rf"|go|all))* to"
            r" <address:recipient>",
            r"(?:premint|mint|send|give|issue|transfer)(?: (?:all|whole|entire|total|full|initial|first"
            r"|everything|it|them|of))*"
            r"(?: (?:supply|token|coin))? to(?: (?:address|wallet))? <address:recipient>",
            r"(?:(?:all|whole|entire|total|full|initial|first) )*(?:supply|token) (?:(?:is|are|should|will|must|be) )*"
            r"(?:sent|minted|goes|go|belongs|belong|issued) to <address:recipient>",
            r"(?:supply )?(?:recipient|receiver)(?: of (?:whole |entire |initial |total )*supply)?(?: (?:is|:"
            r"|address))*"
            r" <address:recipient>",
        ),
        kinds=frozenset({"erc20", "erc721"}),
    ),
    PhraseSet(
        None,
        said=(
            r"minter(?: role)?(?: (?:is|:|to|for|address|wallet|should be|will be|goes to|given to))* <address:minter>",
            r"(?:only )?<address:minter> (?:only )?can (?:only )?mint" + MORE,
            r"<address:minter> (?:as|is|will be|should be) minter",
            r"(?:only )?(?:mintable|minted|minting)(?: only)? by <address:minter>(?: only)?",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        "royalty",
        said=(
            r"<pct:royalty> royalty(?: (?:fee|paid|payable|go|goes|going|sent|on|sale|secondary))* (?:to|for)"
            r" <address:royalty_receiver>",
            r"royalty(?: (?:of|is|:|at))* <pct:royalty>(?: (?:paid|payable|go|goes|going|sent))* (?:to|for)"
            r" <address:royalty_receiver>",
            r"royalty(?: (?:of|is|:|at))* <pct:royalty> ,? ?(?:royalty )?(?:receiver|recipient)(?: (?:is|:))*"
            r" <address:royalty_receiver>",
            r"<pct:royalty> royalty ,? ?(?:royalty )?(?:receiver|recipient)(?: (?:is|:))* <address:royalty_receiver>",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        None,
        said=(
            r"royalty (?:receiver|recipient)(?: (?:is|:|address))* <address:royalty_receiver>",
            r"royalty (?:(?:paid|payable|go|goes|going|sent|are|is) )*(?:to|for) <address:royalty_receiver>",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        None,
        said=(
            rf"(?:all|every)(?: <n:supply>)?(?: {_UNIT})?(?: (?:supply))?(?: (?:go|goes|belong|belongs|minted"
            rf"|sent))* (?:to|for)"
            rf" {_ME}",
            r"i(?: (?:should|will|want|to))* own(?: all)?(?: of)? (?:everything|it|<n:supply>)(?: (?:token|coin"
            r"|supply))?",
            rf"give (?:me|us)(?: all)? <n:supply>(?: {_UNIT})?",
            rf"(?:consisting of|made up of|totalling|totaling|worth)(?: total of)? <n:supply> {_UNIT}",
        ),
        kinds=TOKENS,
    ),
    # Amounts.
    PhraseSet(
        "several",
        said=(
            r"(?:make|create|deploy|build|launch|write|generate|need|want|mint) <n:count> (?:(?:separate|different"
            r"|new|erc20|erc721) )*"
            r"(?:token|coin|contract|collection|nft|<kind>)(?: contract)?",
        ),
    ),
    PhraseSet(
        "capped", said=(r"capped(?: supply)?", "cap", "with cap", r"(?:hard|supply) cap", r"max supply"), kinds=TOKENS
    ),
    PhraseSet(
        "capped",
        said=(
            rf"(?:{_CAP}){_IS} <n:cap>(?: {_UNIT})?(?: (?:supply|total|in total|ever))*",
            rf"<n:cap>(?: {_UNIT})?(?: (?:as|is))?(?: (?:hard cap|hardcap|cap|max supply|max|supply cap|supply limit"
            rf"|max cap))(?! (?:per|each|every|for each|a|in one)\b)",
            rf"(?:can|will|should|must|shall) (?:never|not) (?:be )?(?:exceed|more than|go over|go above|over)"
            rf" <n:cap>(?: {_UNIT})?",
            rf"supply (?:never|not) (?:exceeds?|over|above) <n:cap>(?: {_UNIT})?",
        ),
        weak=(
            rf"(?:limited to|limited edition of|limit of|at most|no more than|never more than|max(?: of)?|not"
            rf" exceed)(?: of)?"
            rf" <n:cap>(?: {_UNIT})?(?: (?:in total|total|ever|exist|can exist|can ever exist))*",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        "mintable",
        said=(
            rf"(?:mintable|minting)(?: by (?:only )?{OWNER})? (?:up to|to at most)(?: max of| total of)?"
            rf" <n:cap>(?: {_UNIT})?"
            r"(?: (?:in total|total|ever))*",
            rf"(?:only )?{OWNER} {CAN} mint(?: more)? (?:up to)(?: max of| total of)? <n:cap>(?: {_UNIT})?"
            rf" (?:in total|total)",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        "fixed",
        said=(
            rf"{_FIXED}(?: (?:total|max|token))* supply",
            rf"supply (?:is |should be |stays? |will be )?{_FIXED}",
            rf"{_FIXED}",
            r"supply (?:never changes|can not change|will not change|can not be (?:changed|increased))",
        ),
        denied=(rf"(?:not|non) {_FIXED}",),
        kinds=TOKENS,
    ),
    PhraseSet(
        "fixed",
        said=(
            rf"{_FIXED} (?:total )?(?:supply|amount|at){_IS} <n:supply>(?: {_UNIT})?{_AFTER}",
            rf"supply (?:is |should be |will be )?fixed (?:at|to) <n:supply>(?: {_UNIT})?{_AFTER}",
            rf"<n:supply>(?: {_UNIT})? {_FIXED}(?: (?:total|max))*(?: supply)?",
            rf"only <n:supply> {_UNIT}(?: (?:exist|will exist|will ever exist|ever))*",
            rf"<n:supply> {_UNIT} only",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        None,
        said=(
            rf"{_SUPPLY}{_IS} <n:supply>(?: {_UNIT})?{_AFTER}",
            rf"there (?:should|will|must|shall|are|to) ?(?:be )?(?:exactly )?<n:supply>(?: {_UNIT}| of them)?{_AFTER}",
            rf"<n:supply>(?: {_UNIT})?(?: of)?(?: (?:total|initial|starting|initially|token))* supply{_AFTER}",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        "minted",
        said=(
            rf"(?:premint|mint|minting|issue|create)(?: (?:initially|exactly|first|initial))* <n:supply>(?: {_UNIT})?"
            rf"(?: (?:initially|at (?:launch|deployment|start)|to start with|upfront))? (?:to|for|into) {_ME}",
            rf"premint(?: of)? <n:supply>(?: {_UNIT})?",
            rf"<n:supply>(?: {_UNIT})? premint",
            rf"<n:supply>(?: {_UNIT})? (?:are |is |should be |to be )?minted (?:to|for) {_ME}",
            rf"(?:initial|initially|starting) (?:supply |amount |mint )?(?:of |with )?<n:supply>(?: {_UNIT})?{_AFTER}",
            rf"<n:supply>(?: {_UNIT})? initial(?: supply)?",
            rf"initial supply{_IS} <n:supply>(?: {_UNIT})?{_AFTER}",
            rf"initial {_SUPPLY}{_IS} <n:supply>(?: {_UNIT})?{_AFTER}",
        ),
        weak=(
            rf"(?:premint|mint|minting|issue|create)(?: (?:initially|exactly|first|initial))* <n:supply>(?: {_UNIT})?"
            r"(?: (?:initially|at (?:launch|deployment|start)|to start with|upfront))?",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        None,
        weak=(
            rf"<n:supply>(?: (?:of|total|initial|in total))* {_UNIT}{_AFTER}",
            rf"<n:supply>{_AFTER}",
            rf"(?:initial|total|starting)(?: of)? <n:supply>(?: {_UNIT})?{_AFTER}",
            r"<n:supply> (?:to start with|to begin with|in total|total|initially)",
            rf"collection of <n:supply>(?: {_UNIT})?",
            r"<n:supply>",
        ),
        kinds=TOKENS,
    ),
    PhraseSet(
        None,
        said=(
            r"<n:decimals> (?:decimal)(?: (?:places?|digits|precision))?",
            r"decimal(?: (?:places?|precision))?(?: (?:is|are|of|at|to|be|set|set to|should be|:))* <n:decimals>",
        ),
        kinds=frozenset({"erc20"}),
    ),
    PhraseSet(
        None,
        said=(r"(?:no|without)(?: any)? decimal(?: places?)?", "indivisible"),
        sets=(("decimals", 0),),
        kinds=frozenset({"erc20"}),
    ),
    PhraseSet(
        None,
        said=(
            r"(?:(?:base|metadata|token) )*(?:uri|metadata)(?: (?:is|at|of|on|from|:|hosted at|stored at|lives at"
            r"|uri))* <uri:base_uri>",
        ),
        weak=("<uri:base_uri>",),
    ),
    # Where the chain, the audit and Slipway itself already do what is asked.
    PhraseSet(
        None,
        said=(
            r"on chain",
            r"set up|setup",
            r"gas (?:efficient|optimi[sz]ed)",
            r"if possible",
            r"as usual",
            r"best practices?",
            r"security best practices?",
            r"(?:security )?audited",
            r"according to best practices?",
            r"with events",
            r"verified source(?: code)?",
            r"i want",
            r"(?:my|our) own",
            r"for me",
            r"for us",
            r"my own",
        ),
    ),
    PhraseSet(
        None,
        weak=(
            rf"(?<!<n> )(?:token|coin|contract|point|credit|nft|{DOCUMENT}|<kind>|<name>|<symbol>) for (?:(?:my|our"
            rf"|this|some|local"
            rf"|small|new|own) )*{_GROUP}(?: {_GROUP})*"
            rf"(?: (?:of|in|at|from) (?:(?:my|our) )?{_GROUP})?",
            rf"(?<!<n> )(?:token|coin|contract|point|credit|nft|{DOCUMENT}|<kind>|<name>|<symbol>) for (?:my|our)"
            rf" (?!{_CLAIMS})[a-z]+(?:"
            rf" (?!{_CLAIMS}|{_JOINT})[a-z]+)?",
        ),
        kinds=_NOBODYS,
    ),
    PhraseSet(
        None,
        weak=(
            rf"{_GROUP}(?: {_GROUP})*(?= (?:token|coin|collection|point|credit|<kind>|<name>))",
            rf"(?<=for ){_GROUP}",
            rf"(?<=governance token )for (?:my |our ){_GROUP}",
        ),
    ),
]

# What no kind has: known, so that it can be denied ("no transfer tax") and refused with a reason.
_ECONOMY = "The composer's tokens have no economy of their own."
UNSUPPORTED: list[PhraseSet | WordForms] = [
    PhraseSet(
        "public_mint",
        said=(
            r"(?:public|open|free|paid|payable) mint(?:ing)?",
            r"anyone can mint",
            r"mint(?:ing)? (?:price|fee|cost)(?: (?:of|is|:|at))*(?: <eth>)?",
        ),
        denied=(r"(?:no|without) public mint(?:ing)?",),
        kinds=_BUT_COLLECTIONS,
        reason="Only the owner, or holders of the minter role, mint; nothing is sold.",
    ),
    PhraseSet(
        "other_proxy",
        said=(
            r"(?:(?:a|an|the|via|by|through|using|with) )*(?:transparent|beacon|diamond|minimal|clone)(?:"
            r" upgradeable)? (?:proxy|proxies|upgrades?|pattern)",
            r"(?:transparent|beacon|diamond) upgrade ?able",
        ),
        denied=(rf"{WITHOUT} (?:transparent|beacon|diamond) proxy",),
        reason="Contracts are upgraded by UUPS alone.",
    ),
    PhraseSet(
        "tax",
        said=(
            rf"(?:<pct> )?(?:(?:{_TRANSFER}|transaction|buy|sell|sale) )?(?:tax|fee)(?: of <pct>)?(?: (?:on|of|per"
            rf"|for|from)"
            rf" (?:each |every |all |any )*(?:{_TRANSFER}|transaction|buys?|sells?|sale|it))?",
            r"(?:burns?|takes?|charges?|sends?) <pct>(?: (?:of|on|for|from|each|every|all|amount|value))*"
            r" (?:transfer|transaction|trade)",
            "fee on transfer",
            "deflationary",
        ),
        denied=(
            rf"(?:no|without|not|zero)(?: any)? (?:(?:{_TRANSFER}|transaction|buy|sell|sale) )?(?:tax|fee)(?: (?:on"
            rf"|for)"
            rf" (?:{_TRANSFER}|transaction))?",
            r"(?:tax|fee) free",
        ),
        kinds=_BUT_COINS,
        reason="Only ERC-20 tokens can have a tax on transfers.",
    ),
    PhraseSet(
        "reflections",
        said=("reflections?", r"(?:<pct> )?reflections?(?: to holder)?", r"(?:buy|sell|sale) (?:tax|fee)"),
        denied=("no reflections?", r"(?:no|without) (?:buy|sell|sale) (?:tax|fee)"),
        reason="A token does not know which transfers are sales, and gives nothing to holders.",
    ),
    PhraseSet(
        "limits",
        said=(
            r"anti ?(?:bot|snipe)(?: limits?| protection)?",
            r"max (?:wallet|transaction)(?: (?:size|limit))?",
            "anti ?whale",
        ),
        denied=(r"(?:no|without) (?:anti ?bot|limits?)",),
        reason="Holders are not limited in this way.",
    ),
    PhraseSet(
        "lists",
        said=(
            r"allowlist(?:ed|ing)?",
            "kyc",
            r"freez(?:e|able|ing) (?:accounts?|address|holder)",
            r"blacklist(?:ed|ing)?",
        ),
        denied=(rf"{WITHOUT}(?: any)? (?:blacklist(?:ing)?|allowlist(?:ing)?|kyc|freezing)",),
        reason="Whom a holder sends to is not restricted in this way.",
    ),
    PhraseSet(
        "economy",
        said=(
            r"rebas(?:e|ing)",
            "elastic supply",
            "dividends?",
            r"buy ?backs?",
            "auto ?liquidity",
            "liquidity",
            "interest",
            "rewards?",
            r"stak(?:e|ed|eable|ing)",
            "halving",
            "inflation(?:ary)?",
            r"peg(?:ged)?",
            r"collaterali[sz]ed",
        ),
        denied=(
            r"(?:no|without|not|non) (?:rebas(?:e|ing)|inflation(?:ary)?|staking|rewards?|dividends?|buy"
            r" ?backs?)",
        ),
        reason=_ECONOMY,
    ),
    PhraseSet(
        "flash_mint",
        said=(r"flash ?mint(?:ing|able)?", r"flash minting"),
        denied=(
            r"(?:no|without) flash"
            r" ?mint(?:ing)?",
        ),
        reason="The composer knows no flash minting.",
    ),
    PhraseSet(
        "bridged",
        said=(r"cross chain", r"omni ?chain", "layerzero", "layer zero", r"bridge ?able", "multi chain"),
        reason="Each chain has a contract of its own, without ties.",
    ),
    PhraseSet(
        "revocable",
        said=(r"revocable|revokable|clawback|claw back",),
        denied=(
            r"(?:not|non) (?:revocable"
            r"|revokable)|irrevocable|(?:no"
            r"|without) clawback",
        ),
        kinds=_UNREVOKED,
        reason="What was given can't be taken back.",
    ),
    PhraseSet(
        "steps",
        said=(
            r"(?:vest(?:ing|ed)? |released? |unlock(?:ed|s|ing)? )?(?:monthly|weekly|daily|quarterly"
            r"|yearly|annually)"
            r"(?: (?:tranches|releases?|unlocks?|release))?",
            "tranches",
            "milestones?",
        ),
        reason="What vests is released by the second, linearly.",
    ),
    PhraseSet(
        "oracle",
        said=(ORACLES, rf"(?:with|by|using|via|from) (?:{ORACLES})"),
        denied=(rf"(?:no|without)(?: any)? (?:{ORACLES})",),
        reason="It needs an oracle (randomness, prices), which a chain may lack.",
    ),
    PhraseSet(
        "dangerous",
        said=(r"self ?destruct", "backdoor", r"rug ?pull", "drain", "assembly", r"delegate ?call", r"honey ?pot"),
        denied=(r"(?:no|without)(?: any)? (?:backdoors?|honey ?pot|self ?destruct|assembly)",),
        reason="The composer does not write such code.",
    ),
]
