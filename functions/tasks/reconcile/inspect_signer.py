"""State InspectSigner: compare the stored next nonce with the chain's."""

from typing import Any

from workflow import signer_reconcile


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``SignerReconcile.inspect``."""
    return {"nonces": signer_reconcile(event["chain_id"]).inspect(event["address"])}
