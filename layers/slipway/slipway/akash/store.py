"""Akash workloads in the jobs table, besides the keys of every deployment (``slipway.jobs.deployments``).

- ``DEPLOYMENT#<id>`` / ``SDL``: the workload's SDL, apart so that lists need not read it;
- ``DEPLOYMENT#<id>`` / ``SDL#NEXT``: the SDL that it is to run next, while it is updated or replaced;
- ``DEPLOYMENT#<id>`` / ``BIDS``: the bids that its owner chooses among;
- ``DSEQ#<dseq>`` / ``CLAIM``: whose a deployment on Akash is. Who writes it first owns it, for good;
- ``SDL#<fingerprint>`` / ``MANIFEST``: the manifest that an SDL leads to, known since the first create that answered.

SDLs and manifests may hold what a workload keeps secret, so they are sealed (``slipway.sealed_texts``).
"""

from enum import StrEnum
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from slipway.akash.models import FINAL, Status
from slipway.akash.rules import Attempt, Payment, Progress, manifest_hash
from slipway.errors import LeaseClosedError, NotFoundError
from slipway.jobs.deployments import Deployment, deployment_key
from slipway.jobs.open_work import open_shard
from slipway.sealed_texts import sealed_sdls
from slipway.store import ConditionsFailedError, JobsItem, Transaction, read_item, upstream_errors
from slipway.times import epoch_seconds, now_text

KIND = "akash"
# Under which kind active workloads are checked now and then.
WATCHED = "akash-active"
_MANIFEST_SECONDS = 30 * 86400
_BIDS_SECONDS = 30 * 86400
OWNERLESS = "reconcile"
# Sort key of the SDL that a workload is to run once it is updated or replaced.
NEXT_SDL = "SDL#NEXT"
# How soon reconcile first checks a workload, and how often until it is active.
RECONCILE_AFTER_SECONDS = 120


class Purpose(StrEnum):
    """What a paid workload's transactions are for; those while it runs are numbered."""

    RESERVE = "escrow-reserve"
    SETTLE = "escrow-settle"
    RELEASE_PART = "escrow-release-"
    RESERVE_MORE = "escrow-reserve-"


