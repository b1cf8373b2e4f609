"""A wallet that a passkey signs for (ERC-1271), as Coinbase's smart wallets are: its contract and its signatures."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from eth_abi.abi import encode
from web3 import Web3

from local.paths import ROOT
from slipway.solidity.compiler import Compiler, build_input, node_modules_resolver

SOURCE = Path(__file__).parents[1] / "functional" / "contracts" / "sources" / "SignedByPasskey.sol"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_PRESENT_AND_VERIFIED = b"\x05"


class Passkey:
    """A passkey of one site."""

    def __init__(self, site: str) -> None:
        """Make a new key."""
        self.site = site
        self._key = ec.generate_private_key(ec.SECP256R1())

    def deploy(self, web3: Web3, sender: str) -> str:
        """Deploy the wallet that takes this key's signatures; return its address."""
        with Compiler(ROOT / "node_modules" / "solc" / "soljson.js") as compiler:
            source = {SOURCE.name: SOURCE.read_text(encoding="utf-8")}
            output = compiler.compile(build_input(source, node_modules_resolver(ROOT / "node_modules")))
        entry: dict[str, Any] = output["contracts"][SOURCE.name]["SignedByPasskey"]
        factory = web3.eth.contract(abi=entry["abi"], bytecode=entry["evm"]["bytecode"]["object"])
        numbers = self._key.public_key().public_numbers()
        coordinates = [number.to_bytes(32, "big") for number in (numbers.x, numbers.y)]
        hashed = factory.constructor(*coordinates).transact({"from": Web3.to_checksum_address(sender)})
        return str(web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)["contractAddress"])

    def sign(self, digest: bytes) -> bytes:
        """Return the signature of a digest, as the wallet's contract reads it."""
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        client = json.dumps(
            {"type": "webauthn.get", "challenge": challenge, "origin": f"https://{self.site}"}, separators=(",", ":")
        )
        authenticator = hashlib.sha256(self.site.encode()).digest() + _PRESENT_AND_VERIFIED + bytes(4)
        signed = authenticator + hashlib.sha256(client.encode()).digest()
        r, s = decode_dss_signature(self._key.sign(signed, ec.ECDSA(hashes.SHA256())))
        s = min(s, _ORDER - s)  # The contract takes the low one alone.
        return encode(
            ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"],
            [
                r.to_bytes(32, "big"), s.to_bytes(32, "big"), client.index('"challenge"'), client.index('"type"'),
                authenticator, client,
            ],
        )  # fmt: skip
