"""State BroadcastNonce: send what closes the nonce."""

from typing import Any

from workflow import signer_reconcile


def run(event: dict[str, Any]) -> None:
    """See ``SignerReconcile.send_closing``."""
    signer_reconcile(event["chain_id"]).send_closing(event["address"], event["nonce"])
