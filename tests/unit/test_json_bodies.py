"""Reading a JSON body that anyone may have written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ValidationFailedError
from slipway.json_bodies import parse_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_reads_what_json_writes(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"model_id=x",
        b"{",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": 1} trailing',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": -1e999}',
        b'{"a": 1, "a": 2}',
        b'{"outer": {"a": 1, "a": 1}}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": "\x01"}',
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-32-le"),
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 40 + b"]" * 40,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"a": ' + b"9" * 60_000 + b"}",
    ],
    ids=lambda raw: raw[:24].decode("latin-1"),
)
def test_refuses_what_is_not_plain_json(raw: bytes) -> None:
    with pytest.raises(ValidationFailedError) as caught:
        parse_json(raw)
    assert caught.value.details is not None
    assert caught.value.details["fields"][0]["field"] == "body"


def test_says_what_is_wrong_when_it_can_be_said() -> None:
    for raw, words in [
        (b'{"a": 1, "a": 2}', "twice"),
        (b"[" * 40 + b"]" * 40, "deep"),
        (b"[" * 100_000, "deep"),
        (b"{", "JSON"),
    ]:
        with pytest.raises(ValidationFailedError, match=words):
            parse_json(raw)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse_json(b'{"a": "\\ud83d\\ude80"}') == {"a": "🚀"}


def test_thirty_levels_are_fine() -> None:
    assert parse_json(b"[" * 30 + b"]" * 30) is not None