class AkashDeployment(Deployment, discriminator=KIND):
    """A workload.

    Attributes:
        attempt_began_at: Milliseconds since 1970 when a create was about to be sent of which nobody knows yet whether
            it happened; written before it is sent.
        attempt_gave_up_at: Milliseconds when its caller stopped waiting; None if the caller died.
        attempt_answered: Whether upstream had ended the request by then.
        lost_creates: Creates that were asked for and not found.
        blind_creates: Those of them that upstream had not even answered.
        choice: ``within`` (seconds) and ``unchosen``, where its owner wants to choose among the bids.
        choose_until: Until when the owner may choose.
        chosen: Ids and prices of the bids to lease.
        chosen_by: ``owner`` or ``deadline``, where the owner wanted to choose.
        leases: Ids and prices of the leases.
        observation: What the providers reported last (``models.Observation``).
        closing_code: Why it will end in an error, once it is proved closed.
        name: What its owner calls it.
        auto_top_up: Whether its runway is kept up.
        update_requested_at: Since when its lease is to run the SDL under ``SDL#NEXT``.
        replace_requested_at: Since when it is to be closed and created anew with that SDL.
        top_up: A deposit that is to be made: ``amount`` in US dollars, ``budget`` that was reserved for it where the
            account pays, ``sent_at`` and ``before``, what had been deposited then, once it is sent.
        close_began_at: When Akash was first asked to close it.
        final_cost: What it has cost in the end, in US dollars, with ``earlier_cost`` of leases that were replaced.
        keep_failed: Leave it open for a look if it fails with a lease.
        kept_open: It failed and was left open; it costs until somebody has it closed.
        budget: What was reserved of the operator's budgets, until it is closed (``slipway.budgets``).
        payment: How its owner's escrow pays: ``amount``, ``units``, ``decimals``, ``token``, ``escrow`` and
            ``expires_at``; None where the operator's account pays.
        payment_signed: Purpose of the payment that is signed and not final.
        charge: A payment that is due while it runs: ``purpose``, and ``units`` to release or to have reserved.
        charges: How many of these there were.
        funded_units: What its owner's deposits for it come to that are reserved, in the token's base units.
        deposit_seen_at: When the deposit was first seen, in a block that was not confirmed.
        seen_units: All that its owner had deposited when that was counted; what comes after tops it up.
        released_units: What of them is released.
        warned_seconds: The least runway of which its owner was warned.
        top_up_failed_at: When Akash refused a deposit that its owner had paid.
        close_code: Code of the error for which it was closed while it ran.
        bounds: Within which its bids stay besides the caller's wishes: ``max_price`` in US dollars an hour,
            ``audited_only``.
    """

    sdl_fingerprint = UnicodeAttribute()
    services: ListAttribute[str] = ListAttribute(default=list)
    groups = NumberAttribute(default=1)
    preferences = JSONAttribute()
    deposit = UnicodeAttribute()
    attempt_began_at = NumberAttribute(null=True)
    attempt_gave_up_at = NumberAttribute(null=True)
    attempt_answered = BooleanAttribute(null=True)
    lost_creates = NumberAttribute(default=0)
    blind_creates = NumberAttribute(default=0)
    dseq = UnicodeAttribute(null=True)
    opened_at = UnicodeAttribute(null=True)
    bids_told_at = UnicodeAttribute(null=True)
    acceptable_since = UnicodeAttribute(null=True)
    excluded_bids: ListAttribute[str] = ListAttribute(default=list)
    choice = JSONAttribute(null=True)
    choose_until = UnicodeAttribute(null=True)
    chosen = JSONAttribute(null=True)
    chosen_by = UnicodeAttribute(null=True)
    lease_asked_at = UnicodeAttribute(null=True)
    leases = JSONAttribute(null=True)
    leased_at = UnicodeAttribute(null=True)
    observation = JSONAttribute(null=True)
    active_at = UnicodeAttribute(null=True)
    close_requested_at = UnicodeAttribute(null=True)
    close_reason = UnicodeAttribute(null=True)
    closing_code = UnicodeAttribute(null=True)
    closing_message = UnicodeAttribute(null=True)
    close_sent_at = UnicodeAttribute(null=True)
    upstream_closed_at = UnicodeAttribute(null=True)
    closed_at = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    auto_top_up = BooleanAttribute(null=True)
    update_requested_at = UnicodeAttribute(null=True)
    replace_requested_at = UnicodeAttribute(null=True)
    top_up = JSONAttribute(null=True)
    close_began_at = UnicodeAttribute(null=True)
    earlier_cost = UnicodeAttribute(null=True)
    final_cost = UnicodeAttribute(null=True)
    keep_failed = BooleanAttribute(null=True)
    kept_open = BooleanAttribute(null=True)
    budget = JSONAttribute(null=True)
    bounds = JSONAttribute(null=True)
    payment = JSONAttribute(null=True)
    deposited_at = UnicodeAttribute(null=True)
    payment_signed = UnicodeAttribute(null=True)
    reserved_at = UnicodeAttribute(null=True)
    settled_at = UnicodeAttribute(null=True)
    charge = JSONAttribute(null=True)
    charges = NumberAttribute(default=0)
    funded_units = NumberAttribute(null=True)
    seen_units = NumberAttribute(null=True)
    deposit_seen_at = UnicodeAttribute(null=True)
    released_units = NumberAttribute(default=0)
    warned_seconds = NumberAttribute(null=True)
    top_up_failed_at = UnicodeAttribute(null=True)
    close_code = UnicodeAttribute(null=True)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it. One that was kept open is to be closed one day."""
        return Status(self.status) in FINAL and not self.kept_open

    @property
    def finished(self) -> bool:
        """Whether nobody works on it: it has ended, or failed and is kept open."""
        return self.ended or (bool(self.kept_open) and not self.close_requested_at)

    @property
    def keeps(self) -> bool:
        """Whether it stays open if it fails now: somebody wants that, and its lease is still there."""
        return bool(self.keep_failed) and not self.close_requested_at and self.closing_code != LeaseClosedError.code

    @property
    def closing(self) -> bool:
        """Whether all that is left to do is to close it, or to close it before it is made anew."""
        return bool(self.close_requested_at or self.closing_code or self.replace_requested_at)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(
            ended=self.finished,
            active=self.status == str(Status.ACTIVE),
            closing=self.closing,
            attempting=self.attempt_began_at is not None,
            created=self.dseq is not None,
            choosing=self.choose_until is not None,
            chosen=self.chosen is not None,
            leased=self.leases is not None,
            close_sent=self.close_sent_at is not None,
            proved_closed=self.upstream_closed_at is not None,
            kept=self.keeps,
            updating=self.update_requested_at is not None,
            paying=self.top_up is not None,
            payment=self.payment_state,
        )

    @property
    def payment_state(self) -> Payment:
        """How far its owner's payment is."""
        if self.payment is None or self.settled_at:
            return Payment.NONE
        if self.payment_signed:
            signed = {str(Purpose.RESERVE): Payment.RESERVING, str(Purpose.SETTLE): Payment.SETTLING}
            return signed.get(str(self.payment_signed), Payment.CHARGING)
        if self.reserved_at:
            return Payment.CHARGED if self.charge else Payment.RESERVED
        return Payment.DEPOSITED if self.deposited_at else Payment.AWAITED

    @property
    def attempt(self) -> Attempt | None:
        """The create of which nobody knows yet whether it happened."""
        if self.attempt_began_at is None:
            return None
        gave_up_at = None if self.attempt_gave_up_at is None else int(self.attempt_gave_up_at)
        return Attempt(int(self.attempt_began_at), gave_up_at, bool(self.attempt_answered))


