"""State FindStacks: stacks whose job should have moved by now, and active ones that are to be looked at."""

from typing import Any

from workflow import stack_reconcile


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``StackReconcile.find``."""
    found = stack_reconcile().find()
    return {"stacks": [{"environment": environment, "kind": str(kind)} for environment, kind in found]}
