"""Webhooks and their deliveries.

Keys in the control table:

- ``WEBHOOKS#<owner>`` / ``<id>``: a webhook for the owner's things; ``WEBHOOKS#ALL`` / ``<id>`` one for everybody's;
- ``WEBHOOK-COUNT#<owner>`` / ``COUNT``: how many an owner has;
- ``WORKER-WEBHOOKS`` / ``<owner or ALL>#<id>``: an owner whose worker is watched for its silence;
- ``DELIVERIES#<webhook id>`` / ``<time>#<message id>``: a message and the tries to deliver it, for seven days.
"""

from typing import Any

from pynamodb.attributes import JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute

from slipway.errors import NotFoundError
from slipway.jobs.store import AuditEvent
from slipway.limits.store import Quota
from slipway.notifications.stored_secrets import decrypted
from slipway.store import ConditionsFailedError, ControlItem, Transaction, read_item, upstream_errors
from slipway.times import epoch_seconds

ALL = "ALL"
MAX_WEBHOOKS = 20
_LOG_SECONDS = 7 * 86_400
_WATCHED = "WORKER-WEBHOOKS"


class Webhook(ControlItem):
    """A webhook. ``old_secret`` signs as well until ``old_until``; ``failing_since`` is in seconds since 1970.

    Both secrets are encrypted (``stored_secrets``). ``code_hash`` is there until an e-mail address is confirmed, by a
    code that is good until ``code_until`` (seconds since 1970).
    """

    owner = UnicodeAttribute()
    url = UnicodeAttribute()
    events = ListAttribute(of=UnicodeAttribute)
    format = UnicodeAttribute()
    secret = UnicodeAttribute(null=True)
    old_secret = UnicodeAttribute(null=True)
    old_until = NumberAttribute(null=True)
    created_at = UnicodeAttribute()
    failing_since = NumberAttribute(null=True)
    disabled_at = UnicodeAttribute(null=True)
    disabled_reason = UnicodeAttribute(null=True)
    code_hash = UnicodeAttribute(null=True)
    code_until = NumberAttribute(null=True)

    @property
    def is_off(self) -> bool:
        """Whether it gets no messages: switched off, or an e-mail address that nobody confirmed yet."""
        return self.disabled_at is not None or self.code_hash is not None

    def secrets(self, moment: int) -> list[str]:
        """Return the secrets that sign at a moment, in seconds since 1970; raises UpstreamUnavailableError."""
        old = [str(self.old_secret)] if self.old_secret and float(self.old_until or 0) > moment else []
        return [decrypted(stored) for stored in (self.secret, *old) if stored]


class WebhookCount(ControlItem):
    """How many webhooks an owner has."""

    webhooks = NumberAttribute(default=0)


class WatchedOwner(ControlItem):
    """An owner whose worker's silence is to be noticed soon."""


class Delivery(ControlItem):
    """A message and the tries to deliver it (``models.AttemptView``)."""

    type = UnicodeAttribute()
    attempts = JSONAttribute()
    expires_at = NumberAttribute()


def _partition(owner: str) -> str:
    return f"WEBHOOKS#{owner}"


def webhooks_of(owner: str) -> list[Webhook]:
    """Return the webhooks for an owner's things, or for everybody's (``ALL``)."""
    with upstream_errors():
        return list(Webhook.query(_partition(owner), consistent_read=True))


def find_webhook(owner: str, webhook_id: str) -> Webhook:
    """Return a webhook that an owner made.

    Raises:
        NotFoundError: There is none.
    """
    for partition in (owner, ALL):
        found = read_item(Webhook, (_partition(partition), webhook_id))
        if found is not None and found.owner == owner:
            return found
    raise NotFoundError("There is no such webhook")


def webhook_at(pk: str, webhook_id: str) -> Webhook | None:
    """Return a webhook by its key; None when it was deleted."""
    return read_item(Webhook, (pk, webhook_id))


def _count(write: Transaction, owner: str, change: int) -> None:
    number = WebhookCount.webhooks
    room = number.does_not_exist() | (number < MAX_WEBHOOKS) if change > 0 else None
    write.update("count", WebhookCount(f"WEBHOOK-COUNT#{owner}", "COUNT"), [number.add(change)], room)


def make_webhook(quota: Quota, partition: str, webhook_id: str, audit: AuditEvent, **values: Any) -> Webhook | None:
    """Keep a new webhook with its audit event; None when its owner has as many as may be.

    Raises:
        RateLimitExceededError: The owner's quota is used up.
        ConflictError: Too many requests came at once.
    """
    item = Webhook(_partition(partition), webhook_id, **values)
    write = Transaction()
    write.create("webhook", item)
    if any(event.startswith("worker.") for event in values["events"]):
        write.create("watched", WatchedOwner(_WATCHED, f"{partition}#{webhook_id}"))
    _count(write, values["owner"], 1)
    write.create("audit", audit)
    try:
        quota.commit(write)
    except ConditionsFailedError:
        return None
    return item


def delete_webhook(item: Webhook, audit: AuditEvent) -> None:
    """Delete a webhook; what is on its way to it is dropped."""
    partition = item.pk.removeprefix("WEBHOOKS#")
    write = Transaction()
    write.delete("webhook", Webhook(item.pk, item.sk), Webhook.pk.exists())
    if any(event.startswith("worker.") for event in item.events):
        write.delete("watched", WatchedOwner(_WATCHED, f"{partition}#{item.sk}"), WatchedOwner.pk.exists())
    _count(write, item.owner, -1)
    write.create("audit", audit)
    write.commit_if_allowed()


def watched_owners() -> set[str]:
    """Return the owners whose workers are watched; ``ALL`` stands for everybody."""
    with upstream_errors():
        return {item.sk.rpartition("#")[0] for item in WatchedOwner.query(_WATCHED)}


def keep_attempt(webhook_id: str, moment: str, message: str, kind: str, attempt: dict[str, Any]) -> None:
    """Add a try to a message's log. One process at a time delivers a message."""
    key = (f"DELIVERIES#{webhook_id}", f"{moment}#{message}")
    known = read_item(Delivery, key)
    attempts = [*(known.attempts if known else []), attempt]
    with upstream_errors():
        Delivery(*key, type=kind, attempts=attempts, expires_at=epoch_seconds() + _LOG_SECONDS).save()


def deliveries_of(webhook_id: str, limit: int) -> list[Delivery]:
    """Return a webhook's latest deliveries, newest first."""
    with upstream_errors():
        return list(Delivery.query(f"DELIVERIES#{webhook_id}", scan_index_forward=False, limit=limit))
