"""Use cases of webhooks: make, list, delete, rotate the secret, test, read the log."""

from urllib.parse import urlsplit

from pynamodb.expressions.update import Action

from slipway.errors import ConflictError, ForbiddenError, ValidationFailedError
from slipway.identifiers import new_id
from slipway.identity.models import OPERATOR, Caller, is_staff
from slipway.identity.quotas import quota_of
from slipway.jobs.store import RequestContext
from slipway.network import is_public, resolved
from slipway.notifications import store
from slipway.notifications.models import (
    DeliveryList,
    DeliveryView,
    Format,
    SecretAnswer,
    TestAnswer,
    WebhookCreated,
    WebhookList,
    WebhookRequest,
    WebhookView,
)
from slipway.notifications.queue import enqueue
from slipway.notifications.rules import OVERLAP_SECONDS, TEST, checked_url, new_secret
from slipway.notifications.stored_secrets import encrypted
from slipway.settings import webhook_private_network
from slipway.store import update_if
from slipway.times import epoch_seconds, now_text

_MOST_DELIVERIES = 100


def _require_reachable(url: str) -> None:
    """Refuse an address that leads into a private network now; each delivery looks again."""
    private = webhook_private_network()
    checked_url(url, private_allowed=private)
    if private:
        return
    parts = urlsplit(url)
    try:
        addresses = resolved(str(parts.hostname), parts.port or 443)
    except OSError as error:
        raise ValidationFailedError.of_field("url", "its host does not resolve") from error
    if not all(is_public(address) for address in addresses):
        raise ValidationFailedError.of_field("url", "its host is not a public one")


def make(caller: Caller, body: WebhookRequest, context: RequestContext) -> WebhookCreated:
    """Make a webhook.

    Raises:
        ForbiddenError: ``all`` by a caller who is neither operator nor administrator.
        ValidationFailedError: The address may not be called.
        ConflictError: The caller has twenty.
        RateLimitExceededError: The caller has done so as often as it may.
    """
    owner = str(caller.wallet)
    if body.all and not is_staff(caller):
        raise ForbiddenError(f"Only the role {OPERATOR} may have events of everybody's things")
    _require_reachable(body.url)
    webhook_id, secret = new_id(), new_secret()
    item = store.make_webhook(
        quota_of(caller, "webhooks"),
        store.ALL if body.all else owner,
        webhook_id,
        context.audit("accepted", owner, webhook_id),
        owner=owner,
        url=body.url,
        events=list(dict.fromkeys(body.events)),
        format=body.format.value,
        secret=encrypted(secret),
        created_at=now_text(),
    )
    if item is None:
        raise ConflictError(f"No more than {store.MOST_WEBHOOKS} webhooks are allowed; delete one first")
    return WebhookCreated(**_view(item).model_dump(), secret=secret)


def _own(owner: str) -> list[store.Webhook]:
    everybodys = [item for item in store.webhooks_of(store.ALL) if item.owner == owner]
    return [*store.webhooks_of(owner), *everybodys]


def _view(item: store.Webhook) -> WebhookView:
    return WebhookView(
        id=item.sk,
        url=item.url,
        events=list(item.events),
        format=Format(item.format),
        all=item.pk.endswith(f"#{store.ALL}"),
        created_at=item.created_at,
        disabled_at=item.disabled_at,
        disabled_reason=item.disabled_reason,
    )


def listed(caller: Caller) -> WebhookList:
    """Return the caller's webhooks, without their secrets."""
    return WebhookList(webhooks=[_view(item) for item in _own(str(caller.wallet))])


def delete(caller: Caller, webhook_id: str, context: RequestContext) -> None:
    """Delete a webhook; raises NotFoundError for one that is not the caller's."""
    item = store.find_webhook(str(caller.wallet), webhook_id)
    store.delete_webhook(item, context.audit("accepted", caller.wallet, webhook_id))


def rotate(caller: Caller, webhook_id: str, context: RequestContext) -> SecretAnswer:
    """Give a webhook a new secret; raises NotFoundError for one that is not the caller's."""
    item = store.find_webhook(str(caller.wallet), webhook_id)
    secret, kind = new_secret(), store.Webhook
    changes = [
        kind.secret.set(encrypted(secret)),
        kind.old_secret.set(item.secret),
        kind.old_until.set(epoch_seconds() + OVERLAP_SECONDS),
        # Whoever mends a receiver rotates its secret or tests it: both switch it on again.
        *_switched_on(),
    ]
    if not update_if(kind(item.pk, item.sk), kind.secret == item.secret, changes):
        raise ConflictError("The secret was changed at the same time; try again", retry_after=1)
    context.record_accepted(str(caller.wallet), webhook_id)
    return SecretAnswer(secret=secret)


def _switched_on() -> list[Action]:
    kind = store.Webhook
    return [kind.failing_since.remove(), kind.disabled_at.remove(), kind.disabled_reason.remove()]


def test(caller: Caller, webhook_id: str) -> TestAnswer:
    """Send a test message, which switches the webhook on again.

    Raises:
        NotFoundError: It is not the caller's.
        RateLimitExceededError: The caller has done so as often as it may.
        UpstreamUnavailableError: The queue did not answer.
    """
    item = store.find_webhook(str(caller.wallet), webhook_id)
    quota_of(caller, "webhook_tests").count()
    update_if(store.Webhook(item.pk, item.sk), store.Webhook.pk.exists(), _switched_on())
    return TestAnswer(id=enqueue(item, TEST, "TEST", new_id(), now_text(), {"webhook_id": webhook_id}))


def deliveries(caller: Caller, webhook_id: str) -> DeliveryList:
    """Return the latest deliveries; raises NotFoundError for a webhook that is not the caller's."""
    item = store.find_webhook(str(caller.wallet), webhook_id)
    found = store.deliveries_of(item.sk, _MOST_DELIVERIES)
    return DeliveryList(
        deliveries=[
            DeliveryView(id=entry.sk.rpartition("#")[2], type=entry.type, attempts=entry.attempts) for entry in found
        ]
    )
