"""Quantities in plain English."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.builds.composer.quantities import find_quantities, parse_quantity

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SCALES = [(10**15, "quadrillion"), (10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand")]


def spell(number: int, *, joint: bool, hyphen: str) -> str:
    """Return a number in words, with or without the British "and"."""
    if number < 20:
        return ONES.split()[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS.split()[tens - 2] + (hyphen + ONES.split()[ones] if ones else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        tail = (" and " if joint else " ") + spell(rest, joint=joint, hyphen=hyphen) if rest else ""
        return f"{ONES.split()[hundreds]} hundred{tail}"
    for scale, word in SCALES:
        if number >= scale:
            count, rest = divmod(number, scale)
            tail = ""
            if rest:
                tail = (" and " if joint and rest < 100 else " ") + spell(rest, joint=joint, hyphen=hyphen)
            return f"{spell(count, joint=joint, hyphen=hyphen)} {word}{tail}"
    raise AssertionError(number)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 billion", 10**9),
        ("10M", 10**7),
        ("10m", 10**7),
        ("5k", 5000),
        ("2bn", 2 * 10**9),
        ("1.5 million", 1_500_000),
        ("1.5M", 1_500_000),
        ("twenty-one million", 21_000_000),
        ("Twenty One Million", 21_000_000),
        ("1,000,000", 10**6),
        ("1_000_000", 10**6),
        ("1 000 000", 10**6),
        ("1.000.000", 10**6),
        ("1'000'000", 10**6),
        ("12,345.5", Fraction(24691, 2)),
        ("0.5", Fraction(1, 2)),
        ("1e9", 10**9),
        ("10^9", 10**9),
        ("10**18", 10**18),
        ("a million", 10**6),
        ("a hundred thousand", 10**5),
        ("one hundred and fifty thousand", 150_000),
        ("hundred", None),
        ("million", None),
        ("half a million", 500_000),
        ("quarter of a billion", 250_000_000),
        ("two and a half million", 2_500_000),
        ("one point five million", 1_500_000),
        ("1 million 500 thousand", 1_500_000),
        ("5 hundred thousand", 500_000),
        ("100 thousand billion", 10**14),
        ("420 trillion", 420 * 10**12),
        ("a thousand and one", 1001),
        ("zero", 0),
        ("007", 7),
        ("", None),
        ("-5", None),
        ("ERC-20", None),
        ("v2", None),
        ("20th", None),
        ("0x10", None),
        ("1,00", None),
        ("5 m", None),
        ("two three", None),
        ("$5", None),
    ],
)
def test_a_quantity_is_read_as_people_mean_it(text: str, value: Fraction | int | None) -> None:
    assert parse_quantity(text) == value


def test_quantities_are_found_where_they_stand() -> None:
    text = "Mint 1 billion of ERC-20 tokens and cap at two million, 6 decimals"
    assert [(text[found.start : found.end], found.value) for found in find_quantities(text)] == [
        ("1 billion", Fraction(10**9)),
        ("two million", Fraction(2 * 10**6)),
        ("6", Fraction(6)),
    ]


@given(st.integers(0, 10**18 - 1), st.booleans(), st.sampled_from(["-", " "]))
def test_spelled_numbers_are_read_back(number: int, joint: bool, hyphen: str) -> None:
    assert parse_quantity(spell(number, joint=joint, hyphen=hyphen)) == number


@given(st.integers(0, 10**40), st.sampled_from(["{:,}", "{:_}", "{}"]))
def test_digits_are_read_back_with_any_separator(number: int, form: str) -> None:
    assert parse_quantity(form.format(number)) == number


@given(
    st.decimals(min_value=0, max_value=10**6, places=3),
    st.sampled_from([("k", 3), ("M", 6), (" million", 6), ("bn", 9), (" billion", 9), ("T", 12), (" trillion", 12)]),
)
def test_scales_multiply(number: object, scale: tuple[str, int]) -> None:
    assert parse_quantity(f"{number}{scale[0]}") == Fraction(str(number)) * 10 ** scale[1]


@given(st.text(max_size=60))
def test_any_text_is_read_without_overlaps(text: str) -> None:
    at = 0
    for found in find_quantities(text):
        assert at <= found.start < found.end <= len(text)
        assert found.value >= 0
        at = found.end
