"""How a program reads a build's contract: a few lines for viem and for web3.py."""

from collections.abc import Mapping, Sequence
from typing import Any

from slipway.builds.api.models import Snippets

_LIKELY = ("name", "owner", "totalSupply")
_VIEM = """\
import { readFileSync } from "node:fs";
import { createPublicClient, http } from "viem";

// abi.json: GET /api/v1/builds/%(build_id)s/abi. RPC_URL: a node of chain %(chain_id)d.
const abi = JSON.parse(readFileSync("abi.json", "utf8"));
const client = createPublicClient({ transport: http(process.env.RPC_URL) });
console.log(await client.readContract({ address: "%(address)s", abi, functionName: "%(function)s" }));
"""
_WEB3_PY = """\
import json
import os

from web3 import Web3

# abi.json: GET /api/v1/builds/%(build_id)s/abi. RPC_URL: a node of chain %(chain_id)d.
with open("abi.json", encoding="utf-8") as file:
    abi = json.load(file)
w3 = Web3(Web3.HTTPProvider(os.environ["RPC_URL"]))
contract = w3.eth.contract(address="%(address)s", abi=abi)
print(contract.functions["%(function)s"]().call())
"""


def snippets_of(build_id: str, chain_id: int, address: str, abi: Sequence[Mapping[str, Any]]) -> Snippets | None:
    """Return programs that read the contract at an address; None of one that has nothing to read without arguments."""
    readable = [
        str(entry["name"])
        for entry in abi
        if entry["type"] == "function" and entry["stateMutability"] in ("view", "pure") and not entry["inputs"]
    ]
    function = next((name for name in (*_LIKELY, *readable) if name in readable), None)
    if function is None:
        return None
    values = {"build_id": build_id, "chain_id": chain_id, "address": address, "function": function}
    return Snippets(viem=_VIEM % values, web3_py=_WEB3_PY % values)
