"""Task states of ``reconcile``."""

from typing import Any

import broadcast_nonce
import close_orphan
import find_builds
import find_due
import find_stacks
import find_workloads
import inspect_signer
import reconcile_build
import reconcile_job
import reconcile_stack
import reconcile_workload

from slipway.tasks import run_state

STATES = {
    "FindDue": find_due.run,
    "ReconcileJob": reconcile_job.run,
    "InspectSigner": inspect_signer.run,
    "BroadcastNonce": broadcast_nonce.run,
    "FindWorkloads": find_workloads.run,
    "ReconcileWorkload": reconcile_workload.run,
    "CloseOrphan": close_orphan.run,
    "FindBuilds": find_builds.run,
    "ReconcileBuild": reconcile_build.run,
    "FindStacks": find_stacks.run,
    "ReconcileStack": reconcile_stack.run,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
