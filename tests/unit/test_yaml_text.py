"""YAML as YAML 1.2 reads it, within bounds."""

import contextlib
import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.sdl.yaml_reader import MAX_DEPTH, YamlError, parse_yaml

PLAIN_DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(st.characters(codec="ascii"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN_DATA)
def test_json_reads_as_itself(value: object) -> None:
    assert parse_yaml(json.dumps(value)) == value


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    reason = "none"
    try:
        parse_yaml(text)
    except YamlError as error:
        reason = str(error)
    assert reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("'2026-11-21'", "2026-11-21"),
        ("1_000", "1_000"),
        ("0b11", 3),
        ("1.0", 1),
        ('"\\ud83d\\ude00"', "😀"),
        ("'\\ud83d\\ude00'", "\\ud83d\\ude00"),
        ("{1: a, 2.0: b, true: c, ~: d}", {"1": "a", "2": "b", "true": "c", "null": "d"}),
        ("True", True),
        ("~", None),
        ("", None),
        ("0x10", 16),
        ("0o17", 15),
        ("010", 10),
        ("-3", -3),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("'5'", "5"),
        ("! plain", "plain"),
        ("!!str 5", "5"),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: &x {k: 1}\nb: {<<: *x, l: 2}", {"a": {"k": 1}, "b": {"k": 1, "l": 2}}),
        ("a: &x 1\nb: [*x, &x 2, *x]\nc: *x", {"a": 1, "b": [1, 2, 2], "c": 2}),
        ("a: &x {<<: {k: 1}, k: 2}\nb: {<<: *x}", {"a": {"k": 2}, "b": {"k": 2}}),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert parse_yaml(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: 2\na: 3", "'a' is given twice (line 3, column 1)"),
        ("{a: 1, 'a': 2}", "given twice"),
        ("{1: a, '1': 2}", "given twice"),
        ("a: 2026-11-21", "needs quotes (line 1, column 4)"),
        ("2026-11-21 08:00:00Z", "needs quotes"),
        ('"\\ud83d"', "half a character"),
        ('!!int "x"', "is no number"),
        ("? [a]\n: 1", "a key must be plain text"),
        ("!!python/object/apply:os.system [true]", "tag"),
        ("a: !secret x", "tag !secret is not allowed (line 1, column 4)"),
        ("!!binary aGk=", "tag"),
        ("&a [*a]", "alias stands inside what it names"),
        ("*nowhere", "undefined alias"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: [", "did not find"),
        ("a: \x01", "characters"),
        ("a: \ud800", "characters"),
        ("a: " + "9" * 100, "a number is too long"),
        ("a0: &a0 [x, x]\n" + "\n".join(f"a{i}: &a{i} [{f'*a{i - 1},' * 9}]" for i in range(1, 9)),
         "once its aliases are resolved"),
        (f"a: &a {'x' * 60_000}\nb: [{'*a,' * 100}]", "once its aliases are resolved"),
    ],
)  # fmt: skip
def test_what_is_refused_and_why(text: str, reason: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["[" * 65_536, "{a: " * 16_000, "- " * 32_000 + "a", "? " * 32_000 + "a", "[" + "a," * 32_000 + "]", "#" * 65_536,
     '"' + "\\x41" * 16_000 + '"', "a: 1\n" + "b" * 65_000, "&a " * 20_000, "'\\ud83d'\n" + "[" * 65_000,
     '"' + "\\ud83d\\ude00" * 5_000 + '"'],
)  # fmt: skip
def test_a_hostile_text_takes_no_time(text: str) -> None:
    # A list of a sixteenth of the length, and twice that: a second here, more on a slow machine.
    most = max(1.0, 2 * 16 * _seconds("[" + "a," * 2_000 + "]"))
    assert _seconds(text) < most


def _seconds(text: str) -> float:
    began = time.process_time()
    with contextlib.suppress(YamlError):
        parse_yaml(text)
    return time.process_time() - began


def test_depth_has_a_limit() -> None:
    assert parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    with pytest.raises(YamlError, match="nested too deeply"):
        parse_yaml("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


@given(PLAIN_DATA)
def test_what_pyyaml_writes_reads_as_itself(value: object) -> None:
    assert parse_yaml(yaml.safe_dump(value)) == value


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029"])
def test_only_what_ends_lines_in_javascript_ends_them(character: str) -> None:
    text = f"a{character}b: 'x{character}   y'  # a comment {character} goes on\nc: plain{character}text\n"
    assert parse_yaml(text) == {f"a{character}b": f"x{character}   y", "c": f"plain{character}text"}
