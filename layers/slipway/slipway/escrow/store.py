"""What the escrow has to know of the job that a deposit is for."""

from datetime import timedelta
from decimal import Decimal

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from slipway.errors import ConflictError, NotFoundError
from slipway.escrow.rules import agreed_price
from slipway.jobs.deployments import deployment_key
from slipway.store import JobsItem, read_item, update_if
from slipway.times import now, now_text, to_text

_RUNNING = "active"
_OPEN = frozenset({"pending", _RUNNING})
_MINED_SECONDS = 30


class PaidJob(JobsItem):
    """The part of a deployment that says whose it is, of any kind."""

    wallet = UnicodeAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    close_requested_at = UnicodeAttribute(null=True)
    closing_code = UnicodeAttribute(null=True)
    deposited_at = UnicodeAttribute(null=True)
    payment = JSONAttribute(null=True)
    bounds = JSONAttribute(null=True)

    @property
    def escrow(self) -> str | None:
        """Address of the escrow that its deposit was asked for."""
        return self.payment["escrow"] if self.payment else None

    def price(self, decimals: int) -> int:
        """Return the most that an hour may cost, in base units: what its owner was asked for, or the ceiling."""
        asked = (self.payment or {}).get("price")
        return int(asked) if asked else agreed_price(Decimal((self.bounds or {}).get("max_price", 1)), decimals)


def reconcile_soon(job: PaidJob) -> None:
    """Have ``reconcile`` check a running workload when its deposit can be there; best effort: it does so anyway."""
    if job.payment and job.status == _RUNNING:
        soon = to_text(now() + timedelta(seconds=_MINED_SECONDS))
        update_if(PaidJob(job.pk, job.sk), PaidJob.status == _RUNNING, [PaidJob.open_until.set(soon)])


def paid_job(job_id: str) -> PaidJob | None:
    """Return a job, if there is one."""
    return read_item(PaidJob, deployment_key(job_id))


def require_workload(found: PaidJob | None, wallet: str) -> PaidJob:
    """Return a job that a deposit can pay for.

    Raises:
        NotFoundError: It is no workload of the wallet.
        ConflictError: It has ended, is being closed, or waited for its deposit in vain.
    """
    if found is None or found.wallet != wallet or found.kind != "akash":
        raise NotFoundError("There is no such workload of yours to deposit for")
    details = {"status": found.status, "close_requested_at": found.close_requested_at}
    if found.status not in _OPEN:
        raise ConflictError("The workload has ended: a deposit would pay for nothing", details=details)
    if found.close_requested_at or found.closing_code:
        raise ConflictError("The workload is being closed: a deposit would pay for nothing", details=details)
    awaited = found.payment and not found.deposited_at and found.payment.get("expires_at")
    if awaited and awaited <= now_text():
        details["expires_at"] = awaited
        raise ConflictError("The time to deposit for this workload has passed; request it again", details=details)
    return found
