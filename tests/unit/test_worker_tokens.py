"""Worker tokens: their shape, and that nothing else passes for one."""

import base64
import hashlib

import pytest

from slipway.workers.worker_tokens import new_worker_token, token_hash


def test_a_token_is_256_random_bits_with_a_name() -> None:
    tokens = {new_worker_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        assert token.startswith("slw_")
        assert len(base64.urlsafe_b64decode(token.removeprefix("slw_") + "=")) == 32
        assert token_hash(token) == hashlib.sha256(token.encode()).digest()


TOKEN = "slw_" + "A" * 43


@pytest.mark.parametrize(
    "other",
    [
        "",
        "slw_",
        TOKEN[:-1],
        TOKEN + "A",
        TOKEN + "\n",
        " " + TOKEN,
        TOKEN.upper(),
        TOKEN[:-1] + "+",
        "slw_" + "Ａ" * 43,
        "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.e30.AA",
    ],
)
def test_other_text_is_no_token(other: str) -> None:
    assert token_hash(TOKEN) is not None
    assert token_hash(other) is None
