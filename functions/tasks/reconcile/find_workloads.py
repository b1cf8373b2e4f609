"""State FindWorkloads: workloads that should have moved by now, and deployments on Akash without owner."""

from dataclasses import asdict
from typing import Any

from workflow import akash_reconcile


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashReconcile.find``."""
    return asdict(akash_reconcile().find())
