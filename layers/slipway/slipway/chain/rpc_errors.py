"""What a node's refusal means: pure, by exclusion.

Only the refusals that are known to be permanent are final: a signed transaction that breaks a rule of the protocol, and
a revert of a call or an estimate. Everything else, unknown words included, says nothing for good: look what happened,
ask the next address, come back later.

Clients word the same refusal in many ways, and gateways wrap those words in their own, in JSON within a string, in
upper case. So texts are compared as letters and digits alone. Sources: the error lists of geth, bor, erigon,
nethermind, besu, reth and revm, anvil, nitro, zksync-era, lotus, cosmos-sdk and substrate, and the documents of
providers; the texts themselves are in ``tests/support/rpc_refusals.json``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

SEND, CALL, ESTIMATE = "eth_sendRawTransaction", "eth_call", "eth_estimateGas"
# Of what is said these are classified.
_MAX_WORDS = 1000
# Of a message or a page that is read.
_MAX_READ = 4000
_MAX_DEPTH = 4


class Verdict(StrEnum):
    """What to do after a refusal.

    Attributes:
        CHECK: These bytes, or others at their nonce, may be there: the receipts and the nonce decide.
        PAY_MORE: Sign the nonce again with higher fees.
        LATER: Ask the next address, or again later, within the deadline.
        NEXT_ADDRESS: This address will never do it; another may.
        FINAL: No node will ever do it.
    """

    CHECK = "check"
    PAY_MORE = "pay_more"
    LATER = "later"
    NEXT_ADDRESS = "next_address"
    FINAL = "final"


@dataclass(frozen=True)
class Refusal:
    """A refusal as it came: the HTTP status and the JSON-RPC error's parts.

    Attributes:
        method: What was asked.
        status: The HTTP status.
        code: The error's code, 0 where it has none.
        message: Its message.
        data: Its data.
        is_error: Whether it is a JSON-RPC error: nodes say nothing in pages, texts or other JSON.
    """

    method: str
    status: int
    code: int
    message: str
    data: Any = None
    is_error: bool = True

    @property
    def words(self) -> str:
        """The message, and what relays put beside it: the error of the node that they asked."""
        return " ".join([self.message, *texts_of(self.data)])[:_MAX_WORDS]

    @property
    def is_of_node(self) -> bool:
        """Whether a node may have refused, and not its gateway alone."""
        return self.is_error and self.status not in _GATEWAY_STATUSES and self.status < _MIN_WITHOUT_NODE


def texts_of(data: Any, depth: int = 0) -> Iterator[str]:
    """Return the texts in a JSON value, such as an error's data; bytes in hexadecimal are none."""
    if isinstance(data, str) and not data.startswith("0x"):
        yield data
    elif isinstance(data, dict | list) and depth < _MAX_DEPTH:
        for entry in data.values() if isinstance(data, dict) else data:
            yield from texts_of(entry, depth + 1)


def refusal_of(method: str, status: int, answer: Any, page: str = "") -> Refusal:
    """Read a refusal, whatever its shape: an error, one in a list, a text, other JSON, or a page without its tags.

    Args:
        method: What was asked.
        status: The HTTP status.
        answer: The answer's JSON, None if it has none.
        page: The answer as it came.
    """
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        message, data = error.get("message"), error.get("data")
        if not isinstance(message, str):
            message, data = "", [message, data]
        return Refusal(method, status, _code(error.get("code")), message[:_MAX_READ], data)
    words = " ".join(texts_of(answer)) or re.sub(r"<[^>]*>", " ", page[:_MAX_READ])
    code = _code(answer.get("code")) if isinstance(answer, dict) else 0
    return Refusal(method, status, code, " ".join(words[:_MAX_READ].split()), is_error=False)


def _code(code: Any) -> int:
    """Return an error's code, which some gateways write as a text; 0 for anything else."""
    if isinstance(code, str) and re.fullmatch(r"-?[0-9]{1,9}", code):
        return int(code)
    return code if isinstance(code, int) else 0


