"""What an Idempotency-Key is, and what it is bound to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ValidationFailedError
from slipway.idempotency import body_fingerprint, idempotency_key_of

JSON_OBJECTS = st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5), max_size=5)


@given(JSON_OBJECTS)
def test_a_fingerprint_does_not_depend_on_order(body: dict[str, object]) -> None:
    assert body_fingerprint(body) == body_fingerprint(dict(reversed(body.items())))


@given(JSON_OBJECTS, JSON_OBJECTS)
def test_other_bodies_have_other_fingerprints(one: dict[str, object], other: dict[str, object]) -> None:
    assert (body_fingerprint(one) == body_fingerprint(other)) is (one == other)


@pytest.mark.parametrize("header", ["", "a" * 256, "two words", "naïve", "tab\t"])
def test_a_key_is_visible_ascii(header: str) -> None:
    with pytest.raises(ValidationFailedError, match="Idempotency-Key"):
        idempotency_key_of(header)


def test_a_key_is_optional() -> None:
    assert idempotency_key_of(None) is None
    assert idempotency_key_of("a" * 255) == "a" * 255
