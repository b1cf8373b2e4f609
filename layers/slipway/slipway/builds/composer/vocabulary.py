"""The words that the composer knows, as patterns, and why it can't do what others can."""

from __future__ import annotations

from slipway.builds.models import Kind

DURATIONS = {
    "second": 1,
    "minute": 60,
    "min": 60,
    "hour": 3_600,
    "hr": 3_600,
    "day": 86_400,
    "week": 7 * 86_400,
    "month": 30 * 86_400,
    "quarter": 91 * 86_400,
    "year": 365 * 86_400,
    "yr": 365 * 86_400,
}
"""Seconds of each unit; a month has 30 days, a year 365."""

# Kind, pattern, and whether the word also stands for other things (any kind that is named outright goes before).
KINDS: list[tuple[Kind, str, bool]] = [
    ("erc1155", r"\b(?:erc|eip)[\s_-]*1155\b|\bmulti[\s-]?tokens?\b|\bsemi[\s-]?fungibles?(?: tokens?)?\b", False),
    (
        "erc721",
        r"\b(?:erc|eip)[\s_-]*721[a-z]?\b|\bnfts?\b|\bnon[\s-]?fungibles?(?: tokens?)?\b"
        r"|\b(?:digital )?collectibles?\b",
        False,
    ),
    ("erc20", r"\b(?:erc|eip|bep)[\s_-]*20\b|(?<!non-)(?<!non )(?<!semi-)(?<!semi )\bfungible tokens?\b", False),
    ("vesting", r"\bvest(?:ing|ed|s)?\b(?:[\s-]+(?:wallet|contract|schedule|vault))?", False),
    ("escrow", r"\bescrow(?:s|ed)?\b", False),
    (
        "timelock",
        r"\btime[\s-]?lock(?:s|ed|ing)?\b(?:[\s-]+controller)?|\bmulti[\s-]?sig(?:s|natures?)?\b(?:[\s-]+wallet)?",
        False,
    ),
    (
        "erc20",
        r"(?<!per-)(?<!per )\b(?:stable|meme|utility |governance )?(?:coin|token|memecoin|stablecoin|cryptocurrency)\b",
        True,
    ),
    ("erc721", r"\b(?:art )?collection\b", True),
]

UNSUPPORTED_KINDS = (
    r"\bstaking(?: contract| pool)?\b|\byield farm(?:ing)?\b|\bdecentrali[sz]ed exchange\b|\bdex\b"
    r"|\bamm\b|\b(?:liquidity|lending) pool\b"
    r"|\blending(?: protocol)?\b|\bborrow(?:ing)?\b|\bauctions?\b|\blotter(?:y|ies)\b|\braffles?\b"
    r"|\bcasino\b|\bgambling\b"
    r"|\bprediction market\b|\bmarketplaces?\b|\bbridge\b|\boracles?\b|\bdao\b|\bcrowd(?:fund(?:ing)?"
    r"|sale)\b|\bicos?\b|\bpresales?\b"
    r"|\bkickstarter\b|\berc[\s-]*(?:4626|777|4907|3643|404|6551|4337|1363)\b|\bvaults?\b"
    r"|\binsurance\b|\boptions? (?:protocol|contract)\b"
    r"|\bsubscriptions?\b|\bpayroll\b|\bpayment splitter\b|\bairdrop(?:s|per)?\b|\bfaucet\b"
    r"|\bflash[\s-]?loans?\b|\bpyramid scheme\b"
    r"|\bponzi\b|\bswap\b|\bvoting (?:contract|system|dapp)\b|\bballot\b|\bregistry\b|\bwebsite\b|\bfrontend\b"
)

