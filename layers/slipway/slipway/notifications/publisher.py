"""From the jobs table's stream to the queue: each event becomes one message for each webhook that wants it."""

from collections.abc import Iterable
from typing import Any

from slipway.akash.models import Status as WorkloadStatus
from slipway.akash.store import AkashDeployment
from slipway.jobs.deployments import Deployment, find_deployment
from slipway.jobs.store import JobEvent, events_of
from slipway.notifications.queue import enqueue
from slipway.notifications.rules import PAYMENT, event_type, wants
from slipway.notifications.store import ALL, webhooks_of
from slipway.stacks.models import Kind
from slipway.stacks.store import find_stack
from slipway.stacks.views import answer_of
from slipway.store import read_item
from slipway.tokens.models import Status as TokenStatus
from slipway.tokens.store import TokenItem

# Only a class that is imported can be read: each kind of deployment has its own.
_DEPLOYMENTS: tuple[type[Deployment], ...] = (TokenItem, AkashDeployment)
_STATUSES = frozenset(map(str, (*TokenStatus, *WorkloadStatus)))


def publish(records: Iterable[dict[str, Any]]) -> None:
    """Queue the messages of the events whose keys the stream reports; a repetition queues the same messages.

    Raises:
        UpstreamUnavailableError: The store or the queue did not answer; the batch comes again.
    """
    for entry in records:
        keys = entry["dynamodb"]["Keys"]
        event = read_item(JobEvent, (keys["pk"]["S"], keys["sk"]["S"]))
        if event is not None:
            _publish(event)


def _publish(event: JobEvent) -> None:
    kind = event_type(event.pk, event.event)
    subject = _subject(event) if kind else None
    is_payment = event.event.startswith(PAYMENT)
    if kind is None or subject is None or not (_is_status(event) or is_payment):
        return
    owner, data = subject
    interested = [hook for hook in webhooks_of(owner) + webhooks_of(ALL) if not hook.disabled_at]
    if not is_payment:
        data["previous_status"] = (event.data or {}).get("previous_status") or _previous(event)
    for webhook in interested:
        if wants([str(wanted) for wanted in webhook.events], kind):
            enqueue(webhook, kind, event.pk, event.sk, event.created_at, data)


def _is_status(event: JobEvent) -> bool:
    """Return whether an event gave its job a status; launches and workloads have others besides."""
    return not event.pk.startswith("DEPLOYMENT#") or event.event in _STATUSES


def _previous(event: JobEvent) -> str | None:
    """Return the event before, which for jobs is the status before."""
    before = [entry.event for entry in events_of(event.pk, latest=True) if entry.sk < event.sk and _is_status(entry)]
    return before[-1] if before else None


def _subject(event: JobEvent) -> tuple[str, dict[str, Any]] | None:
    """Return a thing's owner, and the thing as it is now, with the status that the event gave it."""
    prefix, _, name = event.pk.partition("#")
    if prefix == "WORKER":
        return name, {"wallet": name, "status": event.event, **(event.data or {})}
    if prefix == "STACK":
        environment, _, kind = name.partition("#")
        stack = find_stack(environment, Kind(kind))
        return (stack.wallet, answer_of(stack, None, None).model_dump(mode="json")) if stack else None
    item = find_deployment(name)
    return (item.wallet, _deployment(item, event)) if item else None


def _deployment(item: Deployment, event: JobEvent) -> dict[str, Any]:
    return {
        "deployment_id": item.deployment_id,
        "status": item.status if event.event.startswith(PAYMENT) else event.event,
        "message": event.message,
        "error": {"code": item.error_code, "message": item.error_message} if item.error_code else None,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        **(event.data or {}),
    }
