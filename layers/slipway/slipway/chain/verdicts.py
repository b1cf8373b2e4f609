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
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

SEND, CALL, ESTIMATE = "eth_sendRawTransaction", "eth_call", "eth_estimateGas"


class Verdict(StrEnum):
    """What to do after a refusal.

    Attributes:
        LOOK: These bytes, or others at their nonce, may be there: the receipts and the nonce decide.
        PAY_MORE: Sign the nonce again with higher fees.
        LATER: Ask the next address, or again later, within the deadline.
        NEXT_ADDRESS: This address will never do it; another may.
        FINAL: No node will ever do it.
    """

    LOOK = "look"
    PAY_MORE = "pay_more"
    LATER = "later"
    NEXT_ADDRESS = "next_address"
    FINAL = "final"


@dataclass(frozen=True)
class Refusal:
    """A refusal as it came: the HTTP status and the JSON-RPC error's parts."""

    method: str
    status: int
    code: int
    message: str
    data: Any = None


@dataclass(frozen=True)
class Judgement:
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
    r"nonce(is)?toohigh",
    r"noncetoofar",
    r"nonce\w*toodistant",
    r"noncegap",
    r"gapped",
    r"invalidtransactionfuture",
    r"triestoreplacepending",
    r"futurereplacepending",
)
_NONCE_NUMBERS = _Words(
    r"got\D{0,12}(?P<got>\d+)\D{1,30}expected\D{0,12}(?P<wanted>\d+)",
    r"expected\D{0,12}(?P<wanted2>\d+)\D{1,30}got\D{0,12}(?P<got2>\d+)",
)
_LOOK = _Words(
    r"alreadyknown",
    # Not an "unknown transaction".
    r"(?<!un)knowntransaction",
    r"already(been)?imported",
    r"alreadyexist",
    r"already(been)?in(cluded|the|a)?(mem|tx)?(pool|cache|queue|system|block|chain)",
    r"already(been)?(pending|mined|included|processed|executed|confirmed|submitted|sent|received|committed|used)",
    r"duplicate(hash|nonce|tx|transaction)",
    r"samehash",
    r"nonce(is)?(too)?low",
    r"nonce(is)?(too)?(small|old)",
    r"oldnonce",
    r"(wrong|invalid|incorrect|bad|expired|unexpected)(transaction|tx|account)?nonce(?!params)",
    r"nonce(has)?(already)?(been)?(expired|used|consumed|mismatch)",
    r"correctnonce",
    r"noncedoesnotmatch",
    r"samenonce",
    r"minimumexpectednonce",
    r"expectednonce",
    r"(invalid|incorrect|wrong)(account)?sequence",
    r"sequencemismatch",
    r"replacement",
    r"replaceexisting",
    r"replace(transaction)?underpriced",
    r"(could)?notreplace",
    r"replacedby",
    r"transaction(is)?stale",
    r"isoutdated",
    r"temporarilybanned",
    r"priorityistoolow",
    r"toolowpriority",
)
_PRICE = r"(gas_?price|fee_?cap|tip(cap)?|priorityfee(pergas)?|maxfee(pergas)?|feepergas|unitprice|offeredfee|txfee)"
_PAY_MORE = _Words(
    r"underpriced",
    r"(fee|price|tip|tipcap|feecap|pergas)(is|was)?too(low|small)",
    r"too(low|small)(l2)?(gasprice|fee|maxfee|tip|priorityfee)",
    r"insufficient(gas)?(fee|price)(?!\w{0,30}replace)",
    _PRICE + r"\w{0,80}?(below|lessthan|lowerthan|smallerthan|belongs?under|notsatisfy|notreach)(?!2)",
    r"(below|lessthan|lowerthan)(the)?(minimum|min|required|current|block)(gasprice|basefee|fee|tip|priorityfee)",
    r"(minimum|minimal|min|floor)gasprice(is|not|required|needed)",
    r"(increas|rais)(e|ing)(the|your)?(gasprice|gasfee|fee|maxfee|priorityfee|tip)",
)
# What the node wants, where it says so in wei.
_LEAST_TIP = _Words(
    r"(?:minimum|tip) needed:? (\d+)",
    r"minim(?:um|al)(?: required)?(?: priority fee| gas price| tip)?:? (\d+)",
)
_FINAL = _Words(
    # Gas under what the bytes alone cost (EIP-2028, EIP-3860, EIP-7623).
    r"intrinsicgas(is)?toolow",
    r"intrinsicgasexceed",
    r"(below|lessthan|lowerthan|under)(the)?(transaction)?intrinsicgas",
    r"insufficientgasforfloordata",
    r"gasfloorexceed",
    r"callgascost\w{0,24}exceed\w{0,6}gaslimit",
    r"notenoughgastocoverminimalcost",
    # Over the most gas of one transaction (EIP-7825); a block's limit is another thing, and moves.
    r"transactiongaslimittoohigh",
    r"txgaslimitcapexceeded",
    r"(transaction|tx)gaslimit\d*(is)?(greaterthan|exceeds|exceeded|above)(the|protocol|transaction|tx)*(cap|16777216)",
    r"cap(of|is)?16777216",
    # The type of the transaction.
    r"(transaction|tx)type(is)?(not|un)supported",
    r"(transaction|tx)type\w{0,24}isnotsupported",
    r"(unsupported|unknown|invalid)(transaction|tx)type",
    r"transactiontypeisnotactivated",
    r"forksupportingthistransactiontype",
    r"eip1559(transactions)?(are|is)?not(supported|enabled|activated)",
    # Creation code (EIP-3860).
    r"maxinitcodesize",
    r"initcodetoo(large|big)",
    r"initcodesize\w{0,40}exceed",
    r"createinitcodesizelimit",
    # The signature, and the chain that it is for.
    r"invalidsender",
    r"invalid(transaction|tx)(signature|vrs)",
    r"(transaction|tx)signature(is)?invalid",
    r"failedto(recover|resolve)sender",
    r"(couldnot|unableto|cannot)recoversender",
    r"(invalid|wrong|incorrect|mismatched)(tx|transaction)?chainid(?!param)",
    r"chainid(mismatch|doesnotmatch|notsupported)",
    r"chainid0x[0-9a-f]{1,16}notsupported",
    r"signedforanotherchain",
)
# A name in one piece: the two words may go on with "too high", which is the block's limit.
_INTRINSIC_GAS = _Words(r"\bintrinsicgas\b")
_INVALID_SIGNATURE = _Words(r"invalidsignature|signatureisinvalid")
# Words of what a gateway, not a transaction, has a signature on.
_OF_REQUEST = _Words(
    r"jwt", r"token", r"header", r"request", r"authori[sz]", r"authent", r"apikey", r"hmac", r"webhook"
)
_NEXT_ADDRESS = _Words(
    # A ceiling that the operator of that node has set for everybody.
    r"exceedstheconfiguredcap",
    r"feecapexceeded",
    r"oversizeddata",
    r"transactiontoolarge",
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
    r"(invalid|missing|wrong|expired)(api)?(key|token|projectid)",
    r"projectidsettings",
    r"sanction",
    r"blacklist",
    r"denylist",
    r"blocklist",
    r"bannedinlocalqueue",
    r"notintheallowlist",
    r"readonly",
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
    r"(transaction|call|contract|message|evm|tx)(was|has|is|will)?(been)?revert",
    r"vmexception\w{0,60}revert",
    r"revertopcode",
    r"reverted(with|0x)",
    r"revertreason",
)
_REVERT_DATA = _Words(r"^\s*(reverted\b|0x(08c379a0|4e487b71))")
# A gateway turns these away itself; no node has judged anything.
_GATEWAY_STATUSES = {401, 402, 403, 404, 405, 407, 408, 425, 429}
_NO_KEY_STATUSES = {401, 402, 403, 404, 405, 407}
_NO_METHOD_CODES = {-32601, -32604}


