"""The steps of ``akash_deploy``.

Each does one step for a workload. Which step is due follows from the stored workload alone (``rules.next_step``), so
any number of executions may work on a workload, at any time. A user's wish to close it is part of what is stored, so it
wins at every step.

Upstream has no idempotency keys. A create is written down before it is sent, and while nobody knows whether it happened
none other is sent: what it may have made is looked for by its time and by the hash of its manifest, and claimed.
"""

import math
import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from aws_lambda_powertools.metrics import MetricUnit
from pynamodb.expressions.update import Action

from slipway.akash.bidding import offers
from slipway.akash.bidding import rules as bids
from slipway.akash.bidding.prices import MICRO, amount_text
from slipway.akash.choices import criteria_of
from slipway.akash.console.client import ConsoleApi
from slipway.akash.console.models import Bid, Deployment, Lease, LeaseId, Provider
from slipway.akash.models import Status
from slipway.akash.payments import Payments, funded_units
from slipway.akash.rules import Step, backed_off, is_ready, manifest_hash, next_step, observation_of
from slipway.akash.sdl.manifest import manifest_of
from slipway.akash.sdl.normalise import deployable
from slipway.akash.sdl.parser import fingerprint, parse_sdl
from slipway.akash.status.costs import cost_of
from slipway.akash.status.store import cache_answer
from slipway.akash.store import (
    KIND,
    NEXT_SDL,
    AkashDeployment,
    Purpose,
    SdlText,
    claim_item,
    expire_sdl,
    find_workload,
    hosts_of,
    keep_manifest,
    known_manifest,
    manifest_text,
    offer_bids,
    owner_of,
    put_sdl,
    resolve_attempt,
    running,
    sdl_of,
    still_pending,
    unwatched,
    watched,
)
from slipway.amounts import format_amount
from slipway.budgets import store as budgets
from slipway.chain.broadcast import STUCK_BLOCKS, release_unspent_budget, settle
from slipway.chain.models import Progress
from slipway.control.breaker import Outcome
from slipway.control.store import Service, record_outcome
from slipway.errors import (
    OPERATOR_ERRORS,
    BidClosedError,
    BidTimeoutError,
    CreateFailedError,
    CreateOutcomeUnknownError,
    DeploymentFailedError,
    EscrowNotSettledError,
    LeaseClosedError,
    NotFoundError,
    NotReadyError,
    PaymentRequiredError,
    SlipwayError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
)
from slipway.jobs.failures import Failure
from slipway.jobs.gas import Served
from slipway.jobs.steps import StepResult, Workflow
from slipway.jobs.store import audit_event, job_outcome
from slipway.jobs.store import change_job as change
from slipway.observability import logger, record
from slipway.settings import AkashTimeouts, akash_sdl_days
from slipway.store import Transaction
from slipway.times import Clock, from_text, now, now_text, to_text

# How often a create may be sent whose outcome stays unknown, and how often if upstream had not even answered: each of
# those may have cost a deposit until reconcile closes what it made.
MAX_LOST_CREATES = 8
MAX_BLIND_CREATES = 3
# Deadlines of calls: upstream waits about 50 s for a provider that takes the manifest, and asks providers for a status.
_LEASE_CALL_SECONDS = 55.0
_READ_SECONDS = 20.0
_DEPOSIT_PAUSE = 3
_LATE_DEPOSIT_PAUSE = 10
_RECOVER_PAUSE = 3
_READY_PAUSE = 5
# Least and most: whoever closes for hours must not fill an execution's history of 25,000 events.
_CONFIRM_PAUSES = (2, 120)
# How long the cost of what an escrow pays is asked for once it is closed.
_COST_SECONDS = 3600
# While it can't be closed: its escrow is not settled yet, or for whatever reason.
_SETTLE_PAUSE = 10
_CLOSE_PAUSE = 30
# After that the deployment is asked to be closed once more.
_CLOSE_AGAIN_SECONDS = 60
_CREATED_LIST_LIMIT = 1000
_OPEN_STATUSES = (str(Status.PENDING), str(Status.ACTIVE))


def _seconds_since(text: str | None, moment: datetime) -> float:
    return (moment - from_text(text)).total_seconds() if text else 0.0


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