@dataclass(frozen=True)
class Classification:
    """What a refusal means.

    Attributes:
        verdict: What to do.
        least_tip: The tip in wei per unit of gas that the node wants at least, 0 when it does not say.
        is_load: Whether the address has too much to do, which is no outage.
    """

    verdict: Verdict
    least_tip: int = 0
    is_load: bool = False


class _Words:
    """A pattern that is compiled when it is first needed: most processes never see a refusal."""

    def __init__(self, *patterns: str) -> None:
        self._pattern = "|".join(patterns)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._pattern)

    def search(self, text: str) -> re.Match[str] | None:
        return self._compiled.search(text)


# An earlier nonce of the account is on its way, or the node keeps no gaps.
_NONCE_AHEAD = _Words(
    r"(?<!account)(?<!current)(?<!state)nonce(is|was)?(too)?(high|higher|great|greater|large|larger|big|ahead|far)(?!est)",
    r"futurenonce",
    r"nonce\w*toodistant",
    r"noncegap",
    r"gapped",
    r"invalidtransactionfuture",
    r"triestoreplacepending",
    r"futurereplacepending",
)
_NONCE_NUMBERS = _Words(
    r"got\D{0,12}(?P<got>\d+)\D{1,30}expected\D{0,12}(?P<wanted>\d+)",
    r"expected\D{0,24}(?P<wanted2>\d+)\D{1,30}got\D{0,12}(?P<got2>\d+)",
)
_OF_ACCOUNT = r"(the|than|of|your|its|current|expected|account|sender|state|next|chain|s){0,4}"
_UNDER = r"(below|lessthan|lowerthan|smallerthan|behind|under)"
_CHECK = _Words(
    # Already known, imported, in the pool, mined, exists, broadcast, used, and whatever else it already is.
    r"already(?!\w{0,12}(reserved|exceed|expire|deprecat|limit|disconnect|closed|cancel|abort))",
    # Not an "unknown transaction".
    r"(?<!un)known(transaction|tx)|(transaction|tx)(is)?known",
    r"previously(known|submitted|seen|sent|imported|processed)",
    r"(exist(s|ed|ing)?|nonce)in(the)?(mem|tx|act|m|transaction)?pool|existsalready",
    r"tobump(the)?(transaction|tx)",
    r"duplicate",
    r"(same|identical)hash|hashcollision",
    r"nonce\d*(is|was|has|been|too)*(low|small|old|stale|past|behind|outdated|expired|used|consumed|taken|mismatch)",
    r"nonce\d*(is|was)(invalid|incorrect|wrong)",
    r"nonce\w{0,20}" + _UNDER + _OF_ACCOUNT + r"(nonce|current|expected|next|account|\d+)",
    _UNDER + _OF_ACCOUNT + r"nonce",
    r"(account|current|state)nonce(is)?(too)?(high|great|larg|ahead)",
    r"(old|stale|past|used|outdated|consumed|wrong|invalid|incorrect|bad|expired|unexpected)"
    r"(transaction|tx|account)?nonce(?!params)",
    r"correctnonce|expected(transaction|tx|account|sender)?nonce|nonce\w{0,8}expected|noncedoesnotmatch",
    r"(same|this|that|identical)nonce|pending(transaction|tx)\w{0,12}nonce|nonceisnotconsistent",
    r"existing(transaction|tx)(had|has)",
    r"(invalid|incorrect|wrong|bad)(account)?seq(?!uencer)|sequence(number)?mismatch",
    r"replac(e|ing)(ment|d)?(?!(ment|d)?(server|node|backend|upstream|key))",
    r"stale(transaction|tx)|(transaction|tx)(is)?(stale|outdated)",
    r"temporarilybanned",
    r"priorityistoolow|toolowpriority",
)
_PRICE = (
    r"(gas_?(price|fee)s?|fee_?(cap|rate)|tip(cap)?|priorityfee(pergas)?|max_?fee(pergas)?|feepergas|unitprice|offeredfee"
    r"|txfee|transactionfee)"
)
_LEAST = r"(minimum|minimal|min|floor|required|suggested|least)(network|pool)?"
_PAY_MORE = _Words(
    r"underpriced",
    r"invalid(gas|unit)price",
    r"(fee|price|tip|cap|rate|pergas)s?(is|was|are|offered|\d)*too(low|small|cheap)",
    r"too(low|small)(l2)?(gasprice|fee|maxfee|tip|priorityfee)",
    r"(insufficient|notenough|unsufficient)(gas|tx|transaction|base|max|priority|offered)*(fee|price|tip)s?(?!\w{0,30}replace)",
    r"(fee|price|tip|pergas)s?(offered|is|was|are)*(notenough|notsufficient|insufficient)",
    _PRICE + r"\w{0,80}?(" + _UNDER + r"|belongs?under|notsatisfy|notreach)(?!2)",
    _PRICE + r"\w{0,24}?(must|should|hasto|needsto|atleast|greaterthan|ishigher)",
    r"basefee\w{0,24}(ishigher|higherthan|greaterthan|exceeds|above)",
    _UNDER + r"(the)?(minimum|min|required|current|block)(gasprice|basefee|fee|tip|priorityfee)",
    _LEAST + r"(gasprice|priorityfee|tip|basefee)(is|of|not|required|needed|\d|gwei|wei)",
    r"notmeet\w{0,20}(gasprice|fee|tip)",
    r"(increas|rais|bump)(e|ed|es|ing)?(the|your)?(gasprice|gasfee|fee|maxfee|priorityfee|tip)",
)
# What the node wants, where it says so, in wei unless it names another unit.
_MIN_TIP = _Words(
    r"(?:minimum|minimal|min|needed|required|requires|at least|floor|>=|wants?)(?: \w+){0,4}?[ :=('\"<>]{1,4}"
    r"(?P<number>\d+(?:\.\d+)?)(?![\d.]*\s*(?:%|percent|x[0-9a-f]))\s*(?P<unit>gwei|wei)?",
)
# More wei per unit of gas than any chain asks is a misreading.
_MAX_TIP = 10**14
_FINAL = _Words(
    # Gas under what the bytes alone cost (EIP-2028, EIP-3860, EIP-7623).
    r"intrinsicgas(is)?toolow",
    r"intrinsicgasexceed",
    r"(below|lessthan|lowerthan|under)(the)?(transaction)?intrinsicgas",
    r"insufficientgasforfloordata",
    r"gasfloorexceed",
    r"callgascost\w{0,24}(exceed\w{0,6}|morethan)gaslimit",
    r"requiresatleast\d+gasbutgot",
    r"basiccostis(above|over)thegaslimit",
    r"notenoughgastocoverminimalcost",
    # Over the most gas of one transaction (EIP-7825); a block's limit is another thing, and moves.
    r"transactiongaslimittoohigh",
    r"txgaslimitcapexceeded",
    r"(transaction|tx)gaslimit\d*(is)?(greaterthan|exceeds|exceeded|above)(the|protocol|transaction|tx)*(cap(?!acity)|16777216)",
    r"(gaslimit|cap|eip7825)\w{0,24}16777216",
    # The type of the transaction.
    r"(transaction|tx)type\w{0,12}(not|un)supported",
    r"(transaction|tx)type\w{0,24}isnotsupported",
    r"(unsupported|notsupported|unknown|invalid)(transaction|tx)type",
    r"transactiontypeisnotactivated",
    r"forksupportingthistransactiontype",
    r"eip1559(transactions)?(are|is)?not(supported|enabled|activated)",
    # The signature, and the chain that it is for.
    r"invalidsender(?!\w?(state|info|cache|record|address|account))",
    r"invalid(transaction|tx)(signature|vrs)",
    r"(transaction|tx)signature(is)?invalid",
    r"failedto(recover|resolve)sender",
    r"(couldnot|unableto|cannot)recoversender",
    r"(invalid|wrong|incorrect|mismatched)(tx|transaction)?chainid(?!param)",
    r"chainid(mismatch|doesnotmatch|notsupported)",
    r"chainid0x[0-9a-f]{1,16}notsupported",
    r"signedforanotherchain",
    r"meantforchainid",
)
# Creation code (EIP-3860): the only one of these rules that a request for an estimate can break.
_CREATION_CODE = _Words(
    r"maxinitcodesize",
    r"initcodetoo(large|big)",
    r"initcodesize\w{0,40}exceed",
    r"createinitcodesizelimit",
)
# A name in one piece: the two words may go on with "too high", which is the block's limit.
_INTRINSIC_GAS = _Words(r"\bintrinsicgas\b")
_INVALID_SIGNATURE = _Words(r"invalidsignature|signatureisinvalid")
# Words of what a gateway, not a transaction, has a signature on.
_OF_REQUEST = _Words(
    r"jwt", r"token", r"header", r"request", r"authori[sz]", r"authent", r"apikey", r"hmac", r"webhook"
)
# Words by which an operator, not the protocol, sets a rule.
_OF_OPERATOR = _Words(
    r"\b(by|on|in|at|via|through|with|of|for|to) ((this|the|your|our|an?) )?(\w+ )?"
    r"(gateway|endpoint|provider|plan|tier|rpc|node|server|service|url|path|query|header|parameters?|dashboard)\b",
    r"white-?list|allow-?list|\bupgrade\b|subscription|archive|\bblob|not (allowed|permitted)",
    r"try (it )?(again|later)|temporar",
)
_NEXT_ADDRESS = _Words(
    # A ceiling that the operator of that node has set for everybody.
    r"exceedstheconfiguredcap",
    r"feecapexceeded",
    r"oversizeddata",
    r"(transaction|tx)(size)?(is)?(toolarge|toobig|exceed(s|ed))(?!\w{0,24}(gas|dalimit))",
    r"rlp(is)?toolong",
    r"replayprotected",
    r"method\w{0,40}(notfound|notsupported|unsupported|notavailable|notallowed|notenabled|notexist|whitelisted|disabled)",
    r"unsupportedmethod",
    r"rpcendpointnotimplemented",
    r"unauthori[sz]ed",
    r"unauthenticated",
    r"mustbeauthenticated",
    r"forbidden",
    r"accessdenied",
    r"notauthori[sz]edto",
    r"(invalid|missing|wrong|expired|unknown)(api)?(key|token|projectid)",
    r"(apikey|projectid)(is|was)?(not(found|recogni[sz]ed|valid)|missing|unknown|invalid)",
    r"projectidsettings",
    r"sanction",
    r"blacklist",
    r"denylist",
    r"block(ed)?list",
    r"bannedinlocalqueue",
    r"(not|isnt|un)(in|on)?(the)?(allow|white)_?list",
    r"readonly",
    r"not(allowed|permitted)",
    r"notenabledfor",
    r"(not|un)supported(by|on|in|at)(this|the|your|our)",
    r"permissiondenied",
    r"(is|are|been|was|account|project|key|app)(blocked|suspended|disabled|deactivated)",
    r"archive",
    r"blob",
    r"(plan|tier|subscription|trial)\w{0,20}(expired|required|include|allow|ended)",
    r"(key|token)(has|is)?(expired|revoked|disabled)",
    r"upgrade\w{0,20}touse",
    r"paidplan",
)
_LOAD = _Words(
    r"ratelimit",
    r"ratelimited",
    r"requestrate",
    r"requestlimit",
    r"requestcount",
    r"toomanyrequests",
    r"persecond",
    r"perminute",
    r"rpslimit",
    r"throttl",
    r"throughput",
    r"computeunits",
    r"creditslimited",
    r"limitedto\d+",
    r"quota",
    r"capacityexceeded",
    r"slowdown",
)
_LOAD_CODES = {429, -32016, -32029, -32097}
_REVERT = _Words(
    r"execution(was)?revert",
    r"vmexception(while\w{0,40}?)?revert",
    r"revertopcode",
    r"reverted0x",
    r"revertreason",
)
# Words of the field too, unless they are about what runs the node.
_PERHAPS_REVERT = _Words(
    r"(transaction|call|contract|message|evm|tx)(was|has|is|will)?(been)?revert",
    r"revertedwith",
)
_OF_INFRASTRUCTURE = _Words(
    r"upstream|backend|database|snapshot|roll(ed|ing)?[- ]?back|\bproxy\b|gateway|provider|deploy(ment|ed)|retry",
    r"fallback|\b5\d\d\b",
)
_REVERT_DATA = _Words(r"^\s*(reverted\b|revert\s*$|0x(08c379a0|4e487b71))")
# A gateway turns these away itself; no node has refused anything.
_GATEWAY_STATUSES = {401, 402, 403, 404, 405, 407, 408, 413, 425, 429}
_NO_KEY_STATUSES = {401, 402, 403, 404, 405, 407, 413}
# Where a gateway has no answer of a node, its own words are no verdict, whatever they sound like.
_MIN_WITHOUT_NODE = 502
_NO_METHOD_CODES = {-32601, -32604}


