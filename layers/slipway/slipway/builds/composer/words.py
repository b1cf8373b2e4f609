"""Single words: which are the same, which ask for nothing, and which misspellings are seen through.

The list of stop words is short and closed. No negation, quantifier, verb of authority, number, address or name is one.
"""

from __future__ import annotations

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

SAME = {
    **dict.fromkeys(("may", "could"), "can"),
    **dict.fromkeys(("tokn", "tokns", "tken", "tkn", "toke n"), "token"),
    **dict.fromkeys(("maximum", "maximal", "maxed"), "max"),
    **dict.fromkeys(("minimum", "minimal"), "min"),
    **dict.fromkeys(("everyone", "everybody", "anybody"), "anyone"),
    **dict.fromkeys(("noone", "nobody"), "nobody"),
    **dict.fromkeys(("transferrable", "transferible", "transferable"), "transferable"),
    **dict.fromkeys(("pauseable", "pausible"), "pausable"),
    **dict.fromkeys(("upgradable",), "upgradeable"),
    **dict.fromkeys(("burnt", "burned"), "burned"),
    **dict.fromkeys(("txs", "tx", "txn", "txns", "transactions"), "transaction"),
    **dict.fromkeys(("whitelist", "whitelists"), "allowlist"),
    **dict.fromkeys(("whitelisted", "allowlisted"), "allowlisted"),
    **dict.fromkeys(("blocklist", "denylist", "blacklists", "blocklists"), "blacklist"),
    **dict.fromkeys(("royalties", "royaltys"), "royalty"),
    **dict.fromkeys(("uris", "url", "urls"), "uri"),
    **dict.fromkeys(("administrator", "admins"), "admin"),
    **dict.fromkeys(("anymore",), "any more"),
    **dict.fromkeys(("thats", "thats'"), "that"),
    **dict.fromkeys(("preminted", "preminting"), "premint"),
    **{f"{word}s": word for word in (
        "token", "coin", "unit", "item", "piece", "edition", "collectible", "point", "credit", "voucher", "share",
        "holder", "user", "wallet", "account", "transfer", "sale", "trade", "decimal", "nft", "role", "permit", "vote",
        "function", "feature", "collection", "contract", "signer", "cap", "limit", "snapshot", "approval", "fee",
        "minter", "pauser", "burner", "upgrader", "buyer", "seller", "arbiter", "payment", "dispute", "refund",
        "beneficiary", "symbol", "address", "reward", "phase", "badge", "certificate", "card", "mile", "gift",
        "diploma", "credential", "poap", "sbt", "pass", "increment",
        "bid", "bidder", "staker", "proposal", "contributor", "ticket",
    ) if word != "address"},
    **dict.fromkeys(("beneficiaries",), "beneficiary"),
    **dict.fromkeys(("copies",), "copy"),
    **dict.fromkeys(("taxes",), "tax"),
    **dict.fromkeys(("addresses",), "address"),
}  # fmt: skip
"""Words that stand for one another."""

SILENT = frozenset({"a", "an", "the", "please", "pls", "plz", "also", "its", "own's"})
"""Words that may stand between any two others without a change of meaning."""

_FILLER_WORDS = """
and with that which who has have having had is are be being been am was will would should shall must can to of for
from in on at as by into it this these those they them their there i we me us my our you your do does so then plus too
hi hello hey cheers thanks thank kindly like need needs want wants wish looking help simply create creates creating make
makes making build builds building launch launches launching write writes generate generates develop develops produce
deploy give get add adds include includes including included implement implements implementing use uses using used
provide provides support supports supporting enable enables enabled allow allows ensure come comes following based
comply complies contract smart solidity code source token coin evm ethereum blockchain crypto cryptocurrency web3 dapp
openzeppelin library function functionality feature capability capabilities standard version template extension where
whose collection new simple basic plain nice good great cool clean safe secure normal regular usual classic
professional custom proper properly fully working compatible compliant ready production modern well documented tested
quality style
"""
STOP_WORDS = frozenset(_FILLER_WORDS.split())
"""Words that ask for nothing by themselves: function words, courtesies, and what every request is about."""

