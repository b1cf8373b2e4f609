"""State CloseOrphan: close a deployment on Akash that nobody owns."""

from typing import Any

from workflow import akash_reconcile


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashReconcile.close_orphan``."""
    return {"done": akash_reconcile().close_orphan(event["dseq"])}
