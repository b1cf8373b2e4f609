"""Use cases of webhooks: make, list, delete, rotate the secret, test, read the log."""

import hashlib
import secrets
from urllib.parse import urlsplit

from pynamodb.expressions.update import Action

from slipway.errors import ConflictError, ForbiddenError, SlipwayError, ValidationFailedError
from slipway.identifiers import new_id
from slipway.identity.models import OPERATOR, Caller, is_staff
from slipway.identity.quotas import quota_of
from slipway.jobs.store import RequestContext
from slipway.limits.store import Quota
from slipway.network import is_public, resolved
from slipway.notifications import store
from slipway.notifications.mail import CONFIRM_SECONDS, SCHEME, checked_address, send_code
from slipway.notifications.models import (
    Confirmation,
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

_MAX_DELIVERIES = 100
# Codes that a wallet has sent, and that an address gets.
_CODES = {"day": 5}


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
        RateLimitExceededError: The caller has done so as often as it may, or a mail address was sent codes enough.
        UpstreamUnavailableError: The mail with the code could not be sent.
    """
    owner = str(caller.wallet)
    if body.all and not is_staff(caller):
        raise ForbiddenError(f"Only the role {OPERATOR} may have events of everybody's things")
    by_mail = body.url.startswith(SCHEME)
    if by_mail != (body.format is Format.EMAIL) and not (by_mail and body.format is Format.STANDARD):
        raise ValidationFailedError.of_field(
            "format", "email goes with mailto: addresses, and other formats with https"
        )
    code = None
    if by_mail:
        address = checked_address(body.url)
        for whose in (owner, address.lower()):
            Quota("email-codes", whose, _CODES).count()
        code = secrets.token_urlsafe(12)
    else:
        _require_reachable(body.url)
    webhook_id, secret = new_id(), None if by_mail else new_secret()
    item = store.make_webhook(
        quota_of(caller, "webhooks"),
        store.ALL if body.all else owner,
        webhook_id,
        context.audit("accepted", owner, webhook_id),
        owner=owner,
        url=body.url,
        events=list(dict.fromkeys(body.events)),
        format=(Format.EMAIL if by_mail else body.format).value,
        secret=encrypted(secret) if secret else None,
        code_hash=_hash(code) if code else None,
        code_until=epoch_seconds() + CONFIRM_SECONDS if code else None,
        created_at=now_text(),
    )
    if item is None:
        raise ConflictError(f"No more than {store.MAX_WEBHOOKS} webhooks are allowed; delete one first")
    if code:
        try:
            send_code(body.url, webhook_id, code)
        except SlipwayError:
            store.delete_webhook(item, context.audit("UPSTREAM_UNAVAILABLE", owner, webhook_id))
            raise
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
        confirmed=item.code_hash is None,
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


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def confirm(caller: Caller, webhook_id: str, body: Confirmation, context: RequestContext) -> WebhookView:
    """Confirm an e-mail address by the code that was sent to it; once more changes nothing.

    Raises:
        NotFoundError: It is not the caller's.
        ValidationFailedError: The code is wrong or too old.
    """
    kind, item = store.Webhook, store.find_webhook(str(caller.wallet), webhook_id)
    if item.code_hash is not None:
        good = (kind.code_hash == _hash(body.code)) & (kind.code_until > epoch_seconds())
        if not update_if(kind(item.pk, item.sk), good, [kind.code_hash.remove(), kind.code_until.remove()]):
            raise ValidationFailedError.of_field("code", "is wrong, or older than 24 hours: make the webhook anew then")
        context.record_accepted(str(caller.wallet), webhook_id)
    return _view(store.find_webhook(str(caller.wallet), webhook_id))


def rotate(caller: Caller, webhook_id: str, context: RequestContext) -> SecretAnswer:
    """Give a webhook a new secret.

    Raises:
        NotFoundError: It is not the caller's.
        ConflictError: It has none, or was given another at the same time.
    """
    item = store.find_webhook(str(caller.wallet), webhook_id)
    if item.secret is None:
        raise ConflictError("An e-mail address has no secret")
    secret, kind = new_secret(), store.Webhook
    stored = encrypted(secret)
    changes = [
        kind.secret.set(stored),
        kind.old_secret.set(item.secret),
        kind.old_until.set(epoch_seconds() + OVERLAP_SECONDS),
        # Whoever mends a receiver rotates its secret or tests it: both switch it on again.
        *_switched_on(),
    ]
    changed = update_if(kind(item.pk, item.sk), kind.secret == item.secret, changes)
    # A write whose answer was lost fails when it is tried again.
    if not changed and store.find_webhook(str(caller.wallet), webhook_id).secret != stored:
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
        ConflictError: It is an e-mail address that is not confirmed.
        RateLimitExceededError: The caller has done so as often as it may.
        UpstreamUnavailableError: The queue did not answer.
    """
    item = store.find_webhook(str(caller.wallet), webhook_id)
    if item.code_hash is not None:
        raise ConflictError("The e-mail address is not confirmed yet")
    quota_of(caller, "webhook_tests").count()
    update_if(store.Webhook(item.pk, item.sk), store.Webhook.pk.exists(), _switched_on())
    return TestAnswer(id=enqueue(item, TEST, "TEST", new_id(), now_text(), {"webhook_id": webhook_id}))


def deliveries(caller: Caller, webhook_id: str) -> DeliveryList:
    """Return the latest deliveries; raises NotFoundError for a webhook that is not the caller's."""
    item = store.find_webhook(str(caller.wallet), webhook_id)
    found = store.deliveries_of(item.sk, _MAX_DELIVERIES)
    return DeliveryList(
        deliveries=[
            DeliveryView(id=entry.sk.rpartition("#")[2], type=entry.type, attempts=entry.attempts) for entry in found
        ]
    )