# Pattern and reason; tried in this order, before the features below.
UNSUPPORTED_FEATURES = [
    (
        r"\b(?:(?:uups|transparent|beacon)(?:[\s-]*(?:upgrad\w*|prox(?:y|ies)))?|upgrad(?:e)?ab(?:le"
        r"|ility)(?: (?:prox(?:y|ies)|contract))?"
        r"|prox(?:y|ies)|upgrades?)\b",
        "Contracts of a build can't be upgraded: what was audited is what stays deployed.",
    ),
    (
        r"\b(?:\w+ )?(?:\d+(?:\.\d+)?\s*(?:%|percent) )?(?:fee|tax|taxes|burn|reflection|redistribution)s?"
        r"(?: of \d+(?:\.\d+)?\s*(?:%|percent))? (?:on|of|per|for|from) (?:each|every|all|any)?\s*"
        r"(?:transfers?|transactions?|trades?|buys?|sells?)\b"
        r"|\b(?:\d+(?:\.\d+)?\s*(?:%|percent) )?(?:transfer|transaction|trading|buy|sell"
        r"|sales?)[\s-]+(?:fee|tax)(?:es|s)?\b"
        r"|\b(?:burns?|takes?|charges?|sends?)\s+\d+(?:\.\d+)?\s*(?:%"
        r"|percent)[^.,;]{0,30}(?:transfers?|transactions?|trades?)\b"
        r"|\b(?:each|every) (?:transfer|transaction)[^.,;]{0,30}\d+(?:\.\d+)?\s*(?:%|percent)(?: fee| tax)?"
        r"|\b\d+(?:\.\d+)?\s*(?:%|percent) (?:tax|fee)\b|\btax(?:es)?\b|\breflections?\b|\bfee[\s-]on[\s-]transfer\b",
        "A token moves whole: amounts that change on the way break exchanges and escrows.",
    ),
    (r"\b(?:anti[\s-]?(?:whale|bot|snipe)|max(?:imum)? (?:wallet|transaction|tx))\b", "Holders are not limited."),
    (
        r"\b(?:black|white|allow|deny|block)[\s-]?list(?:s|ed|ing)?\b|\bkyc\b|\bfreez(?:e|ing"
        r"|able) (?:accounts?|addresses|holders)\b",
        "Whom a holder sends to is not restricted.",
    ),
    (
        r"\brebas(?:e|ing)\b|\belastic supply\b|\bdividends?\b|\bbuy[\s-]?backs?\b|\bauto[\s-]?liquidity\b"
        r"|\bliquidity\b|\binterest\b|\brewards?\b|\bstak(?:e|ed|eable)\b|\bhalving\b"
        r"|\binflation(?:ary)?\b|\bdeflationary\b|\bpeg(?:ged)?\b|\bcollaterali[sz]ed?\b",
        "The composer's tokens have no economy of their own.",
    ),
    (
        r"\b(?:public|open|free|paid|payable) mint(?:ing)?\b|\banyone can mint\b"
        r"|\bmint(?:ing)? (?:price|fee|cost)\b(?:\s*(?:of|is|:|=))?(?:\s*\d+(?:\.\d+)?\s*(?:eth"
        r"|ether))?"
        r"|\b(?:price|cost)s?\b(?:\s*(?:of|is|:|=))?\s*\d+(?:\.\d+)?\s*(?:eth|ether)\b"
        r"|\bfor \d+(?:\.\d+)?\s*(?:eth|ether)\b(?: each)?",
        "Only the owner, or holders of the minter role, mint; nothing is sold.",
    ),
    (r"\bburn(?:s|ing)? (?:from )?(?:any(?:one|body)?|other)[\w\s']{0,20}\b", "Nobody can burn what others hold."),
    (r"\bsoul[\s-]?bound\b|\bnon[\s-]?transferr?able\b|\bcan(?:no|')t be transferred\b", "Tokens can be transferred."),
    (
        r"\breveal(?:ed|ing)?\b|\brandom(?:ly|ness|i[sz]ed)?\b|\bon[\s-]?chain (?:art|svg|metadata)\b"
        r"|\bdutch auction\b",
        "Metadata is what the address for metadata serves.",
    ),
    (
        r"\bcross[\s-]?chain\b|\bomni[\s-]?chain\b|\blayer ?zero\b|\bbridge?able\b",
        "Each chain has a contract of its own, without ties.",
    ),
    (r"\bflash[\s-]?mint(?:ing|able)?\b", "The composer knows no flash minting."),
    (r"\brevo(?:cable|kable|ke|ked)\b|\bclawback\b", "What is vesting can't be taken back."),
    (
        r"\b(?:vest(?:ing|ed)? |released? |unlock(?:ed|s|ing)? )?(?:monthly|weekly|daily|quarterly"
        r"|yearly|annually)(?: (?:tranches|releases?|unlocks?))?\b|\btranches\b|\bmilestones?\b",
        "What vests is released by the second, linearly.",
    ),
    (
        r"\bself[\s-]?destruct\b|\bbackdoor\b|\brug[\s-]?pull\b|\bdrain\b|\bassembly\b"
        r"|\bdelegate[\s-]?call\b|\bhoney[\s-]?pot\b",
        "The composer does not write such code.",
    ),
]