_LEADING_WORDS = "and where make create with that which it is are should will be has have to of"
LEADING = frozenset(_LEADING_WORDS.split())
"""Stop words that are cut from the beginning of what was not understood."""

JOINTS = frozenset({"and", "but", "with", "plus", "also", "then", "having", "including"})
"""Words after which another phrase begins."""

NAME_ENDS = (
    r"with|and|that|which|having|has|have|for|symbol|ticker|on|supply|total|initial|owned|whose|where|who|in|using|to"
    r"|is|are|it|as|by|from|of|at|max|maximum|capped|cap|decimals?|mintable|burnable|pausable|permit"
    r"|votes?|upgradeable|plus|a|an|the"
    r"|but|without|called|named|fixed|standard|erc-?20|erc-?721|erc-?1155|please|contract|then|should"
    r"|must|can|will|royalt(?:y|ies)|only|each|every|per|any|all|both|until|up|everyone|anyone|nobody|users?|holders?"
    r"|token symbol|so|if|when|minted|where|via|non|not|no|ERC-?\d+|NFTs?|does|do|my|our|its|make|let|also|no-one"
)
"""Words that end a name that has no quotes around it; in this spelling, since a name may have `In` and `The`."""

_CORRECTABLE_WORDS = """
create generate build called named token tokens
 supply total initial symbol ticker decimals mintable burnable pausable permit votes
voting capped million billion thousand trillion royalty royalties enumerable collection contract escrow vesting
timelock beneficiary cliff duration delay signers threshold owner owned holders minting burning maximum fixed
upgradeable transferable soulbound staking auction governor crowdsale revocable quorum allowlist whitelist without
governance delegation hundred deploy launch metadata months airdrop splitter subscription cooldown rewards percent
address wallet recipient receiver ownership renounced renounce transfer transfers minted unlimited nobody everyone
anyone transaction transactions minter pauser multisig signature signatures
"""
CORRECTABLE = frozenset(_CORRECTABLE_WORDS.split())
"""Words whose misspellings by one edit are seen through."""

_NEIGHBOURS_WORDS = """
action burying airdrops auctions beneficiarys billions boring born borning bullion bunning bunting buying cabled
caller calls calved camped capable caped caper capper caps carped chapped clapped clips cliffs clift coiled cold
collect culled cupped coped copper contact contacts contracts contrast created creates creator crate crease create
decay decays decoy decimal delays relays delegations denay deploys escrows faxed field filed fined fired fixes fixer
foxed governed governors hallowed holder hollers holsters houses hundreds initials lunch launched launches lurch
manned maximums mental meter minded minder mine mined miner miners mining minister minnow mint minted minter minters
mints minute minutes missing mister mixed monitor month months moths mouth mouths mounting mounted mourning hunting
naked name names navies nested noted owed owner owners owning pause paused pauser pausers pauses passable passer
payable percents percept permits premix purser planted quorums receive received receives receivers recipients regards
reward rewarded renowned sacking saying seeking shaking signer singers sinners signed signatures signets splinter
splatter stacking staging staring stating staying stoking stocking striking sneaking soaking subscriptions supple
supplies supplied suppler supplying symbolic symbols tacked tacker taken takes thicker thousandth thousands thresholds
ticked ticket tickets tickled tinker token tokens total totals tonal topple transfer transfers transferred transaction
transactions trillions tucker venting vested vestige visiting vetting voices volting vote voted voter voters votes
walled wallets waltz without airdropped mining coming timeline loyalty loyal reality holding holdings revealing reveal
public cooling release released rates roles rolls
"""
NEIGHBOURS = frozenset(_NEIGHBOURS_WORDS.split())
"""English words that are one edit away from these, and mean what they say."""