def _folded(text: str) -> str:
    """Return the letters and digits of a text in lower case, and after a space its letters alone.

    Numbers stand between words wherever a client likes: "maxFeePerGas (1) is too low".
    """
    lower = text.lower().replace("<", "less than").replace(">", "greater than")
    return f"{re.sub(r'[^a-z0-9]', '', lower)} {re.sub(r'[^a-z]', '', lower)}"


def is_revert(refusal: Refusal) -> bool:
    """Return whether a call or an estimate was executed and the contract itself refused."""
    if refusal.method not in (CALL, ESTIMATE) or not refusal.is_of_node:
        return False
    words, text = refusal.words.lower(), _folded(refusal.words)
    if _REVERT.search(text) or (_PERHAPS_REVERT.search(text) and not _OF_INFRASTRUCTURE.search(words)):
        return True
    data = refusal.data
    if isinstance(data, dict):
        data = data.get("data") or data.get("result") or data.get("message")
    return isinstance(data, str) and _REVERT_DATA.search(data.lower()) is not None


def classify(refusal: Refusal) -> Classification:
    """Return what a refusal means for what was asked."""
    text = _folded(refusal.words)
    if is_revert(refusal):
        return Classification(Verdict.FINAL)
    if refusal.status not in _GATEWAY_STATUSES:
        if refusal.method == SEND and (classification := _of_pool(refusal.words, text)):
            return classification
        if _is_final(refusal, text):
            return Classification(Verdict.FINAL)
    if refusal.status == 429 or refusal.code in _LOAD_CODES or _LOAD.search(text):
        return Classification(Verdict.LATER, is_load=True)
    never = refusal.status in _NO_KEY_STATUSES or refusal.code in _NO_METHOD_CODES or _NEXT_ADDRESS.search(text)
    return Classification(Verdict.NEXT_ADDRESS if never else Verdict.LATER)


