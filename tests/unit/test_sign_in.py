"""Sign-In with Ethereum: what a signed message must be before its wallet is believed."""

import contextlib
import time
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import defunct_hash_message, encode_defunct

from slipway.errors import AuthenticationFailedError
from slipway.identity.sign_in import SignedMessage, SignIn
from slipway.identity.sign_in import verified_wallet as _verified_wallet
from tests.support.keys import SECP256K1_ORDER
from tests.support.wallets import ALICE, BOB, moment, sign_in_message, sign_text

DOMAINS = ("slipway.test", "dashboard.test:3000", "localhost:*")
CHAINS = (1, 31337)


def verified_wallet(message: str, signature: str, domains: tuple[str, ...], contracts: Any = lambda _: False) -> SignIn:
    """Verify, by default with no contract wallet that takes anything."""
    return _verified_wallet(message, signature, domains, CHAINS, contracts)


def _refused(message: str, signature: str, words: str | None = None) -> None:
    with pytest.raises(AuthenticationFailedError, match=words):
        verified_wallet(message, signature, DOMAINS)


def test_the_wallet_that_signed_and_its_nonce() -> None:
    message = sign_in_message(nonce="k3vQxT0c9mYb2LrN")
    assert verified_wallet(message, sign_text(message), DOMAINS) == (ALICE.address, "k3vQxT0c9mYb2LrN", "slipway.test")


@pytest.mark.parametrize(
    "changes",
    [
        {"domain": "dashboard.test:3000", "uri": "http://dashboard.test:3000"},
        {"expires": moment(3600)},
        {"not_before": moment(-60), "expires": moment(3600)},
        {"issued_at": moment(60)},
        {"issued_at": moment(-23 * 3600)},
        {"not_before": moment(60)},
        {"domain": "https://slipway.test"},
        {"domain": "localhost:5173", "uri": "http://localhost:5173/login"},
        {"chain_id": "1"},
        {"statement": "I accept the terms: https://slipway.test/terms"},
    ],
)
def test_good_messages(changes: dict[str, str]) -> None:
    message = sign_in_message(**changes)
    assert verified_wallet(message, sign_text(message), DOMAINS)[0] == ALICE.address


@pytest.mark.parametrize(
    "changes",
    [
        {"domain": "evil.test"},
        {"domain": "slipway.test.evil.test"},
        {"domain": "slipway.test:8443"},
        {"domain": "dashboard.test"},
        {"domain": "SLIPWAY.test"},
        {"domain": "ftp://slipway.test"},
        {"domain": "localhost:5173:1"},
        {"domain": "localhost:"},
        {"domain": "localhost"},
        {"uri": "ftp://slipway.test/"},
        {"chain_id": "5"},
        {"chain_id": "0"},
        {"uri": "https://evil.test/login"},
        {"uri": "https://slipway.test@evil.test/"},
        {"uri": "https://user@slipway.test/"},
        {"uri": "https://slipway.test:8443/"},
        {"uri": "urn:slipway.test"},
        {"domain": "evil.test", "uri": "https://evil.test"},
    ],
)
def test_messages_for_others_are_refused(changes: dict[str, str]) -> None:
    message = sign_in_message(**changes)
    _refused(message, sign_text(message))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expires": moment(-1)}, "Expired"),
        ({"not_before": moment(3600)}, "NotYet"),
        ({"issued_at": moment(3600)}, "future"),
        ({"issued_at": moment(-25 * 3600)}, "24 hours"),
        ({"issued_at": "yesterday"}, "valid"),
        ({"issued_at": "2026-02-30T00:00:00Z"}, "valid"),
        ({"issued_at": "2026-01-01T00:00:00"}, "valid"),
        ({"expires": "2026-01-01T00:00:00"}, "valid"),
        ({"nonce": "short"}, "valid"),
        ({"nonce": "with-a-dash-12345"}, "valid"),
        ({"address": ALICE.address.lower()}, "valid"),
        ({"address": "0x" + "0" * 39}, "valid"),
        ({"uri": "not a uri"}, "valid"),
        ({"uri": "https://[::1"}, None),
    ],
    # Without the moments, so that a test has one name in every process.
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
def test_messages_out_of_their_time_or_form_are_refused(changes: dict[str, str], words: str | None) -> None:
    message = sign_in_message(**changes)
    _refused(message, sign_text(message), words)


@pytest.mark.parametrize("message", ["", "hello", "{}", "\x00", "wants you to sign in\n" * 50, "é" * 1000, "\ud800"])
def test_text_that_is_no_message_is_refused(message: str) -> None:
    _refused(message, "0x" + "11" * 64 + "1b", "valid")


