"""What ``reconcile`` does for Akash: workloads nobody works on, leases that were lost, deployments without owner."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import inf

from slipway.akash.console.client import ConsoleApi
from slipway.akash.console.models import Deployment
from slipway.akash.funding import Funding
from slipway.akash.models import Status
from slipway.akash.rules import Step, loss_of, next_step
from slipway.akash.service import request_close
from slipway.akash.store import (
    KIND,
    OWNERLESS,
    RECONCILE_AFTER_SECONDS,
    WATCHED,
    claim_orphan,
    find_workload,
    owner_of,
)
from slipway.akash.workflow import AkashWorkflow
from slipway.errors import EscrowNotSettledError, NotFoundError, SlipwayError, UpstreamUnavailableError
from slipway.jobs.open_work import due_jobs, postpone
from slipway.jobs.restart import Restart, ensure_running, execution_input
from slipway.observability import logger, record
from slipway.settings import AkashTimeouts
from slipway.times import Clock, from_text, now, now_text, to_text

_MAX_DUE = 50
_MAX_ORPHANS = 100
_READ_SECONDS = 20.0
# Of checks that can't wait for their turn.
_MIN_RECONCILE_SECONDS = 30


@dataclass(frozen=True)
class Due:
    """What there is to do: workloads to look at, and deployments on Akash that are to be closed, by dseq."""

    deployment_ids: list[str]
    orphans: list[str]


class AkashReconcile:
    """Finds and mends what was left behind on one account of Akash. The account has to be Slipway's alone.

    Args:
        console: Gives the Console API; None where Akash is not set up.
        timeouts: How long things may take.
        start: Starts ``akash_deploy`` under a name with an input; see ``slipway.executions``.
        status: Tells how the execution of a name stands.
        clock: Gives the time.
        funding: Looks after the money of workloads that run.
    """

    def __init__(
        self,
        console: Callable[[], ConsoleApi] | None,
        timeouts: AkashTimeouts,
        start: Callable[[str, str], None],
        status: Callable[[str], str | None],
        clock: Clock = time,
        funding: Funding | None = None,
    ) -> None:
        self._console = console
        self._timeouts = timeouts
        self._start = start
        self._status = status
        self._funding = funding
        self._clock = clock

    def find(self) -> Due:
        """Workloads that should have moved by now, active ones that are not well, and deployments without owner.

        One list of what is open on Akash serves all of it; without that list only the first are found.
        """
        if self._console is None:
            return Due([], [])
        moment = now_text(self._clock)
        pending = due_jobs(KIND, moment, _MAX_DUE)
        record("OverdueWorkloads", len(pending))
        try:
            on_akash = {found.dseq: found for found in self._console().active_deployments()}
        except SlipwayError as error:
            logger.warning("deployments not listed", reason=error.message)
            return Due(pending, [])
        unwell, well = [], []
        for deployment_id in due_jobs(WATCHED, moment, _MAX_DUE):
            if deployment := find_workload(deployment_id):
                found = on_akash.get(str(deployment.dseq))
                if found and any(lease.state == "active" for lease in found.leases):
                    well.append((deployment, found))
                else:
                    unwell.append(deployment_id)
        soon = self._funding.keep(well) if self._funding else {}
        for deployment, _ in well:
            pause = min(
                self._timeouts.check_interval, max(soon.get(deployment.deployment_id, inf), _MIN_RECONCILE_SECONDS)
            )
            postpone(deployment, to_text(now(self._clock) + timedelta(seconds=pause)), WATCHED)
        orphans = [dseq for dseq, found in sorted(on_akash.items()) if self._is_orphan(found)][:_MAX_ORPHANS]
        return Due(pending + unwell, orphans)

    def _is_orphan(self, found: Deployment) -> bool:
        """Whether nobody wants a deployment: no lease, old enough that no create of it is under way, and no owner, or
        one that has ended."""
        age = self._clock.time() - int(found.dseq) / 1000
        if found.open_leases or age < max(self._timeouts.orphan, 2 * self._timeouts.create):
            return False
        owner = owner_of(found.dseq)
        if owner in (None, OWNERLESS):
            return True
        deployment = find_workload(str(owner))
        return deployment is None or deployment.finished

    def reconcile_job(self, deployment_id: str) -> str:
        """Make sure that a workload is being worked on, or has a lease.

        Returns:
            ``ended``, ``running``, ``started``, ``active`` or ``closing``.
        """
        deployment = find_workload(deployment_id)
        if deployment is None or deployment.ended:
            return "ended"
        idle = next_step(deployment.progress) is Step.DONE
        if deployment.status == str(Status.ACTIVE) and deployment.close_requested_at is None and idle:
            reason = self._loss(str(deployment.dseq))
            if reason is None:
                postpone(deployment, to_text(now(self._clock) + timedelta(seconds=self._timeouts.check_interval)))
                return "active"
            logger.warning("lease lost", deployment_id=deployment_id, reason=reason)
            record("LeasesLost")
            request_close(deployment, reason)
            if not deployment.ended:
                self._start(deployment.execution_name, execution_input(deployment))
            return "closing"
        done = ensure_running(deployment, self._start, self._status)
        if done is Restart.STARTED:
            record("WorkloadsStartedAgain")
        record("OldestUnfinishedWorkload", (now(self._clock) - from_text(deployment.updated_at)).total_seconds())
        postpone(deployment, to_text(now(self._clock) + timedelta(seconds=RECONCILE_AFTER_SECONDS)))
        return str(done)

    def _loss(self, dseq: str) -> str | None:
        """Why an active workload has no lease any more; None if it has one."""
        try:
            found = self._api().deployment(dseq, _READ_SECONDS)
        except NotFoundError:
            return "Akash does not know the deployment any more"
        if not found.leases:
            return "The provider closed the lease"
        return loss_of(found.deployment.state, [lease.state for lease in found.leases])

    def close_orphan(self, dseq: str) -> str:
        """Close a deployment that nobody wants.

        Returns:
            ``closed`` once Akash confirms it, ``closing`` before, ``owned`` when a workload took it meanwhile.

        Raises:
            UpstreamUnavailableError: Akash can't be asked.
        """
        owner = owner_of(dseq)
        deployment = find_workload(owner) if owner not in (None, OWNERLESS) else None
        if not (deployment and deployment.finished) and not claim_orphan(dseq):
            return "owned"
        try:
            self._api().close_deployment(dseq)
        except NotFoundError:
            return "closed"
        except EscrowNotSettledError:
            return "closing"
        if not AkashWorkflow(self._api(), self._timeouts, self._clock).is_closed(dseq):
            return "closing"
        logger.warning("orphan closed", dseq=dseq)
        record("OrphansClosed")
        return "closed"

    def _api(self) -> ConsoleApi:
        if self._console is None:
            raise UpstreamUnavailableError("Akash is not set up here")
        return self._console()