def _of_pool(message: str, text: str) -> Classification | None:
    """Return what a pool says of a transaction that is valid as such."""
    if _NONCE_AHEAD.search(text):
        return Classification(Verdict.LATER)
    if _CHECK.search(text):
        return Classification(Verdict.LATER if _is_nonce_ahead(message) else Verdict.CHECK)
    if _PAY_MORE.search(text):
        return Classification(Verdict.PAY_MORE, least_tip=_least_tip(message))
    return None


def _is_nonce_ahead(message: str) -> bool:
    found = _NONCE_NUMBERS.search(message.lower())
    return found is not None and int(found["got"] or found["got2"]) > int(found["wanted"] or found["wanted2"])


def _least_tip(message: str) -> int:
    """Return the least tip in wei per unit of gas that a refusal names, 0 if it names none."""
    found = _MIN_TIP.search(message.lower())
    if found is None:
        return 0
    tip = int(Decimal(found["number"]) * (10**9 if found["unit"] == "gwei" else 1))
    return tip if tip <= _MAX_TIP else 0


def _is_final(refusal: Refusal, text: str) -> bool:
    words = refusal.words.lower()
    if refusal.method not in (SEND, ESTIMATE) or not refusal.is_of_node or _OF_OPERATOR.search(words):
        return False
    if refusal.method == ESTIMATE:
        return bool(_CREATION_CODE.search(text))
    signature = _INVALID_SIGNATURE.search(text) and not _OF_REQUEST.search(text)
    return bool(signature or _FINAL.search(text) or _CREATION_CODE.search(text) or _INTRINSIC_GAS.search(words))
