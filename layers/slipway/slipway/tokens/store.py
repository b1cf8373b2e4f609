"""Token deployments, their locks, and the built-in model catalogue.

Keys in the jobs table, besides those of every deployment (``slipway.jobs.deployments``):

- ``MODEL#<model id>`` / ``LOCK``: held by the model's one deployment, from the request until it failed for good;
- ``SYMBOL#<symbol>`` / ``LOCK``: the deployments that use a symbol.

Keys in the control table:

- ``CATALOGUE#<model id>`` / ``MODEL``: a model as an administrator told it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from pynamodb.attributes import JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from slipway.jobs.deployments import Deployment, deployment_key
from slipway.jobs.store import job_event
from slipway.store import (
    ConditionsFailedError,
    ControlItem,
    JobsItem,
    Transaction,
    upstream_errors,
)
from slipway.times import now_text
from slipway.tokens.models import FINAL, ModelMetadata, ModelState, Status

KIND = "token"


class DeploymentItem(Deployment, discriminator=KIND):
    """A token launch. Amounts are decimal strings in wei; gas figures are integers."""

    model_id = UnicodeAttribute()
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
    error_transaction_hash = UnicodeAttribute(null=True)
    deadline = UnicodeAttribute()

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


def model_lock_key(model_id: str) -> tuple[str, str]:
    """Partition and sort key of a model's lock."""
    return f"MODEL#{model_id}", "LOCK"


def symbol_lock_key(symbol: str) -> tuple[str, str]:
    """Partition and sort key of a symbol's lock."""
    return f"SYMBOL#{symbol}", "LOCK"


def find_deployment(deployment_id: str, *, consistent: bool = True) -> DeploymentItem | None:
    """A deployment by its id."""
    with upstream_errors():
        try:
            return DeploymentItem.get(*deployment_key(deployment_id), consistent_read=consistent)
        except DoesNotExist:
            return None


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
