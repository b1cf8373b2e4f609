"""State ReconcileStack: make sure that somebody works on the stack, or that it has its lease and its endpoint."""

from typing import Any

from workflow import stack_reconcile

from slipway.stacks.models import Kind


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``StackReconcile.reconcile_stack``."""
    return {"done": stack_reconcile().reconcile_stack(event["environment"], Kind(event["kind"]))}
