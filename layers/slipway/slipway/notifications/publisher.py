"""From the jobs table's stream to the queue: each event becomes one message for each webhook that wants it."""

from collections.abc import Iterable
from typing import Any, cast

from slipway.builds.store import BuildUpdateItem, updates_after
from slipway.jobs.store import JobEvent, events_of
from slipway.notifications.queue import enqueue
from slipway.notifications.rules import event_type, fitted, wants
from slipway.notifications.store import ALL, webhooks_of
from slipway.notifications.subjects import subject_of
from slipway.observability import logger
from slipway.store import read_item


def publish(records: Iterable[dict[str, Any]]) -> None:
    """Queue the messages of the events whose keys the stream reports; a repetition queues the same messages.

    Raises:
        UpstreamUnavailableError: The store or the queue did not answer; the batch comes again.
    """
    for entry in records:
        keys = entry["dynamodb"]["Keys"]
        event = _event_at(keys["pk"]["S"], keys["sk"]["S"])
        if event is not None:
            _publish(event)


def _event_at(pk: str, sk: str) -> JobEvent | None:
    """Return an event. Builds number theirs; one that gave the build no other status is none."""
    if sk.startswith("EVENT#"):
        return read_item(JobEvent, (pk, sk))
    update = read_item(BuildUpdateItem, (pk, sk))
    if update is None:
        return None
    if update.sequence is None or update.status is None:
        # Not one of ours. It would hold up everything behind it in the stream.
        logger.error("an update of a build without number or status", pk=pk, sk=sk)
        return None
    before = updates_after(pk.removeprefix("BUILD#"), int(update.sequence) - 2, 1) if update.sequence > 1 else []
    previous = before[0].status if before else None
    if previous == update.status:
        return None
    data = {"previous_status": previous}
    return JobEvent(pk, sk, event=update.status, message=update.message, data=data, created_at=update.created_at)


def _publish(event: JobEvent) -> None:
    kind = event_type(event.pk, event.event)
    subject = subject_of(event) if kind else None
    if kind is None or subject is None:
        return
    owner, body = subject
    wanting = [
        webhook
        for webhook in webhooks_of(owner) + webhooks_of(ALL)
        if not webhook.is_off and wants([str(wanted) for wanted in webhook.events], kind)
    ]
    if not wanting:
        return
    data = fitted(body() | {"previous_status": _previous(event, kind)})
    for webhook in wanting:
        enqueue(webhook, kind, event.pk, event.sk, event.created_at, data)


def _previous(event: JobEvent, kind: str) -> str | None:
    """Return the status before: as the event says, or the event of its kind before it."""
    if event.data and "previous_status" in event.data:
        return cast("str | None", event.data["previous_status"])
    about = kind.partition(".")[0] + "."
    before = [
        entry.event
        for entry in events_of(event.pk, latest=True)
        if entry.sk < event.sk and (event_type(entry.pk, entry.event) or "").startswith(about)
    ]
    return before[-1] if before and event.event != "pending" else None
