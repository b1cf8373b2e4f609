"""The 82 public vectors of EIP-4361 (github.com/spruceid/siwe, as data of our own) against Slipway's sign-in.

``expect`` says what is right here: ``taken``, ``refused``, ``contract`` (its wallet is asked), ``other nonce`` (the
text is in order, but its nonce was not handed out), ``stricter`` (the signature is good, and Slipway wants the message
to be issued within a day, which EIP-4361 does not).
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from slipway.errors import AuthenticationFailedError
from slipway.identity import sign_in
from slipway.identity.models import VerifyRequest
from slipway.identity.sign_in import SignedMessage, SignIn, verified_wallet
from tests.support.clock import ManualClock
from tests.support.template import ROOT

VECTORS: list[dict[str, Any]] = json.loads((ROOT / "tests" / "support" / "sign_in_vectors.json").read_text())
NAMES = [vector["about"] for vector in VECTORS]
NO_SIGNATURE = "0x"


def _verified(vector: dict[str, Any], *, takes: bool, asked: list[SignedMessage] | None = None) -> SignIn:
    def contract(message: SignedMessage) -> bool:
        if asked is not None:
            asked.append(message)
        return takes

    moment, chains = datetime.fromisoformat(vector["at"]), [vector["chain_id"]]
    given = VerifyRequest(message="\n".join(vector["message"]), signature=vector.get("signature", NO_SIGNATURE))
    return verified_wallet(given.message, given.signature, vector["hosts"], chains, contract, ManualClock(at=moment))


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_a_public_vector_is_judged_rightly(vector: dict[str, Any]) -> None:
    expect, asked = vector["expect"], list[SignedMessage]()
    # Where a text is judged and no signature is given, any would do.
    takes = "signature" not in vector or expect == "contract"
    if expect in ("refused", "stricter"):
        with pytest.raises((AuthenticationFailedError, ValidationError)):
            _verified(vector, takes=takes, asked=asked)
        if expect == "stricter":
            assert sign_in._recovers_to(vector["wallet"], "\n".join(vector["message"]), vector["signature"])
        return
    found = _verified(vector, takes=takes, asked=asked)
    if expect == "other nonce":
        assert found.nonce == vector["nonce"] != vector["asked"]
        return
    assert found == SignIn(vector["wallet"], vector["nonce"], vector["domain"])
    if expect == "contract":
        (message,) = asked
        assert (message.wallet, message.chain_id) == (vector["wallet"], 1)
        assert message.signature == bytes.fromhex(vector["signature"][2:])
    elif "signature" in vector:
        assert asked == []


def test_all_of_them_are_here() -> None:
    counted = Counter(vector["expect"] for vector in VECTORS)
    assert counted == {"taken": 21, "refused": 56, "other nonce": 1, "contract": 2, "stricter": 2}
    assert len(set(NAMES)) == 82
