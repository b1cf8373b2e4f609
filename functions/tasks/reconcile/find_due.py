"""State FindDue: launches that should have moved by now, and the deployer accounts on every chain."""

from typing import Any

from workflow import token_reconcile

from slipway.chain.reconcile import deployer_accounts
from slipway.settings import chain_settings


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``TokenReconcile.find`` and ``deployer_accounts``."""
    accounts = [{"chain_id": chain_id, "address": address} for chain_id, address in deployer_accounts(chain_settings())]
    return {"deployment_ids": token_reconcile().find(), "signers": accounts}
