"""Light task states of ``build``."""

from functools import cache
from typing import Any

from slipway.builds.pipeline.completion import BuildWorkflow
from slipway.tasks import State, run_state


@cache
def workflow() -> BuildWorkflow:
    """Return the light states of builds, made once a process."""
    return BuildWorkflow()


def _prepare(event: dict[str, Any]) -> dict[str, Any]:
    build = {"build_id": event["build_id"], "job_id": event["job_id"]}
    prepared = workflow().prepare(**build)
    # The inputs of the branches.
    return {"stage": str(prepared.stage), "chains": [{**build, "chain_id": chain} for chain in prepared.chain_ids]}


def _record_failure(event: dict[str, Any]) -> dict[str, Any]:
    stage = workflow().record_failure(event["build_id"], event["job_id"], event["error"], event["cause"])
    return {"stage": str(stage)}


STATES: dict[str, State] = {
    "Prepare": _prepare,
    "Complete": lambda event: {"stage": str(workflow().complete(event["build_id"], event["job_id"]))},
    "RecordFailure": _record_failure,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
