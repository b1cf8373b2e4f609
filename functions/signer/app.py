"""The only function that may sign with the deployer keys.

Takes ``{"operation": "sign" | "bump" | "cancel", "job_id", "purpose"}``, where the purpose is ``launch``, ``payment``,
or ``build`` with ``build_id`` and ``chain_id``; or ``{"operation": "close", "chain_id", "address", "nonce"}``.
"""

from functools import cache
from typing import Any

from slipway.akash.payments import PaymentSigning
from slipway.builds.pipeline.files import build_files
from slipway.builds.pipeline.signing import BuildSigning
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.kms_signer import KmsSigner
from slipway.chain.signing import ChainSigning
from slipway.chain.write_ahead import WriteAhead
from slipway.chains import Chain
from slipway.configuration import chain_settings
from slipway.network import public_client
from slipway.settings import deployer_key_ids, escrow_payee
from slipway.store import aws_client
from slipway.tasks import run_state
from slipway.tokens.signing import TokenSigning


@cache
def _signers() -> list[KmsSigner]:
    return [KmsSigner(aws_client("kms"), key_id) for key_id in deployer_key_ids()]


@cache
def _chain_signing(chain_id: int, *, builds: bool = False) -> ChainSigning:
    """Return what signs on a chain. Builds have the last account to themselves: a drained one stops no launch."""
    chain = chain_settings().chains.get(chain_id) or Chain.removed(chain_id)
    rpc, signers = JsonRpc(chain, public_client()), _signers()
    pool = (signers[-1:] if builds else signers[:-1]) or signers
    return ChainSigning(chain, rpc, WriteAhead(signers, chain, rpc, pool=pool))


def _job_signing(purpose: str) -> TokenSigning | PaymentSigning:
    signing = _chain_signing(chain_settings().token_chain_id)
    return PaymentSigning(signing, escrow_payee()) if purpose == "payment" else TokenSigning(signing)


def _build_signing(chain_id: int) -> BuildSigning:
    return BuildSigning(_chain_signing(chain_id, builds=True), build_files())


def _sign(event: dict[str, Any]) -> dict[str, Any]:
    if event["purpose"] == "build":
        items = [_build_signing(event["chain_id"]).sign(event["build_id"], event["job_id"])]
    else:
        items = _job_signing(event["purpose"]).sign(event["job_id"])
    return {
        "signed": [
            {
                "purpose": item.purpose,
                "transaction_hash": item.transaction_hash,
                "nonce": int(item.nonce),
                "signer": item.signer,
            }
            for item in items
        ]
    }


def _bump(event: dict[str, Any]) -> None:
    if event["purpose"] == "build":
        _build_signing(event["chain_id"]).bump(event["build_id"], event["job_id"])
    else:
        _job_signing(event["purpose"]).bump(event["job_id"])


def _cancel(event: dict[str, Any]) -> None:
    if event["purpose"] == "build":
        _build_signing(event["chain_id"]).cancel(event["build_id"])
    else:
        _job_signing(event["purpose"]).cancel(event["job_id"])


def _close(event: dict[str, Any]) -> None:
    _chain_signing(event["chain_id"]).close_nonce(event["address"], event["nonce"])


OPERATIONS = {"sign": _sign, "bump": _bump, "cancel": _cancel, "close": _close}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Sign, sign again, or close a nonce; errors are those of ``slipway.chain.signing``."""
    return run_state({**event, "state": event["operation"]}, context, OPERATIONS)
