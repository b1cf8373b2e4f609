"""What the escrow has to know of the job that a deposit is for."""

from pynamodb.attributes import UnicodeAttribute

from slipway.errors import NotFoundError
from slipway.jobs.deployments import deployment_key
from slipway.store import JobsItem, read_item


class PaidJob(JobsItem):
    """The part of a deployment that says whose it is, of any kind."""

    wallet = UnicodeAttribute(null=True)
    kind = UnicodeAttribute(null=True)


def require_workload(job_id: str, wallet: str) -> None:
    """Raise NotFoundError unless the job is a workload of the wallet."""
    found = read_item(PaidJob, deployment_key(job_id))
    if found is None or found.wallet != wallet or found.kind != "akash":
        raise NotFoundError("There is no such workload of yours to deposit for")
