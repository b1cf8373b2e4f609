"""Token deployments, their locks, and the built-in model catalogue.

Keys in the jobs table:

- ``DEPLOYMENT#<id>`` / ``DETAIL``: the deployment; in ``by_owner`` under ``DEPLOYMENT#<wallet>``, and in ``open_work``
  until it has ended;
- ``MODEL#<model id>`` / ``LOCK``: held by the model's one deployment, from the request until it failed for good;
- ``SYMBOL#<symbol>`` / ``LOCK``: the deployments that use a symbol.

Keys in the control table:

- ``CATALOGUE#<model id>`` / ``MODEL``: a model as an administrator told it.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

from pynamodb.attributes import JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from slipway.jobs.store import job_event
from slipway.store import (
    ConditionsFailedError,
    ControlItem,
    JobsItem,
    Transaction,
    condition_held,
    newest_first,
    upstream_errors,
)
from slipway.times import now_text
from slipway.tokens.models import FINAL, ModelMetadata, ModelState, Status

OPEN_SHARDS = 4


class DeploymentItem(JobsItem):
    """A token launch. Amounts are decimal strings in wei; gas figures are integers."""

    deployment_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    status = UnicodeAttribute()
    model_id = UnicodeAttribute()
    wallet = UnicodeAttribute()
    chain_id = NumberAttribute()
    token_name = UnicodeAttribute()
    token_symbol = UnicodeAttribute()
    controller = UnicodeAttribute(null=True)
    model = JSONAttribute(null=True)
    estimated_gas_cost = UnicodeAttribute()
    token_address = UnicodeAttribute(null=True)
    deployment_tx_hash = UnicodeAttribute(null=True)
    deployment_block = NumberAttribute(null=True)
    deployment_gas_used = NumberAttribute(null=True)
    deployment_gas_price = UnicodeAttribute(null=True)
    registry_tx_hash = UnicodeAttribute(null=True)
    registry_block = NumberAttribute(null=True)
    registry_gas_used = NumberAttribute(null=True)
    registry_gas_price = UnicodeAttribute(null=True)
    error_code = UnicodeAttribute(null=True)
    error_message = UnicodeAttribute(null=True)
    error_transaction_hash = UnicodeAttribute(null=True)
    executions = NumberAttribute(default=1)
    deadline = UnicodeAttribute()
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return Status(self.status) in FINAL


class ModelLock(JobsItem):
    """Makes one token per model."""

    deployment_id = UnicodeAttribute()


class SymbolLock(JobsItem):
    """Who uses a symbol. A chosen symbol may be shared, a generated one is taken only when nobody has it."""

    deployments = UnicodeSetAttribute(null=True)


class CatalogueModel(ControlItem):
    """A model in the built-in catalogue."""

    owner = UnicodeAttribute()
    contributors: ListAttribute[str] = ListAttribute(default=list)
    state = UnicodeAttribute()
    validated_at = UnicodeAttribute(null=True)
    run_id = UnicodeAttribute(null=True)
    metrics = JSONAttribute(null=True)
    improvement = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute()

    @staticmethod
    def key(model_id: str) -> tuple[str, str]:
        """Partition and sort key."""
        return f"CATALOGUE#{model_id}", "MODEL"


def deployment_key(deployment_id: str) -> tuple[str, str]:
    """Partition and sort key of a deployment."""
    return f"DEPLOYMENT#{deployment_id}", "DETAIL"


def model_lock_key(model_id: str) -> tuple[str, str]:
    """Partition and sort key of a model's lock."""
    return f"MODEL#{model_id}", "LOCK"


def symbol_lock_key(symbol: str) -> tuple[str, str]:
    """Partition and sort key of a symbol's lock."""
    return f"SYMBOL#{symbol}", "LOCK"


def owner_key(wallet: str) -> str:
    """Under which a wallet's deployments are indexed."""
    return f"DEPLOYMENT#{wallet}"


def open_shard(deployment_id: str) -> str:
    """Where ``reconcile`` looks for the deployment while it has not ended."""
    return open_shard_name(zlib.crc32(deployment_id.encode()) % OPEN_SHARDS)


def open_shard_name(shard: int) -> str:
    """Key of one of the ``OPEN_SHARDS`` shards in the index ``open_work``."""
    return f"OPEN#{shard}"


def find_deployment(deployment_id: str, *, consistent: bool = True) -> DeploymentItem | None:
    """A deployment by its id."""
    with upstream_errors():
        try:
            return DeploymentItem.get(*deployment_key(deployment_id), consistent_read=consistent)
        except DoesNotExist:
            return None


def due_deployments(shard: int, moment: str, limit: int) -> list[str]:
    """Ids of deployments of a shard that should have been looked at before ``moment``, longest overdue first."""
    with upstream_errors():
        found = DeploymentItem.open_work.query(open_shard_name(shard), DeploymentItem.open_until < moment, limit=limit)
        return [item.pk.removeprefix("DEPLOYMENT#") for item in found]


