"""Text of strangers inside Solidity: identifiers made of it, and literals that hold it.

Nothing else of a request reaches a source: comments and code are the composer's own.
"""

from __future__ import annotations

import re
from fractions import Fraction

MAX_IDENTIFIER = 48

# Names that the sources import, inherit or declare themselves. Keywords start with a small letter, so a name
# with a capital can't be one.
_TAKEN_WORDS = """
AccessControl Address Approval ApprovalForAll Arrays Base64 Bytes Checkpoints Context DelegateChanged
DelegateVotesChanged Dispute EIP712 EIP712DomainChanged ECDSA Deal Confirmed Cancelled Opened Released
Refunded Executed Revoked Proposed Operation State MessageHashUtils Math Nonces Ownable OwnershipTransferred
Panic Paused Pausable ReentrancyGuard RoleAdminChanged RoleGranted RoleRevoked SafeCast SafeERC20 ShortStrings
SignatureChecker SignedMath StorageSlot Strings Time Transfer TransferBatch TransferSingle URI Unpaused
VestingWallet VestingWalletCliff Votes BatchMetadataUpdate MetadataUpdate Error SignerAdded SignerRemoved
ThresholdChanged
"""
_TAKEN = frozenset(_TAKEN_WORDS.split())
_TAKEN_PATTERN = re.compile(r"I?ERC\d.*|I[A-Z][a-z].*")


def identifier(text: str, suffix: str) -> str:
    """Make a contract's name of a text.

    Args:
        text: Any text.
        suffix: What to call it when nothing of the text can be used, and what sets it apart from a name that is
            taken; an identifier.

    Returns:
        ASCII letters and digits, the first one a capital letter; no keyword, and no name that the sources use.
    """
    words = re.findall(r"[A-Za-z0-9]+", text)
    joined = "".join(word[0].upper() + word[1:] for word in words)[:MAX_IDENTIFIER]
    joined = joined.lstrip("0123456789")
    joined = joined[:1].upper() + joined[1:]
    if not joined:
        return suffix
    if joined in _TAKEN or _TAKEN_PATTERN.fullmatch(joined):
        return "My" + joined
    return joined


def string_literal(text: str) -> str:
    r"""Return the Solidity string literal of a text, in ASCII alone.

    Quotes, backslashes, control characters and all that is not ASCII are escaped (`\uNNNN`, or `\xNN` for each byte
    of UTF-8 where that has no form), so no character can end the literal or turn the direction of a line. Marks of
    comments are broken up, for readers that look for those first.

    Raises:
        ValueError: The text has surrogates, which no UTF-8 holds.
    """
    parts = []
    for character in text:
        code = ord(character)
        if 0xD800 <= code <= 0xDFFF:
            raise ValueError("surrogates are no text")
        if character in '"\\':
            parts.append("\\" + character)
        elif 0x20 <= code < 0x7F:
            parts.append(character)
        elif code < 0x80:
            parts.append(f"\\x{code:02x}")
        elif code <= 0xFFFF:
            parts.append(f"\\u{code:04x}")
        else:
            parts += [f"\\x{byte:02x}" for byte in character.encode()]
    body = "".join(parts).replace("*/", r"*\x2f").replace("/*", r"\x2f*")
    return f'"{body}"'


def units_literal(amount: Fraction, decimals: int) -> str:
    """Return the Solidity expression of an amount of whole tokens in base units: `1_000_000 * 10 ** 18`.

    Raises:
        ValueError: The amount is finer than the decimals allow.
    """
    units = amount * 10**decimals
    if units.denominator != 1:
        raise ValueError("the amount has more digits than the token has decimals")
    if decimals == 0 or amount == 0:
        return f"{units.numerator:_}"
    if amount.denominator == 1:
        return f"{amount.numerator:_} * 10 ** {decimals}"
    return f"{units.numerator:_}"


def decimal_text(amount: Fraction) -> str:
    """Return an amount as a decimal text without an exponent; for those with finitely many digits."""
    whole, rest = divmod(amount, 1)
    digits = ""
    while rest and len(digits) < 80:
        digit, rest = divmod(rest * 10, 1)
        digits += str(digit)
    return f"{whole}.{digits}" if digits else str(whole)
