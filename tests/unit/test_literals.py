"""Text of strangers as Solidity identifiers and literals."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.builds.composer.literals import MAX_IDENTIFIER, decimal_text, identifier, string_literal, units_literal
from tests.support.solidity_literals import code_and_literals, read_literal

UTF8_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HyperKit", "HyperKit"),
        ("gold coin", "GoldCoin"),
        ("Bob's 2nd Coin", "BobS2ndCoin"),
        ("2 Fast", "Fast"),
        ("***", "Token"),
        ("代币", "Token"),
        ("contract", "Contract"),
        ("ERC20", "MyERC20"),
        ("ownable", "MyOwnable"),
        ("Transfer", "MyTransfer"),
        ("IERC20", "MyIERC20"),
        ("", "Token"),
    ],
)
def test_a_name_becomes_an_identifier(text: str, name: str) -> None:
    assert identifier(text, "Token") == name


@given(st.text(max_size=200))
def test_any_text_becomes_an_identifier(text: str) -> None:
    name = identifier(text, "Token")
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)
    assert len(name) <= MAX_IDENTIFIER + 2


@given(UTF8_TEXT)
def test_any_text_is_held_by_one_literal_and_read_back(text: str) -> None:
    literal = string_literal(text)
    assert literal.isascii()
    assert literal.isprintable()
    assert "*/" not in literal
    assert "/*" not in literal
    assert read_literal(literal) == text
    assert code_and_literals(f"x = {literal}; // end") == ('x = ""; // end', [literal])


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ('a"b', r'"a\"b"'),
        ("a\\", r'"a\\"'),
        ("a\nb", r'"a\x0ab"'),
        ("*/ x /*", r'"*\x2f x \x2f*"'),
        ("\u202e", r'"\u202e"'),
        ("\u2028", r'"\u2028"'),
        ("é", r'"\u00e9"'),
        ("😀", r'"\xf0\x9f\x98\x80"'),
        ("", '""'),
    ],
)
def test_what_could_end_or_turn_a_literal_is_escaped(text: str, literal: str) -> None:
    assert string_literal(text) == literal


def test_a_surrogate_is_no_text() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        string_literal("\ud800")


@given(st.integers(0, 10**30), st.integers(0, 36), st.integers(0, 6))
def test_amounts_are_exact(number: int, decimals: int, places: int) -> None:
    amount = Fraction(number, 10**places)
    units = amount * 10**decimals
    if units.denominator != 1:
        with pytest.raises(ValueError, match="decimals"):
            units_literal(amount, decimals)
        return
    literal = units_literal(amount, decimals)
    assert re.fullmatch(r"[0-9_]+( \* 10 \*\* [0-9]+)?", literal)
    count, _, exponent = literal.partition(" * 10 ** ")
    assert int(count) * 10 ** int(exponent or 0) == units
    assert Fraction(decimal_text(amount)) == amount