def look_again(deployment: DeploymentItem, moment: str) -> None:
    """Put the next look at a deployment off, unless it has ended."""
    condition_held(
        lambda: DeploymentItem(deployment.pk, deployment.sk).update(
            actions=[DeploymentItem.open_until.set(moment)], condition=DeploymentItem.open_shard.exists()
        )
    )


def count_execution(deployment: DeploymentItem) -> bool:
    """Count one more execution of a deployment; False when somebody else did since it was read."""
    count = int(deployment.executions)
    counted = condition_held(
        lambda: DeploymentItem(deployment.pk, deployment.sk).update(
            actions=[DeploymentItem.executions.set(count + 1)],
            condition=(DeploymentItem.executions == count) & DeploymentItem.open_shard.exists(),
        )
    )
    if counted:
        deployment.executions = count + 1
    return counted


def model_lock(model_id: str) -> ModelLock | None:
    """Who holds a model's lock."""
    with upstream_errors():
        try:
            return ModelLock.get(*model_lock_key(model_id), consistent_read=True)
        except DoesNotExist:
            return None


def symbol_is_free(symbol: str) -> bool:
    """Whether no live token uses a symbol."""
    with upstream_errors():
        try:
            return not SymbolLock.get(*symbol_lock_key(symbol)).deployments
        except DoesNotExist:
            return True


def deployments_of(
    wallet: str, *, kind: str | None, status: Status | None, limit: int, cursor: str | None
) -> tuple[list[DeploymentItem], str | None]:
    """A page of a wallet's deployments, newest first, and where the next one begins."""
    condition = None
    if kind:
        condition = DeploymentItem.kind == kind
    if status:
        by_status = DeploymentItem.status == str(status)
        condition = by_status if condition is None else condition & by_status
    return newest_first(
        DeploymentItem,
        DeploymentItem.by_owner,
        ("owner_key", owner_key(wallet)),
        "owner_sort",
        limit=limit,
        cursor=cursor,
        matching=condition,
    )


def save_model(metadata: ModelMetadata) -> None:
    """Write a model into the catalogue."""
    with upstream_errors():
        CatalogueModel(
            *CatalogueModel.key(metadata.model_id),
            owner=metadata.owner,
            contributors=list(metadata.contributors),
            state=str(metadata.state),
            validated_at=metadata.validated_at,
            run_id=metadata.run_id,
            metrics=metadata.metrics,
            improvement=None if metadata.improvement is None else repr(metadata.improvement),
            updated_at=now_text(),
        ).save()


def find_model(model_id: str) -> ModelMetadata | None:
    """A model in the catalogue."""
    with upstream_errors():
        try:
            item = CatalogueModel.get(*CatalogueModel.key(model_id), consistent_read=True)
        except DoesNotExist:
            return None
    return ModelMetadata(
        model_id=model_id,
        owner=item.owner,
        contributors=tuple(item.contributors),
        state=ModelState(item.state),
        validated_at=item.validated_at,
        run_id=item.run_id,
        metrics=item.metrics or {},
        improvement=None if item.improvement is None else float(item.improvement),
    )


def advance(
    deployment: DeploymentItem,
    allowed: set[Status],
    to: Status,
    message: str,
    *,
    actions: Sequence[Action] | None = None,
    data: dict[str, Any] | None = None,
    also: Callable[[Transaction], None] | None = None,
) -> bool:
    """Move a deployment on and tell of it, in one transaction.

    Args:
        deployment: Stays as it was read.
        allowed: Statuses from which it may move.
        to: Where it goes; a final status takes it out of the open work.
        message: The event's text.
        actions: Further changes of the deployment.
        data: The event's data.
        also: Adds writes that happen together with the move.

    Returns:
        False when it was not in an allowed status; nothing is written then.
    """
    changes = [
        DeploymentItem.status.set(str(to)),
        DeploymentItem.updated_at.set(now_text()),
        *(actions or []),
    ]
    if to in FINAL:
        changes += [DeploymentItem.open_shard.remove(), DeploymentItem.open_until.remove()]
    write = Transaction()
    write.create("event", job_event(deployment.pk, str(to), message, data))
    write.update(
        "deployment",
        DeploymentItem(deployment.pk, deployment.sk),
        changes,
        condition=DeploymentItem.status.is_in(*(str(status) for status in allowed)),
    )
    if also:
        also(write)
    try:
        write.commit()
    except ConditionsFailedError:
        return False
    return True


def release_locks(write: Transaction, deployment: DeploymentItem) -> None:
    """Let the model and the symbol go: the deployment failed and nothing of it can still be mined."""
    write.delete(
        "lock",
        ModelLock(*model_lock_key(deployment.model_id)),
        ModelLock.pk.does_not_exist() | (ModelLock.deployment_id == deployment.deployment_id),
    )
    write.update(
        "symbol",
        SymbolLock(*symbol_lock_key(deployment.token_symbol)),
        [SymbolLock.deployments.delete({deployment.deployment_id})],
    )


def unlock(deployment: DeploymentItem) -> None:
    """Let a failed deployment's model and symbol go, if they are still its."""
    write = Transaction()
    release_locks(write, deployment)
    try:
        write.commit()
    except ConditionsFailedError:
        return