def test_a_message_of_another_version_is_refused() -> None:
    message = sign_in_message().replace("Version: 1", "Version: 2")
    _refused(message, sign_text(message))


def test_another_wallets_signature_is_refused() -> None:
    message = sign_in_message(ALICE.address)
    _refused(message, sign_text(message, BOB))


def test_a_signature_of_another_message_is_refused() -> None:
    message = sign_in_message(nonce="aaaaaaaaaaaa")
    _refused(message, sign_text(sign_in_message(nonce="bbbbbbbbbbbb")))


def _parts(message: str) -> tuple[int, int, int]:
    signed = Account.sign_message(encode_defunct(text=message), ALICE.key)
    return signed.r, signed.s, signed.v


def _signature(r: int, s: int, v: int) -> str:
    return "0x" + r.to_bytes(32, "big").hex() + s.to_bytes(32, "big").hex() + v.to_bytes(1, "big").hex()


def test_the_twin_with_a_high_s_is_refused() -> None:
    """Both recover to the same wallet; were both accepted, one sign-in would have two signatures."""
    message = sign_in_message()
    r, s, v = _parts(message)
    assert verified_wallet(message, _signature(r, s, v), DOMAINS)
    twin = _signature(r, SECP256K1_ORDER - s, 55 - v)
    assert Account.recover_message(encode_defunct(text=message), signature=twin) == ALICE.address
    _refused(message, twin, "canonical")


def test_v_is_27_or_28_or_as_some_wallets_write_it_0_or_1() -> None:
    message = sign_in_message()
    r, s, v = _parts(message)
    assert verified_wallet(message, _signature(r, s, v - 27), DOMAINS).wallet == ALICE.address
    for other in (28 - v, 55 - v, 2, 29, 35, 255):
        _refused(message, _signature(r, s, other))


@pytest.mark.parametrize("v", [27, 28])
@pytest.mark.parametrize("r", [0, 1, 5, SECP256K1_ORDER - 1, SECP256K1_ORDER, 2**256 - 1])
@pytest.mark.parametrize("s", [0, 1, SECP256K1_ORDER // 2])
def test_signatures_that_are_no_points_are_refused(r: int, s: int, v: int) -> None:
    _refused(sign_in_message(), _signature(r, s, v))


def test_a_contract_wallet_is_asked_only_when_the_key_did_not_sign() -> None:
    asked: list[SignedMessage] = []
    message = sign_in_message(ALICE.address)
    found = verified_wallet(message, sign_text(message), DOMAINS, asked.append)
    assert (found.wallet, asked) == (ALICE.address, [])

    def takes(signed: SignedMessage) -> bool:
        asked.append(signed)
        return True

    found = verified_wallet(message, "0x" + "ab" * 200, DOMAINS, takes)
    assert found.wallet == ALICE.address
    (signed,) = asked
    assert (signed.wallet, signed.chain_id, signed.signature) == (ALICE.address, 31337, b"\xab" * 200)
    assert signed.digest == bytes(defunct_hash_message(text=message))


@pytest.mark.parametrize("signature", ["0x", "0x" + "00" * 64, "0x" + "00" * 66, "0x" + "ff" * 4096])
def test_what_no_contract_takes_is_refused(signature: str) -> None:
    _refused(sign_in_message(), signature)


@pytest.mark.parametrize(
    "message",
    [
        sign_in_message(domain="a" * 3800),
        sign_in_message(domain="slipway.test." * 300),
        sign_in_message(domain="https://" * 480 + "slipway.test"),
        sign_in_message(statement="a" * 3800),
        sign_in_message(uri="https://slipway.test/" + "a" * 3800),
        sign_in_message(nonce="a" * 3800),
        sign_in_message() + "\nResources:" + "\n- https://slipway.test/" * 150,
        " wants you to sign in with your Ethereum account:" * 80,
        sign_in_message(statement="a" * 500, uri="https://slipway.test/" + "a" * 480, nonce="a" * 500),
    ],
    ids=range(9),
)
def test_a_long_message_costs_little(message: str) -> None:
    """Measured beside a usual message, since the machine may be busy: its grammar once took 2.6 s for 3.8 kB."""
    usual = sign_in_message()

    def seconds(text: str) -> float:
        started = time.process_time()
        with contextlib.suppress(AuthenticationFailedError):
            verified_wallet(text, sign_text(usual), DOMAINS)
        return time.process_time() - started

    seconds(usual)
    least = min(seconds(usual) for _ in range(3))
    assert min(seconds(message) for _ in range(3)) < 20 * least + 0.02