FEATURES = {
    "fixed": r"\b(?:fixed|constant|immutable)(?: (?:total|max))?(?: supply)?\b|\bsupply\b",
    "permit": r"\b(?:erc-?20)?permits?\b|\b(?:erc|eip)[\s-]*2612\b|\bgas-?less approvals?\b|\bsigned approvals?\b",
    "votes": (
        r"\b(?:erc-?(?:20|721))?votes?\b|\bvoting(?: power| rights)?\b|\bgovernance\b"
        r"|\bdelegat(?:ion|es?|able|ing)\b|\bsnapshots?(?: (?:by|via|with) votes)?\b|\bvotable\b"
    ),
    "mintable": r"\bmint(?:able|ing|ed|s|ability)?\b(?: (?:more|function|new)(?: \x1f+| tokens)?)?|\bissue more\b",
    "burnable": r"\bburn(?:able|ing|ed|s|t|ability)?\b(?: function)?|\bdestroy(?:ed|able)?\b",
    "pausable": (
        r"\bpaus(?:e|able|eable|ing|ed|es|ability)\b|\bemergency stop\b|\bcircuit breaker\b"
        r"|\b(?:freeze|halt|stop) (?:all )?transfers\b"
    ),
    "capped": r"\b(?:hard[ -]?)?cap(?:ped|s)?\b|\bmax(?:imum)?(?: total)? supply\b",
    "royalty": r"\broyalt(?:y|ies)\b(?: info)?|\b(?:erc|eip)[\s-]*2981\b",
    "enumerable": r"\benumerab(?:le|ility)\b|\benumerat(?:e|ion)\b",
    "uri_storage": r"\b(?:per[\s-]?token|individual|own|custom) (?:metadata|uris?)\b|\buri storage\b",
    "roles": (
        r"\brole[\s-]?based(?: access)?(?: control)?\b|\baccess[\s-]?control(?:led)?\b"
        r"|\b(?:access by |separate |minter |pauser |multiple )*roles?\b(?![\s-]based)"
    ),
    "owner": r"\bown(?:er|able|ed|ership|s)(?:'s|’s)?\b(?:[\s-]only)?|\bonly ?owner\b",
    "ether": r"\b(?:eth|ether|native(?: currency| token)?s?)\b",
    "tokens": r"\b(?:any )?tokens?\b|\busdc\b|\busdt\b|\bdai\b",
    "signers": r"\b(?:signers?|signatures?|signator(?:y|ies)|owners|confirmations?|approvals?)\b",
    "delay": r"\bdelay(?:s|ed)?\b",
    "cliff": r"\bcliff\b",
    "linear": r"\blinear(?:ly)?\b",
    "parties": (
        r"\b(?:buyer|seller|arbiter|arbitrator|mediator|freelancer|client|payer|payee"
        r"|dispute resolution|disputes?|refunds?|refundable)s?\b"
    ),
}
"""Feature and how it is worded. Some only say that a word is understood: `owner`, `ether`, `parties` and the like."""

_FILLER_WORDS = """
a about above account add added additional address after all allow allowed allows also an and any anyone are
as at available based basic be because been beneficiary best build by called can capabilities capability
caller chain chains class clean code coin coins collection community company compatible compliant contract
contracts could create creates creating custom define defined deploy deployed deployer deploying design
develop does each easy either enable enabled ensure erc ethereum etc evm every everyone feature featured
features financing follow following for from full fully function functionality functions generate generates
get give gives good great grants hard has have having he help hello hi hold holder holders holding holds how i
if implement implementation implementing implements in include included includes including initial initially
inside into is it it's its itself just kind launch launches like ll make makes making may me mode must my name
need needs new nice non now number of offers ok on once one only openzeppelin option or other our out over own
participants people per please plus power powers premint preminted private produce production professional
project protocol provide provides proper properly public put quick ready regular release released releases
require required requires rights safe sample secure security self set sets shall she should simple simply
single small smart so solidity some something standard standards start style such supply support supported
supporting supports symbol system team test than thank thanks that that's the their them then there these they
they're thing this those through ticker to token tokenized tokens total transfer transferable transferred
transfers type under units up us usable use used user users uses using utility v very via wallet wallets want
wanted wants was we well what when where which who whole whose will with within without work works would write
written you your cryptocurrency stablecoin memecoin meme dapp app application blockchain web3 between hold
funds money payment payments locks lock locked unlock unlocks unlocked over until ends period schedule
schedules beneficiaries employee employees founder founders advisor advisors investor investors operation
operations transaction transactions execute executes executed execution propose proposals proposal queue
queued controller treasury company's minimum least agreement release releasing deposit deposits deposited pay
pays paid goods services service resolve resolves resolution decide decides both parties two nft nfts item
items game games art artwork digital edition editions metadata base uri url ipfs on-chain creator minter
pauser admin administrator me myself initially pre-minted tradeable tradable able not no nor n't never cannot
can't more further unlimited let lets turn holders' owner's purpose purposes called named titled dubbed day
days short long lasting term takes take waiting wait time times
"""
FILLERS = frozenset(_FILLER_WORDS.split())
"""Words that ask for nothing by themselves."""

NAME_ENDS = (
    r"with|and|that|which|having|has|have|for|symbol|ticker|on|supply|total|initial|owned|whose|where|who|in|using|to"
    r"|is|are|it|as|by|from|of|at|max|maximum|capped|cap|decimals?|mintable|burnable|pausable|permit"
    r"|votes?|upgradeable|plus"
    r"|but|without|called|named|fixed|standard|erc-?20|erc-?721|erc-?1155|please|contract|then|should"
    r"|must|can|will|royalt(?:y|ies)"
    r"|token symbol|so|if|when|minted|where|via|non|not|no|ERC-?\d+|NFTs?"
)
"""Words that end a name that has no quotes around it; in this spelling, since a name may have `In` and `The`."""