class AkashWorkflow(Workflow[AkashDeployment]):
    """The steps of one installation's workloads.

    Args:
        console: The Console API.
        timeouts: How long things may take.
        clock: Gives the time.
        payments: What pays for workloads from escrow, if there is an escrow.
    """

    name = "akash_deploy"

    def __init__(
        self,
        console: ConsoleApi,
        timeouts: AkashTimeouts,
        clock: Clock = time,
        payments: Payments | None = None,
    ) -> None:
        super().__init__(clock)
        self._payments = payments
        # A workload whose payment is to be signed again with higher fees.
        self._stuck: str | None = None
        self._console = console
        self._timeouts = timeouts

    def work(self, deployment_id: str, failure: Failure | None = None) -> StepResult:
        """Do what is due for a workload.

        Raises:
            NotFoundError: There is no such workload.
            UpstreamUnavailableError and others that are not permanent: The same again.
        """
        deployment = find_workload(deployment_id)
        if deployment is None:
            raise NotFoundError("There is no such workload")
        self._stuck = None
        return self._work(deployment, deployment_id, failure)

    def _due(self, job: AkashDeployment) -> Step:
        return Step.BUMP if job.deployment_id == self._stuck else next_step(job.progress)

    def _status(self, job: AkashDeployment) -> str:
        return str(job.status)

    def _now_text(self) -> str:
        return now_text(self._clock)

    # ── Payment from escrow ─────────────────────────────────────────────────────────────────────

    def _paying(self) -> Payments:
        if self._payments is None:
            raise UpstreamUnavailableError("There is no escrow here")
        return self._payments

    def _await_deposit(self, deployment: AkashDeployment) -> int:
        """Look whether the deposit is there, in a block that is confirmed.

        Raises:
            PaymentRequiredError: It was not there in time; what did come can be refunded.
            UpstreamUnavailableError: The chain does not answer.
        """
        payment, payments = deployment.payment, self._paying()
        found, wanted = payments.deposit(deployment), int(payment["units"])
        came = format_amount(found.confirmed, int(payment["decimals"]))
        agreed = "price" not in payment or found.price == int(payment["price"])
        if found.confirmed >= wanted and agreed:
            more = "; the rest can be refunded" if found.confirmed > wanted else ""
            change(
                deployment,
                [AkashDeployment.deposited_at.set(self._now_text()), AkashDeployment.seen_units.set(found.total)],
                still_pending() & AkashDeployment.deposited_at.does_not_exist(),
                event=("deposited", f"{came} were deposited in the escrow for {payment['amount']}{more}", None),
            )
            return 0
        if found.latest >= wanted and not deployment.deposit_seen_at:
            change(deployment, [AkashDeployment.deposit_seen_at.set(self._now_text())], still_pending())
        late = _seconds_since(payment["expires_at"], now(self._clock))
        settling = payments.chain.block_seconds * (payments.chain.confirmations + STUCK_BLOCKS)
        if late > 0 and (found.latest < wanted or late > settling):
            reason = ""
            if found.confirmed >= wanted:
                reason = ", but at another price than the one that was asked for"
            elif deployment.deposit_seen_at:
                reason = ": a deposit was there, and was taken back by its owner or by a reorganisation of the chain"
            raise PaymentRequiredError(
                f"{came} of {payment['amount']} were deposited in time{reason}; nothing was created, and what is there "
                "can be refunded",
                details={"deposited": came, "amount": payment["amount"]},
            )
        return _DEPOSIT_PAUSE if _seconds_since(deployment.created_at, now(self._clock)) < 60 else _LATE_DEPOSIT_PAUSE

    def _pay(self, deployment: AkashDeployment) -> int:
        """Send the payment that is signed, and record it once it is confirmed.

        Raises:
            PaymentRequiredError: The deposit was taken back before it was reserved.
            UpstreamUnavailableError: The chain does not answer.
        """
        payments, purpose = self._paying(), str(deployment.payment_signed)
        item = payments.send(deployment)
        found = payments.state_of(item, now(self._clock))
        if found.progress in (Progress.PENDING, Progress.MISSING):
            if found.progress is Progress.MISSING:
                payments.again(item)
            return found.pause_seconds
        if found.progress is Progress.STUCK:
            self._stuck = deployment.deployment_id
            return 0
        actions: list[Action] = [AkashDeployment.payment_signed.remove()]
        event = None
        if found.progress is Progress.CONFIRMED:
            name, message, more = self._paid(deployment, purpose)
            actions += more
            event = (name, message, {"transaction_hash": item.transaction_hash})
        elif found.progress is Progress.REVERTED and deployment.charge:
            # What is due then is seen anew.
            actions += [AkashDeployment.charge.remove(), *self._watched(deployment)]
        if change(
            deployment,
            actions,
            AkashDeployment.payment_signed == purpose,
            event=event,
            also=lambda write: settle(write, item, str(found.progress), found.receipt, Served(KIND, deployment.wallet)),
        ):
            if found.receipt:
                release_unspent_budget(item, found.receipt)
            if found.progress is Progress.REVERTED and purpose == Purpose.RESERVE:
                raise PaymentRequiredError("The deposit was taken back before it could be reserved")
        return 0

    def _paid(self, deployment: AkashDeployment, purpose: str) -> tuple[str, str, list[Action]]:
        """Return event, text and changes of a payment that is confirmed."""
        decimals = int(deployment.payment["decimals"])
        if purpose == Purpose.RESERVE:
            done = AkashDeployment.reserved_at.set(self._now_text())
            return "reserved", "The deposit is reserved for the workload", [done]
        if purpose == Purpose.SETTLE:
            message = f"The cost of {deployment.final_cost or '0'} USD is released; the rest is free for a refund"
            return "settled", message, [AkashDeployment.settled_at.set(self._now_text())]
        units = int(deployment.charge["units"])
        actions: list[Action] = [AkashDeployment.charge.remove(), *self._watched(deployment)]
        if purpose.startswith(Purpose.RELEASE_PART):
            actions.append(AkashDeployment.released_units.set(int(deployment.released_units) + units))
            return "released", f"{format_amount(units, decimals)} USD of its cost were released", actions
        more = units - funded_units(deployment)
        actions += [
            AkashDeployment.funded_units.set(units),
            AkashDeployment.seen_units.set(int(deployment.charge["seen"])),
        ]
        if more:
            # The same is put into the account on Akash next.
            actions.append(AkashDeployment.top_up.set({"amount": amount_text(Decimal(more) / 10**decimals)}))
            return "reserved", f"Another {format_amount(more, decimals)} USD are reserved for the workload", actions
        return "reserved", "The reservation is renewed", actions

    # ── Create ──────────────────────────────────────────────────────────────────────────────────

    def _create(self, deployment: AkashDeployment) -> int:
        """Create the deployment on Akash.

        Raises:
            PaymentRequiredError, InvalidSdlError, WalletProvisioningError, UpstreamUnavailableError and others of
            ``ConsoleApi.create_deployment``: Nothing was created.
        """
        sdl = deployable(sdl_of(deployment))
        began_at = _milliseconds(now(self._clock))
        if not change(
            deployment,
            [AkashDeployment.attempt_began_at.set(began_at)],
            still_pending() & AkashDeployment.attempt_began_at.does_not_exist() & AkashDeployment.dseq.does_not_exist(),
        ):
            return 0
        mine = AkashDeployment.attempt_began_at == began_at
        try:
            created = self._console.create_deployment(sdl, Decimal(deployment.deposit), self._timeouts.create)
        except CreateOutcomeUnknownError as error:
            actions = [
                AkashDeployment.attempt_gave_up_at.set(_milliseconds(now(self._clock))),
                AkashDeployment.attempt_answered.set(bool((error.details or {})["answered"])),
            ]
            change(deployment, actions, mine, event=("create_unknown", error.message, None))
            return _RECOVER_PAUSE
        except SlipwayError:
            change(deployment, resolve_attempt(), mine)
            raise
        keep_manifest(deployment.sdl_fingerprint, created.manifest)
        self._own(deployment, created.dseq, manifest_hash(created.manifest), "created")
        return bids.POLL_INTERVAL_SECONDS

    def _own(self, deployment: AkashDeployment, dseq: str, hash_: str, event: str) -> bool:
        """Claim a deployment on Akash for a workload; False when somebody was faster."""
        message = f"The deployment {dseq} was created on Akash"
        if event == "recovered":
            message = f"The deployment {dseq} was created although nobody heard of it; it was found and goes on"
        return change(
            deployment,
            [
                *resolve_attempt(),
                AkashDeployment.dseq.set(dseq),
                # The number is the server's clock; ours decides how long is left, so a skewed one can't shorten it.
                AkashDeployment.opened_at.set(self._now_text()),
            ],
            AkashDeployment.attempt_began_at.exists() & AkashDeployment.dseq.does_not_exist(),
            event=(event, message, {"dseq": dseq, "hash": hash_}),
            also=lambda write: write.create("claim", claim_item(dseq, deployment.deployment_id)),
        )

    # ── Recover ─────────────────────────────────────────────────────────────────────────────────

    def _recover(self, deployment: AkashDeployment) -> int:
        """Look for what a create may have made of which nobody heard.

        Raises:
            CreateFailedError: Too many creates stayed unheard of.
            UpstreamUnavailableError: Akash can't be asked.
        """
        attempt = deployment.attempt
        if attempt is None:
            return 0
        asked_at = _milliseconds(now(self._clock))
        known = known_manifest(deployment.sdl_fingerprint)
        # Before any create of an SDL was heard, its manifest is what the Console API is known to make of it.
        made = None if known else manifest_of(deployable(sdl_of(deployment)))
        hash_ = known.hash if known else made and manifest_hash(made)
        for found in sorted(self._console.active_deployments(), key=lambda entry: int(entry.dseq)):
            if (
                found.deployment.hash == hash_
                and not found.leases
                and attempt.may_have_made(found.dseq, self._timeouts.create)
                and owner_of(found.dseq) is None
            ):
                if made:
                    keep_manifest(deployment.sdl_fingerprint, made)
                if self._own(deployment, found.dseq, found.deployment.hash, "recovered"):
                    record("CreatesRecovered")
                    return 0
        # Without a manifest nothing that is found could be known as ours, nor be leased: no use in waiting.
        patience = self._timeouts.recover if hash_ else 0
        if asked_at <= attempt.ended_by(self._timeouts.create) + patience * 1000:
            return _RECOVER_PAUSE
        change(
            deployment,
            [
                *resolve_attempt(),
                AkashDeployment.lost_creates.set(int(deployment.lost_creates) + 1),
                AkashDeployment.blind_creates.set(int(deployment.blind_creates) + (not attempt.answered)),
            ],
            AkashDeployment.attempt_began_at == attempt.began_at,
            event=("create_lost", "Akash does not show what the create may have made", None),
        )
        too_many = deployment.lost_creates >= MAX_LOST_CREATES or deployment.blind_creates >= MAX_BLIND_CREATES
        if too_many and not deployment.closing:
            answered = int(deployment.lost_creates) > int(deployment.blind_creates)
            said = "failed at creates, for which the SDL may be the cause," if answered else "did not answer creates"
            raise CreateFailedError(f"Akash {said} and does not show what they may have made")
        return 0

    # ── Bids ────────────────────────────────────────────────────────────────────────────────────

    def _collect_bids(self, deployment: AkashDeployment) -> int:
        """Look at the bids, and choose when it is time, or ask the owner to.

        Raises:
            BidTimeoutError: No bid was chosen in time.
        """
        criteria = criteria_of(deployment)
        providers, evaluated = self._evaluated(deployment, criteria)
        if bids.best(criteria, evaluated) and not deployment.acceptable_since:
            if deployment.choice:
                return self._ask_to_choose(deployment)
            change(deployment, [AkashDeployment.acceptable_since.set(self._now_text())], still_pending())
        elif evaluated and not deployment.bids_told_at and not deployment.acceptable_since:
            choice = bids.Choice((), evaluated, "there are bids, but none that will do yet")
            change(
                deployment,
                [AkashDeployment.bids_told_at.set(self._now_text())],
                still_pending() & AkashDeployment.bids_told_at.does_not_exist(),
                event=("bids", "There are bids, but none that will do yet", choice.explanation()),
            )
        moment = now(self._clock)
        left = self._timeouts.bid_timeout - _seconds_since(deployment.opened_at, moment)
        since = deployment.acceptable_since
        window = min(self._timeouts.bid_window, bids.BID_LIFE_SECONDS)
        waited = bids.WaitTimes(_seconds_since(since, moment) if since else None, left - window, window)
        choice = bids.choose(criteria, evaluated, waited)
        if left <= 0:
            change(deployment, [], still_pending(), event=("bids", choice.reason, choice.explanation()))
            reason = "there were bids, but no time to take one" if choice.chosen else choice.reason
            raise BidTimeoutError(f"No bid could be taken within {self._timeouts.bid_timeout:g} s: {reason}")
        if not choice.chosen:
            return bids.pause(criteria, waited)
        late = deployment.choose_until is not None
        change(
            deployment,
            [
                AkashDeployment.chosen.set([offers.bid_of(bid, providers[bid.id.provider]) for bid in choice.chosen]),
                *([AkashDeployment.chosen_by.set("deadline")] if late else []),
            ],
            still_pending() & AkashDeployment.chosen.does_not_exist(),
            event=(
                "bid_chosen",
                f"The time to choose was over: took {choice.reason}" if late else f"Took {choice.reason}",
                choice.explanation(),
            ),
        )
        return 0

    def _ask_to_choose(self, deployment: AkashDeployment) -> int:
        """Let the owner choose from now on: the deadline is written once."""
        moment = now(self._clock)
        until = offers.choose_until(
            moment, from_text(deployment.opened_at), self._timeouts.bid_timeout, deployment.choice["within"]
        )
        shown = to_text(until)
        message = f"There are bids: choose one until {shown}" if until > moment else "The bids came too late to choose"
        change(
            deployment,
            [AkashDeployment.acceptable_since.set(to_text(moment)), AkashDeployment.choose_until.set(shown)],
            still_pending() & AkashDeployment.choose_until.does_not_exist(),
            event=("awaiting_choice", message, {"until": shown}),
        )
        return offers.POLL_INTERVAL_SECONDS if until > moment else 0

    def _await_choice(self, deployment: AkashDeployment) -> int:
        """Keep the bids up to date while the owner chooses; once the time is over, do what was asked for then.

        Raises:
            BidTimeoutError: Nobody chose, and nothing is to be taken without that.
        """
        left = -_seconds_since(deployment.choose_until, now(self._clock))
        if left > 0:
            self._evaluated(deployment, criteria_of(deployment))
            return min(offers.POLL_INTERVAL_SECONDS, math.ceil(left))
        if deployment.choice["unchosen"] == "close":
            raise BidTimeoutError("Nobody chose among the bids in time, and none was to be taken without that")
        return self._collect_bids(deployment)

    def _evaluated(
        self, deployment: AkashDeployment, criteria: bids.BidCriteria
    ) -> tuple[dict[str, Provider], tuple[bids.EvaluatedBid, ...]]:
        """Return the bids; none while upstream does not answer, as its silence must not outlast the bids' clock.

        An owner who chooses among them is shown them.
        """
        try:
            found = self._console.bids(str(deployment.dseq))
            providers = self._bidders(found)
        except UpstreamUnavailableError as error:
            logger.warning("bids not read", deployment_id=deployment.deployment_id, reason=error.message)
            return {}, ()
        evaluated = bids.evaluate(criteria, found, providers)
        if deployment.choice:
            offer_bids(deployment, offers.offers_of(evaluated, providers))
        return providers, evaluated

    def _bidders(self, found: list[Bid]) -> dict[str, Provider]:
        addresses = sorted({bid.id.provider for bid in found})
        if not addresses:
            return {}
        return {provider.owner: provider for provider in self._console.providers(addresses)}

    # ── Lease ───────────────────────────────────────────────────────────────────────────────────

    def _lease(self, deployment: AkashDeployment) -> int:
        """Take the chosen bids and send the manifest; doing it again takes no second lease.

        Raises:
            UpstreamUnavailableError: Not heard; the same again, as long as there is time.
            BidTimeoutError: Time was over before there was a lease.
            LeaseClosedError: Akash closed the deployment, or the provider never got the manifest.
        """
        if not deployment.lease_asked_at and not change(
            deployment, [AkashDeployment.lease_asked_at.set(self._now_text())], still_pending()
        ):
            return 0
        moment = now(self._clock)
        if _seconds_since(deployment.opened_at, moment) > self._timeouts.bid_timeout:
            self._require_lease(deployment, moment)
        manifest = known_manifest(deployment.sdl_fingerprint)
        if manifest is None:
            raise DeploymentFailedError("The workload's manifest is not known any more")
        chosen = [LeaseId(**{key: entry[key] for key in _LEASE_KEYS}) for entry in deployment.chosen]
        try:
            leased = self._console.create_leases(manifest_text(manifest), chosen, _LEASE_CALL_SECONDS)
        except (BidClosedError, NotFoundError, UpstreamRefusedError) as error:
            return self._refused_lease(deployment, error)
        leases = leased.open_leases
        if not leases:
            raise UpstreamUnavailableError("Akash does not show the lease yet", retry_after=2)
        change(
            deployment,
            [
                AkashDeployment.leases.set([_leased_of(entry, deployment.chosen) for entry in leases]),
                AkashDeployment.leased_at.set(self._now_text()),
            ],
            AkashDeployment.leases.does_not_exist(),
            event=("leased", "The provider has the workload; waiting for its services", {"providers": _names(leases)}),
        )
        return _READY_PAUSE

    def _require_lease(self, deployment: AkashDeployment, moment: datetime) -> None:
        """Go on past the bids' time only for a lease that is there and waits for its manifest."""
        if not self._read(deployment).open_leases:
            raise BidTimeoutError(f"No bid could be taken within {self._timeouts.bid_timeout:g} s: leasing failed")
        if _seconds_since(deployment.lease_asked_at, moment) > self._timeouts.lease:
            raise LeaseClosedError("The provider did not take the manifest in time")

    def _read(self, deployment: AkashDeployment) -> Deployment:
        """Return the deployment on Akash, if it is open.

        Raises:
            LeaseClosedError: It is closed.
        """
        asked_at = self._clock.time()
        try:
            found = self._console.deployment(str(deployment.dseq), _READ_SECONDS)
        except NotFoundError as error:
            raise LeaseClosedError("Akash does not know the deployment any more") from error
        cache_answer(deployment.deployment_id, found, asked_at, self._clock.time())
        if found.is_closed:
            raise LeaseClosedError("Akash closed the deployment")
        return found

    def _refused_lease(self, deployment: AkashDeployment, error: SlipwayError) -> int:
        """Record that a bid is gone, unless an earlier call that nobody heard of took it."""
        if self._read(deployment).open_leases:
            raise UpstreamUnavailableError("The lease is there; its manifest is sent again", retry_after=2) from error
        if isinstance(error, UpstreamRefusedError):
            raise error
        gone = [f"{entry['gseq']}/{entry['provider']}" for entry in deployment.chosen]
        change(
            deployment,
            [
                AkashDeployment.excluded_bids.set([*deployment.excluded_bids, *gone]),
                AkashDeployment.chosen.remove(),
                AkashDeployment.chosen_by.remove(),
                AkashDeployment.lease_asked_at.remove(),
            ],
            AkashDeployment.leases.does_not_exist() & AkashDeployment.chosen.exists(),
            event=("bid_gone", f"The chosen bid could not be taken: {error.message}", {"bids": gone}),
        )
        return 0

    # ── Ready ───────────────────────────────────────────────────────────────────────────────────

    def _await_ready(self, deployment: AkashDeployment) -> int:
        """Look whether every service is available; the workload is active then.

        Raises:
            LeaseClosedError: The lease is gone.
            NotReadyError: It took too long.
        """
        try:
            leases = self._read(deployment).open_leases
        except UpstreamUnavailableError as error:
            logger.warning("lease not read", deployment_id=deployment.deployment_id, reason=error.message)
        else:
            if not leases:
                raise LeaseClosedError("The provider closed the lease")
            self._observe(deployment, leases)
        if self._due(deployment) is not Step.READY:
            return 0
        if _seconds_since(deployment.leased_at, now(self._clock)) > self._timeouts.ready:
            raise NotReadyError(f"The services were not available within {self._timeouts.ready:g} s")
        return _READY_PAUSE

    def _observe(self, deployment: AkashDeployment, leases: list[Lease]) -> None:
        observation = observation_of(leases, self._now_text(), hosts_of(deployment)).model_dump()
        seen: list[Action] = [AkashDeployment.observation.set(observation)]
        if not is_ready(deployment.services, leases):
            if observation | {"observed_at": ""} != (deployment.observation or {}) | {"observed_at": ""}:
                change(deployment, seen, still_pending())
            return
        if change(
            deployment,
            [
                *seen,
                AkashDeployment.status.set(str(Status.ACTIVE)),
                AkashDeployment.active_at.set(self._now_text()),
                *self._watched(deployment),
            ],
            still_pending(),
            event=(str(Status.ACTIVE), "Every service is available", {"services": list(deployment.services)}),
            also=lambda write: self._tell(write, deployment, "completed"),
        ):
            self._measure(deployment, "completed")
            record_outcome(Service.AKASH, Outcome.SUCCESS)

    def _watched(self, deployment: AkashDeployment) -> list[Action]:
        return watched(
            deployment.deployment_id, to_text(now(self._clock) + timedelta(seconds=self._timeouts.check_interval))
        )

    # ── Close ───────────────────────────────────────────────────────────────────────────────────

    def _give_up(self, job: AkashDeployment, failure: Failure) -> int:
        """Remember why the workload fails; what is open is closed before it is reported. The first reason counts."""
        remembered = change(
            job,
            [AkashDeployment.closing_code.set(failure.code), AkashDeployment.closing_message.set(failure.message)],
            still_pending(),
            event=("failing", failure.message, {"code": failure.code}),
        )
        if not remembered and job.charge and not job.payment_signed:
            # Whether it is due is seen anew; the workload goes on.
            actions = [AkashDeployment.charge.remove(), *self._watched(job)]
            change(job, actions, AkashDeployment.payment_signed.does_not_exist() & running())
            return 0
        # What fails while it is closed, updated or topped up is tried again.
        return 0 if remembered else _CLOSE_PAUSE

    def _close(self, deployment: AkashDeployment) -> int:
        """Ask Akash to close the deployment.

        Raises:
            UpstreamUnavailableError: It is still open; the same again.
        """
        try:
            self._console.close_deployment(str(deployment.dseq), _READ_SECONDS)
        except EscrowNotSettledError:
            return _SETTLE_PAUSE
        except UpstreamUnavailableError:
            # However it is worded that there is nothing left to close.
            if not self.is_closed(str(deployment.dseq)):
                raise
        except NotFoundError:
            logger.warning("deployment not known", deployment_id=deployment.deployment_id, dseq=deployment.dseq)
        change(
            deployment,
            [
                AkashDeployment.close_sent_at.set(self._now_text()),
                AkashDeployment.close_began_at.set(AkashDeployment.close_began_at | self._now_text()),
            ],
            AkashDeployment.close_sent_at.does_not_exist(),
            event=("close_sent", "Akash was asked to close the deployment", None),
        )
        return 0

    def _confirm_closed(self, deployment: AkashDeployment) -> int:
        """Look whether Akash says that the deployment is closed; its provider need not be there for that."""
        closed, found = self._proof(str(deployment.dseq))
        since = _seconds_since(deployment.close_began_at or deployment.close_sent_at, now(self._clock))
        # What an escrow pays follows from the cost, which only the full answer has.
        shown = found is not None and found.shows_cost
        if closed and (shown or not deployment.payment or since > _COST_SECONDS):
            cost = deployment.earlier_cost
            if found:
                answered_at = self._clock.time()
                cache_answer(deployment.deployment_id, found, answered_at, answered_at)
                spent = Decimal(cost_of(found, answered_at).spent.usd or 0)
                cost = amount_text(spent + Decimal(cost or 0), 12)
            change(
                deployment,
                [
                    AkashDeployment.upstream_closed_at.set(self._now_text()),
                    *([AkashDeployment.final_cost.set(cost)] if cost else []),
                ],
                AkashDeployment.upstream_closed_at.does_not_exist(),
                event=("confirmed_closed", "Akash confirms that the deployment is closed", None),
            )
            return 0
        if _seconds_since(deployment.close_sent_at, now(self._clock)) > _CLOSE_AGAIN_SECONDS:
            change(
                deployment,
                [AkashDeployment.close_sent_at.remove()],
                AkashDeployment.close_sent_at == deployment.close_sent_at,
            )
        return backed_off(since, *_CONFIRM_PAUSES)

    def is_closed(self, dseq: str) -> bool:
        """Return whether a deployment is proved closed, or never was; raise as ``_proof``."""
        return self._proof(dseq)[0]

    def _proof(self, dseq: str) -> tuple[bool, Deployment | None]:
        """Return whether a deployment is proved closed, or never was, and what Akash shows of it.

        Raises:
            UpstreamUnavailableError: Nobody answers now.
        """
        try:
            found = self._console.deployment(dseq, _READ_SECONDS)
            return found.is_closed, found
        except NotFoundError:
            return True, None
        except UpstreamUnavailableError:
            # The call above asks the providers as well; the list does not, and holds every deployment that is open.
            page = self._console.deployment_page(0, _CREATED_LIST_LIMIT)
            if page.pagination.has_more:
                raise
            return dseq not in {entry.dseq for entry in page.deployments}, None

    # ── End ─────────────────────────────────────────────────────────────────────────────────────

    def _end(self, deployment: AkashDeployment) -> int:
        """Record that the workload is closed, or how it failed. The owner's wish to close it goes first."""
        if deployment.replace_requested_at and not deployment.close_requested_at:
            return self._renew(deployment)
        closed_by_wish = deployment.close_requested_at is not None
        was_active = deployment.active_at is not None
        kept = deployment.keeps and deployment.leases is not None and deployment.upstream_closed_at is None
        ended = AkashDeployment.kept_open.set(True) if kept else AkashDeployment.closed_at.set(self._now_text())
        common: list[Action] = [*unwatched(), ended]
        spent = None if kept else deployment.budget
        unfinished = AkashDeployment.status.is_in(*_OPEN_STATUSES)
        if closed_by_wish:
            common.append(AkashDeployment.kept_open.remove())
            unfinished = unfinished | AkashDeployment.kept_open.exists()
            reason = deployment.close_reason or "The owner closed it"

            def closed(write: Transaction) -> None:
                write.create("audit", _audit(deployment, "closed"))
                budgets.give_back(write, spent)
                expire_sdl(write, deployment, akash_sdl_days())

            if change(
                deployment,
                [
                    *common,
                    AkashDeployment.status.set(str(Status.CLOSED)),
                    AkashDeployment.close_reason.set(reason),
                    *(
                        [
                            AkashDeployment.error_code.set(deployment.close_code),
                            AkashDeployment.error_message.set(reason),
                        ]
                        if deployment.close_code
                        else []
                    ),
                ],
                unfinished,
                event=(str(Status.CLOSED), reason, None),
                also=closed,
            ):
                self._release_day_budget(deployment)
            return 0
        code = str(deployment.closing_code)

        def failed(write: Transaction) -> None:
            self._tell(write, deployment, code)
            budgets.give_back(write, spent)
            if not kept:
                expire_sdl(write, deployment, akash_sdl_days())

        if change(
            deployment,
            [
                *common,
                AkashDeployment.status.set(str(Status.ERROR)),
                AkashDeployment.error_code.set(code),
                AkashDeployment.error_message.set(str(deployment.closing_message)),
            ],
            unfinished & AkashDeployment.close_requested_at.does_not_exist(),
            event=(str(Status.ERROR), str(deployment.closing_message), {"code": code}),
            also=failed,
        ):
            self._release_day_budget(deployment)
            self._measure(deployment, code)
            if code in OPERATOR_ERRORS and not was_active:
                record_outcome(Service.AKASH, Outcome.FAILURE)
        return 0

    @staticmethod
    def _release_day_budget(deployment: AkashDeployment) -> None:
        """Let a deposit that was never made not count against the day."""
        not_made = deployment.dseq is None or deployment.replace_requested_at
        if deployment.budget and not_made and not deployment.lost_creates:
            budgets.unspend(deployment.budget, int(deployment.budget["amount"]))

    def _renew(self, deployment: AkashDeployment) -> int:
        """Begin anew with the next SDL, now that Akash says that the lease before is closed."""
        text = sdl_of(deployment, NEXT_SDL)
        workload, deposit = parse_sdl(text), deployment.deposit
        if deployment.budget:
            deposit = amount_text(Decimal(int(deployment.budget["amount"])) / MICRO)
        actions: list[Action] = [
            AkashDeployment.deposit.set(deposit),
            AkashDeployment.services.set(list(workload.services)),
            AkashDeployment.groups.set(len(workload.groups)),
            AkashDeployment.excluded_bids.set([]),
            AkashDeployment.lost_creates.set(0),
            AkashDeployment.blind_creates.set(0),
            AkashDeployment.opened_at.remove(),
            *([AkashDeployment.earlier_cost.set(deployment.final_cost)] if deployment.final_cost else []),
            *(getattr(AkashDeployment, name).remove() for name in _OF_ONE_LEASE),
        ]

        def renewed(write: Transaction) -> None:
            write.update("next", SdlText(deployment.pk, NEXT_SDL), [SdlText.text.remove()])
            put_sdl(write, deployment, text)

        change(
            deployment,
            [*actions, AkashDeployment.sdl_fingerprint.set(fingerprint(text))],
            AkashDeployment.replace_requested_at.exists() & AkashDeployment.close_requested_at.does_not_exist(),
            event=("replaced", "The old lease is closed; the workload begins anew with the new SDL", None),
            also=renewed,
        )
        return 0

    # ── Update and top up ───────────────────────────────────────────────────────────────────────

    def _update(self, deployment: AkashDeployment) -> int:
        """Let the lease run the next SDL; a refusal leaves it as it was.

        Raises:
            UpstreamUnavailableError: Not heard; the same again, as long as there is time.
        """
        text = sdl_of(deployment, NEXT_SDL)
        late = _seconds_since(deployment.update_requested_at, now(self._clock)) > self._timeouts.ready
        refusal = None
        try:
            found = self._console.update_deployment(str(deployment.dseq), deployable(text), _LEASE_CALL_SECONDS)
            answered_at = self._clock.time()
            cache_answer(deployment.deployment_id, found, answered_at, answered_at)
        except SlipwayError as error:
            if not error.permanent and not late:
                raise
            refusal = error.message

        def updated(write: Transaction) -> None:
            write.update("next", SdlText(deployment.pk, NEXT_SDL), [SdlText.text.remove()])
            if refusal is None:
                put_sdl(write, deployment, text)

        done = ("updated", "The provider runs the new SDL", None)
        change(
            deployment,
            [
                AkashDeployment.update_requested_at.remove(),
                *self._watched(deployment),
                *([] if refusal else [AkashDeployment.sdl_fingerprint.set(fingerprint(text))]),
            ],
            AkashDeployment.update_requested_at == deployment.update_requested_at,
            event=("update_failed", f"It runs as before: {refusal}", None) if refusal else done,
            also=updated,
        )
        return 0

    def _top_up(self, deployment: AkashDeployment) -> int:
        """Add what is asked to the escrow account. What nobody heard of is looked for before it counts as not made.

        Raises:
            UpstreamUnavailableError: Akash can't be asked; the same again.
        """
        asked = deployment.top_up
        # What is seen of the account is what its owner sees next.
        amount, deposited = Decimal(asked["amount"]), self._deposited(deployment)
        if not asked.get("sent_at"):
            sent = {**asked, "sent_at": self._now_text(), "before": str(deposited)}
            mine = AkashDeployment.top_up == asked
            if not change(deployment, [AkashDeployment.top_up.set(sent)], mine):
                return 0
            try:
                self._console.add_deposit(str(deployment.dseq), amount, _READ_SECONDS)
            except CreateOutcomeUnknownError:
                return _RECOVER_PAUSE
            except SlipwayError as error:
                if not error.permanent:
                    change(deployment, [AkashDeployment.top_up.set(asked)], AkashDeployment.top_up == sent)
                    raise
                return self._topped_up(deployment, amount, error.message)
            change(
                deployment,
                [AkashDeployment.top_up.set({**sent, "answered": True})],
                AkashDeployment.top_up == sent,
            )
            return _RECOVER_PAUSE
        if deposited >= Decimal(asked["before"]) + amount * MICRO:
            return self._topped_up(deployment, amount)
        if _seconds_since(asked["sent_at"], now(self._clock)) > _READ_SECONDS + self._timeouts.recover:
            lost = None if asked.get("answered") else "Akash did not answer, and does not show the deposit"
            return self._topped_up(deployment, amount, lost)
        return _RECOVER_PAUSE

    def _topped_up(self, deployment: AkashDeployment, amount: Decimal, refusal: str | None = None) -> int:
        asked, budget = deployment.top_up, deployment.budget
        more = asked.get("budget")
        paid = amount_text(Decimal(deployment.deposit) + amount)
        actions: list[Action] = [AkashDeployment.top_up.remove(), *self._watched(deployment)]
        if refusal is None:
            actions.append(AkashDeployment.deposit.set(paid))
        elif deployment.payment:
            actions.append(AkashDeployment.top_up_failed_at.set(self._now_text()))
        elif more:
            actions.append(AkashDeployment.budget.set(budgets.together(budget, more, -1)))

        def done(write: Transaction) -> None:
            if refusal:
                budgets.give_back(write, more)

        shown = amount_text(amount)
        change(
            deployment,
            actions,
            AkashDeployment.top_up == asked,
            event=("deposit_failed", f"{shown} USD were not deposited: {refusal}", None)
            if refusal
            else ("deposited", f"{shown} USD were added to the escrow account", {"amount": shown}),
            also=done,
        )
        return 0

    def _deposited(self, deployment: AkashDeployment) -> Decimal:
        """Return what was put into the escrow account so far, in its unit."""
        asked_at = self._clock.time()
        found = self._console.deployment(str(deployment.dseq), _READ_SECONDS)
        cache_answer(deployment.deployment_id, found, asked_at, self._clock.time())
        return sum((entry.balance.amount for entry in found.escrow_account.state.deposits), Decimal(0))

    def _tell(self, write: Transaction, deployment: AkashDeployment, outcome: str) -> None:
        """Add the outcome of a workload to the audit trail and to the figures."""
        seconds = _seconds_since(deployment.created_at, now(self._clock))
        write.create("outcome", job_outcome("akash", outcome, seconds, 0, 0))
        write.create("audit", _audit(deployment, outcome))

    def _measure(self, deployment: AkashDeployment, outcome: str) -> None:
        seconds = _seconds_since(deployment.created_at, now(self._clock))
        record("Workloads", outcome=outcome)
        record("WorkloadFailed", int(outcome != "completed"))
        record("WorkloadDuration", seconds, MetricUnit.Seconds, outcome=outcome)

    steps: ClassVar = {
        Step.DEPOSIT: _await_deposit,
        Step.PAY: _pay,
        Step.CREATE: _create,
        Step.RECOVER: _recover,
        Step.COLLECT: _collect_bids,
        Step.CHOOSE: _await_choice,
        Step.LEASE: _lease,
        Step.READY: _await_ready,
        Step.UPDATE: _update,
        Step.TOP_UP: _top_up,
        Step.CLOSE: _close,
        Step.CONFIRM: _confirm_closed,
        Step.END: _end,
    }


_LEASE_KEYS = ("dseq", "gseq", "oseq", "provider")
# What a workload knows of a lease that is gone once it is replaced.
_OF_ONE_LEASE = (
    *("dseq", "bids_told_at", "acceptable_since", "choose_until", "chosen", "chosen_by", "lease_asked_at", "leases"),
    *("leased_at", "observation"),
    *("active_at", "close_sent_at", "close_began_at", "upstream_closed_at", "final_cost", "replace_requested_at"),
)


def _leased_of(lease: Lease, chosen: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a lease as the workload keeps it, with what is known from its bid."""
    known = next((bid for bid in chosen if (bid["gseq"], bid["provider"]) == (lease.id.gseq, lease.id.provider)), {})
    return known | offers.lease_of(lease.id, lease.price.amount)


def _names(leases: list[Lease]) -> list[str]:
    return [lease.id.provider for lease in leases]


def _audit(deployment: AkashDeployment, outcome: str) -> Any:
    return audit_event(
        action="akash_deploy",
        outcome=outcome,
        wallet=deployment.wallet,
        subject=deployment.deployment_id,
        message=f"dseq {deployment.dseq}" if deployment.dseq else None,
    )
