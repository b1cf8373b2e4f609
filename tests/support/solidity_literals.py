"""Solidity text taken apart by its grammar: code, comments and string literals."""

from __future__ import annotations

import re

_PART = re.compile(
    r"""(?P<comment>//[^\n\r\u2028\u2029]*|/\*.*?(?:\*/|\Z))
      | (?P<literal>(?:unicode|hex)?"(?:\\.|[^"\\\n\r])*"|(?:unicode|hex)?'(?:\\.|[^'\\\n\r])*')
      | (?P<code>.)""",
    re.VERBOSE | re.DOTALL,
)


def code_and_literals(source: str) -> tuple[str, list[str]]:
    """Return the source with `""` for each string literal, comments included, and the literals in order."""
    code, literals = [], []
    for part in _PART.finditer(source):
        if part["literal"] is not None:
            literals.append(part["literal"])
            code.append('""')
        else:
            code.append(part[0])
    return "".join(code), literals


def read_literal(literal: str) -> str:
    r"""Return the text of a literal in double quotes: `\"`, `\\`, `\xNN` (a byte of UTF-8), `\uNNNN`."""
    assert literal[0] == literal[-1] == '"'
    data = b""
    for part in re.finditer(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\([\"\\])|([^\\\"])", literal[1:-1]):
        if part[1]:
            data += bytes([int(part[1], 16)])
        else:
            data += (chr(int(part[2], 16)) if part[2] else part[3] or part[4]).encode()
    return data.decode()
