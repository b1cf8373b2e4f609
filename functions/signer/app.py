"""The only function that may sign with the deployer keys.

Takes ``{"operation": "sign" | "bump" | "cancel", "job_id", "purpose"}`` or
``{"operation": "close", "chain_id", "address", "nonce"}``.
"""

from functools import cache
from typing import Any

import httpx

from slipway.chain.json_rpc import JsonRpc
from slipway.chain.kms_signer import KmsSigner
from slipway.chain.signing import ChainSigning
from slipway.chain.write_ahead import WriteAhead
from slipway.settings import chain_settings, deployer_key_ids
from slipway.store import aws_client
from slipway.tasks import run_state
from slipway.tokens.signing import TokenSigning


@cache
def _signers() -> list[KmsSigner]:
    return [KmsSigner(aws_client("kms"), key_id) for key_id in deployer_key_ids()]


@cache
def _chain_signing(chain_id: int) -> ChainSigning:
    chain = chain_settings().chains[chain_id]
    rpc = JsonRpc(chain, httpx.Client())
    return ChainSigning(chain, rpc, WriteAhead(_signers(), rpc))


def _token_signing() -> TokenSigning:
    return TokenSigning(_chain_signing(chain_settings().token_chain_id))


def _sign(event: dict[str, Any]) -> dict[str, Any]:
    item = _token_signing().sign(event["job_id"], event["purpose"])
    return {"transaction_hash": item.transaction_hash, "nonce": int(item.nonce), "signer": item.signer}


def _bump(event: dict[str, Any]) -> None:
    _token_signing().bump(event["job_id"], event["purpose"])


def _cancel(event: dict[str, Any]) -> None:
    _token_signing().cancel(event["job_id"], event["purpose"])


def _close(event: dict[str, Any]) -> None:
    _chain_signing(event["chain_id"]).close_nonce(event["address"], event["nonce"])


OPERATIONS = {"sign": _sign, "bump": _bump, "cancel": _cancel, "close": _close}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Sign, sign again, or close a nonce; errors are those of ``slipway.chain.signing``."""
    return run_state({**event, "state": event["operation"]}, context, OPERATIONS)
