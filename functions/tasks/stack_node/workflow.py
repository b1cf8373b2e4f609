"""The workflow over this installation's Akash account and artifacts, made once a process."""

import os
from functools import cache, partial

import httpx

from slipway.akash.console.client import console_api
from slipway.executions import execution_starter
from slipway.p256_key import P256Key
from slipway.settings import stack_settings
from slipway.stacks.artifact_store import ArtifactStore
from slipway.stacks.jobs import follow
from slipway.stacks.node_rpc import NodeRpc
from slipway.stacks.node_workflow import NodeWorkflow
from slipway.store import aws_client


@cache
def workflow() -> NodeWorkflow:
    """The node's states."""
    return NodeWorkflow(
        console_api,
        stack_settings(),
        ArtifactStore(aws_client("s3"), os.environ["ARTIFACT_BUCKET"]),
        P256Key(aws_client("kms"), os.environ["ARTIFACT_KEY_ID"]),
        NodeRpc(httpx.AsyncClient(trust_env=False)),
        partial(follow, start=execution_starter(os.environ["STACK_API_ARN"])),
    )
