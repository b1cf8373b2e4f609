"""The hub of ``stack_node``: whatever is due for a node's job."""

import time
from functools import cache, partial
from typing import Any

from slipway.akash.console.client import console_api
from slipway.executions import execution_starter
from slipway.p256_key import P256Key
from slipway.settings import artifact_bucket, artifact_key_id, stack_settings, state_machine_arn
from slipway.stacks.artifact_store import ArtifactStore
from slipway.stacks.jobs import follow
from slipway.stacks.node_rpc import node_rpc
from slipway.stacks.node_workflow import NodeWorkflow
from slipway.store import aws_client
from slipway.tasks import run_job
from slipway.times import Clock


@cache
def workflow(clock: Clock = time) -> NodeWorkflow:
    """Return the workflow over this installation's Akash account and artifacts, made once a process."""
    return NodeWorkflow(
        console_api,
        stack_settings(),
        ArtifactStore(aws_client("s3"), artifact_bucket()),
        P256Key(aws_client("kms"), artifact_key_id()),
        node_rpc(),
        partial(follow, start=execution_starter(state_machine_arn("stack_api"))),
        clock,
    )


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Work on the job ``{"environment", "job_id"}``; see ``StackWorkflow.work``."""
    return run_job(
        event,
        context,
        ("environment", "job_id"),
        lambda failure: workflow().work(event["environment"], event["job_id"], failure),
        what="stack",
    )
