"""State FindDue: launches that should have moved by now, and the deployer accounts."""

from dataclasses import asdict
from typing import Any

from workflow import token_reconcile


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``TokenReconcile.find``."""
    return asdict(token_reconcile().find())