class SdlText(JobsItem):
    """A workload's SDL, sealed; None once it is not kept any more."""

    text = BinaryAttribute(null=True, legacy_encoding=False)
    expires_at = NumberAttribute(null=True)


class OfferedBids(JobsItem):
    """The bids for a deployment on Akash, as ``bidding.offers`` keeps them."""

    dseq = UnicodeAttribute()
    bids = JSONAttribute()
    updated_at = UnicodeAttribute()
    expires_at = NumberAttribute()


class DseqClaim(JobsItem):
    """Whose a deployment on Akash is: a workload's, or nobody's, so that it may be closed."""

    deployment_id = UnicodeAttribute()
    created_at = UnicodeAttribute()


class ManifestItem(JobsItem):
    """A manifest, sealed, with the hash by which Akash knows it."""

    text = BinaryAttribute(legacy_encoding=False)
    hash = UnicodeAttribute()
    expires_at = NumberAttribute()


def sdl_item(deployment_id: str, text: str) -> SdlText:
    """Return the SDL, to be written together with its workload."""
    pk = deployment_key(deployment_id)[0]
    return SdlText(pk, "SDL", text=sealed_sdls().seal(text, pk))


def put_sdl(write: Transaction, deployment: AkashDeployment, text: str, sort_key: str = "SDL") -> None:
    """Add to a transaction that a workload runs an SDL, or is to run it next under ``NEXT_SDL``."""
    sealed = sealed_sdls().seal(text, deployment.pk)
    write.update(
        "next" if sort_key == NEXT_SDL else "sdl", SdlText(deployment.pk, sort_key), [SdlText.text.set(sealed)]
    )


def sdl_of(deployment: AkashDeployment, sort_key: str = "SDL") -> str:
    """Return the SDL of a workload, or the one that it is to run next under ``NEXT_SDL``.

    Raises:
        NotFoundError: It is not kept any more.
    """
    found = read_item(SdlText, (deployment.pk, sort_key))
    if found is None or found.text is None:
        raise NotFoundError("The SDL is not kept any more")
    return sealed_sdls().open(found.text, deployment.pk)


def expire_sdl(write: Transaction, deployment: AkashDeployment, days: int) -> None:
    """Add to a transaction that the SDL of a workload that ends is deleted after some days, and the next one now."""
    expires_at = epoch_seconds() + days * 86400
    write.update("sdl", SdlText(deployment.pk, "SDL"), [SdlText.expires_at.set(expires_at)])
    if deployment.update_requested_at or deployment.replace_requested_at:
        write.update("next", SdlText(deployment.pk, NEXT_SDL), [SdlText.text.remove()])


def find_workload(deployment_id: str) -> AkashDeployment | None:
    """Return a workload by its id."""
    with upstream_errors():
        try:
            return AkashDeployment.get(*deployment_key(deployment_id), consistent_read=True)
        except DoesNotExist:
            return None


def hosts_of(deployment: AkashDeployment) -> dict[str, str]:
    """Return the host of each provider of a workload, as far as it is known."""
    return {entry["provider"]: entry["host"] for entry in deployment.leases or [] if entry.get("host")}


def bids_key(deployment: AkashDeployment) -> tuple[str, str]:
    """Return the key of a workload's ``OfferedBids``."""
    return deployment.pk, "BIDS"


