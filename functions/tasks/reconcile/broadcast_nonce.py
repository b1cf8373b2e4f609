"""State BroadcastNonce: send what holds the nonce."""

from typing import Any

from workflow import token_reconcile


def run(event: dict[str, Any]) -> None:
    """See ``TokenReconcile.broadcast_nonce``."""
    token_reconcile().broadcast_nonce(event["address"], event["nonce"])
