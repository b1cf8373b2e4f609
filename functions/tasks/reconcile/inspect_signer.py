"""State InspectSigner: compare the stored next nonce with the chain's."""

from typing import Any

from workflow import token_reconcile


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``TokenReconcile.inspect_signer``."""
    return {"nonces": token_reconcile().inspect_signer(event["address"])}