def offered_bids(deployment: AkashDeployment) -> OfferedBids | None:
    """Return the bids for what a workload has on Akash now; None before any were seen."""
    found = read_item(OfferedBids, bids_key(deployment))
    return found if found and found.dseq == deployment.dseq else None


def offer_bids(deployment: AkashDeployment, bids: list[dict[str, Any]]) -> None:
    """Keep the bids that a workload's owner chooses among; written only if they changed."""
    kept = offered_bids(deployment)
    if kept is None or kept.bids != bids:
        expires_at = epoch_seconds() + _BIDS_SECONDS
        dseq = str(deployment.dseq)
        with upstream_errors():
            OfferedBids(
                *bids_key(deployment), dseq=dseq, bids=bids, updated_at=now_text(), expires_at=expires_at
            ).save()


# ── Manifests and claims ────────────────────────────────────────────────────────────────────────


def keep_manifest(fingerprint: str, manifest: str) -> None:
    """Remember the manifest that an SDL leads to, for a month after its last use."""
    pk = f"SDL#{fingerprint}"
    sealed = sealed_sdls().seal(manifest, pk)
    with upstream_errors():
        ManifestItem(
            pk,
            "MANIFEST",
            text=sealed,
            hash=manifest_hash(manifest),
            expires_at=epoch_seconds() + _MANIFEST_SECONDS,
        ).save()


def known_manifest(fingerprint: str) -> ManifestItem | None:
    """Return the manifest of an SDL; None if no create of it has answered yet."""
    with upstream_errors():
        try:
            return ManifestItem.get(f"SDL#{fingerprint}", "MANIFEST", consistent_read=True)
        except DoesNotExist:
            return None


def manifest_text(item: ManifestItem) -> str:
    """Return the manifest itself."""
    return sealed_sdls().open(item.text, item.pk)


def _claim_key(dseq: str) -> tuple[str, str]:
    return f"DSEQ#{dseq}", "CLAIM"


def claim_item(dseq: str, deployment_id: str) -> DseqClaim:
    """Return a claim, to be created where there is none."""
    return DseqClaim(*_claim_key(dseq), deployment_id=deployment_id, created_at=now_text())


def owner_of(dseq: str) -> str | None:
    """Id of the workload that a deployment on Akash belongs to, ``OWNERLESS`` if it is to be closed, or None."""
    with upstream_errors():
        try:
            return str(DseqClaim.get(*_claim_key(dseq), consistent_read=True).deployment_id)
        except DoesNotExist:
            return None


def claim_orphan(dseq: str) -> bool:
    """Take a deployment that nobody owns, so that it can be closed and no workload adopts it any more.

    Returns:
        False when a workload owns it.
    """
    write = Transaction()
    write.create("claim", claim_item(dseq, OWNERLESS), or_if=DseqClaim.deployment_id == OWNERLESS)
    try:
        write.commit()
    except ConditionsFailedError:
        return False
    return True


# ── Changes ─────────────────────────────────────────────────────────────────────────────────────


def still_pending() -> Condition:
    """Return the condition that the workload is pending, and is not asked to be closed."""
    condition: Condition = (
        (AkashDeployment.status == str(Status.PENDING))
        & AkashDeployment.close_requested_at.does_not_exist()
        & AkashDeployment.closing_code.does_not_exist()
        & AkashDeployment.replace_requested_at.does_not_exist()
    )
    return condition


def running() -> Condition:
    """Return the condition that the workload runs and nothing else is being done with it."""
    condition: Condition = (
        (AkashDeployment.status == str(Status.ACTIVE))
        & AkashDeployment.close_requested_at.does_not_exist()
        & AkashDeployment.update_requested_at.does_not_exist()
        & AkashDeployment.top_up.does_not_exist()
    )
    return condition


def resolve_attempt() -> list[Action]:
    """Forget the create of which nobody knew whether it happened."""
    return [
        AkashDeployment.attempt_began_at.remove(),
        AkashDeployment.attempt_gave_up_at.remove(),
        AkashDeployment.attempt_answered.remove(),
    ]


def watched(deployment_id: str, until: str) -> list[Action]:
    """Put an active workload among those that are checked now and then."""
    return [
        AkashDeployment.open_shard.set(open_shard(WATCHED, deployment_id)),
        AkashDeployment.open_until.set(until),
    ]


def unwatched() -> list[Action]:
    """Take a workload that has ended out of the open work."""
    return [AkashDeployment.open_shard.remove(), AkashDeployment.open_until.remove()]
