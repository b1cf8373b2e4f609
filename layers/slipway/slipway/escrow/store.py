"""What the escrow has to know of the job that a deposit is for."""

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from slipway.errors import NotFoundError
from slipway.jobs.deployments import deployment_key
from slipway.store import JobsItem, read_item


class PaidJob(JobsItem):
    """The part of a deployment that says whose it is, of any kind."""

    wallet = UnicodeAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    payment = JSONAttribute(null=True)

    @property
    def escrow(self) -> str | None:
        """Address of the escrow that it was told to deposit in."""
        return self.payment["escrow"] if self.payment else None

    @property
    def price(self) -> int:
        """The most that an hour may cost, in base units. What the operator's account pays takes next to nothing."""
        return int(self.payment.get("price") or 1) if self.payment else 1


def paid_job(job_id: str) -> PaidJob | None:
    """Return a job, if there is one."""
    return read_item(PaidJob, deployment_key(job_id))


def require_workload(found: PaidJob | None, wallet: str) -> PaidJob:
    """Return a job; raise NotFoundError unless it is a workload of the wallet."""
    if found is None or found.wallet != wallet or found.kind != "akash":
        raise NotFoundError("There is no such workload of yours to deposit for")
    return found