def _folded(text: str) -> str:
    """Return the letters and digits of a text in lower case, and after a space its letters alone.

    Numbers stand between words wherever a client likes: "maxFeePerGas (1) is too low".
    """
    lower = text.lower()
    return f"{re.sub(r'[^a-z0-9]', '', lower)} {re.sub(r'[^a-z]', '', lower)}"


def is_revert(refusal: Refusal) -> bool:
    """Return whether a call or an estimate was executed and the contract itself refused."""
    if refusal.method not in (CALL, ESTIMATE) or refusal.status in _GATEWAY_STATUSES:
        return False
    if _REVERT.search(_folded(refusal.message)):
        return True
    data = refusal.data
    if isinstance(data, dict):
        data = data.get("data") or data.get("result") or data.get("message")
    return isinstance(data, str) and _REVERT_DATA.search(data.lower()) is not None


def judge(refusal: Refusal) -> Judgement:
    """Return what a refusal means for what was asked."""
    text = _folded(refusal.message)
    if is_revert(refusal):
        return Judgement(Verdict.FINAL)
    if refusal.status not in _GATEWAY_STATUSES:
        if refusal.method == SEND and (judgement := _of_pool(refusal.message, text)):
            return judgement
        if refusal.method in (SEND, ESTIMATE) and _is_final(refusal.message, text):
            return Judgement(Verdict.FINAL)
    if refusal.status == 429 or refusal.code in _LOAD_CODES or _LOAD.search(text):
        return Judgement(Verdict.LATER, is_load=True)
    never = refusal.status in _NO_KEY_STATUSES or refusal.code in _NO_METHOD_CODES or _NEXT_ADDRESS.search(text)
    return Judgement(Verdict.NEXT_ADDRESS if never else Verdict.LATER)


def _of_pool(message: str, text: str) -> Judgement | None:
    """Return what a pool says of a transaction that is valid as such."""
    if _NONCE_AHEAD.search(text):
        return Judgement(Verdict.LATER)
    if _LOOK.search(text):
        return Judgement(Verdict.LATER if _is_nonce_ahead(message) else Verdict.LOOK)
    if _PAY_MORE.search(text):
        return Judgement(Verdict.PAY_MORE, least_tip=_least_tip(message))
    return None


def _is_nonce_ahead(message: str) -> bool:
    found = _NONCE_NUMBERS.search(message.lower())
    return found is not None and int(found["got"] or found["got2"]) > int(found["wanted"] or found["wanted2"])


def _least_tip(message: str) -> int:
    found = _LEAST_TIP.search(message.lower())
    return int(next(filter(None, found.groups()))) if found else 0


def _is_final(message: str, text: str) -> bool:
    signature = _INVALID_SIGNATURE.search(text) and not _OF_REQUEST.search(text)
    return bool(signature or _FINAL.search(text) or _INTRINSIC_GAS.search(message.lower()))
