"""Launches that are written into a stack's tables as the API writes them, at any point of their life."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from local.chains import TOKEN_CHAIN
from slipway.jobs.deployments import deployment_key, owner_key
from slipway.jobs.open_work import open_shard
from slipway.times import now, now_text, to_text
from slipway.tokens.models import Status
from slipway.tokens.rules import LAUNCH_SECONDS
from slipway.tokens.store import KIND, ModelLock, TokenItem, model_lock_key


def write_launch(jobs: Any, wallet: str, model_id: str, *, due_in: float = 5, **changes: Any) -> str:
    """Write an accepted launch, which nothing has begun to work on, and its model's lock.

    Args:
        jobs: The jobs table, of boto3.
        wallet: Whose launch it is.
        model_id: The model, whose name the token has.
        due_in: Seconds after which reconcile takes it up.
        changes: Attributes that differ.

    Returns:
        Its id.
    """
    deployment_id, created_at = str(uuid.uuid4()), now_text()
    launch = TokenItem(
        *deployment_key(deployment_id),
        deployment_id=deployment_id,
        status=str(Status.PENDING),
        model_id=model_id,
        wallet=wallet,
        chain_id=TOKEN_CHAIN,
        token_name=model_id,
        token_symbol="FAULT",
        estimated_gas_cost="1",
        executions=1,
        deadline=to_text(now() + timedelta(seconds=LAUNCH_SECONDS)),
        created_at=created_at,
        updated_at=created_at,
        owner_key=owner_key(wallet),
        owner_sort=f"{created_at}#{deployment_id}",
        open_shard=open_shard(KIND, deployment_id),
        open_until=to_text(now() + timedelta(seconds=due_in)),
        **changes,
    )
    read: Any = TypeDeserializer().deserialize
    for item in (ModelLock(*model_lock_key(model_id), deployment_id=deployment_id), launch):
        jobs.put_item(Item={name: read(value) for name, value in item.serialize().items()})
    return deployment_id
