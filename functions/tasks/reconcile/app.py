"""Task states of ``reconcile``: one call finds what is due of every kind and does it, each step on its own."""

from math import inf
from typing import Any

from slipway.chain.reconcile import deployer_accounts
from slipway.configuration import chain_settings
from slipway.reconcile import builds, launches, signers, stacks, verifications, workloads
from slipway.stacks.models import Kind
from slipway.sweep import find_and_do, found
from slipway.tasks import State, run_state

# The longest that a step takes: Akash is asked to close a deployment, and then whether it has.
_STEP_SECONDS = 60


def _find_workloads(_: dict[str, Any]) -> dict[str, Any]:
    due = workloads().find()
    orphans = found("CloseOrphan", ["dseq"], due.orphans)
    return {"steps": found("ReconcileWorkload", ["deployment_id"], due.deployment_ids)["steps"] + orphans["steps"]}


def _inspect_signer(event: dict[str, Any]) -> dict[str, Any]:
    nonces = signers(event["chain_id"]).inspect(event["address"])
    # Closing one takes a signature, for which the state machine asks the signer.
    return {"nonces": nonces, "again": bool(nonces)}


def _broadcast_nonce(event: dict[str, Any]) -> None:
    signers(event["chain_id"]).send_closing(event["address"], event["nonce"])


# What asks Akash or a verifier comes last: it may take its time.
FINDERS = ("FindLaunches", "FindBuilds", "FindStacks", "FindSigners", "FindWorkloads", "FindVerifications")
STATES: dict[str, State] = {
    # After a try that died, every step is left to a task of its own: one that kills its process stops no other.
    "Find": lambda event: find_and_do(FINDERS, STATES, -inf if event["tries"] else event["until"]),
    "FindLaunches": lambda _: found("ReconcileJob", ["deployment_id"], launches().find()),
    "ReconcileJob": lambda event: {"done": launches().reconcile_job(event["deployment_id"])},
    "FindBuilds": lambda _: found("ReconcileBuild", ["build_id"], builds().find()),
    "ReconcileBuild": lambda event: {"done": builds().reconcile_build(event["build_id"])},
    "FindStacks": lambda _: found("ReconcileStack", ["environment", "kind"], stacks().find()),
    "ReconcileStack": lambda event: {"done": stacks().reconcile_stack(event["environment"], Kind(event["kind"]))},
    "FindSigners": lambda _: found("InspectSigner", ["chain_id", "address"], deployer_accounts(chain_settings())),
    "InspectSigner": _inspect_signer,
    "BroadcastNonce": _broadcast_nonce,
    "FindWorkloads": _find_workloads,
    "ReconcileWorkload": lambda event: {"done": workloads().reconcile_job(event["deployment_id"])},
    "CloseOrphan": lambda event: {"done": workloads().close_orphan(event["dseq"])},
    "FindVerifications": lambda _: found("VerifySource", ["verification_id"], verifications().find()),
    "VerifySource": lambda event: {"done": verifications().verify(event["verification_id"])},
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES, reserve=_STEP_SECONDS)
