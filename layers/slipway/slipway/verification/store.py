"""Verifications as they are stored: in the open work of the jobs table until every verifier has said something final.

Key: ``VERIFICATION#<chain id>-<address>`` / ``STATE``.
"""

from datetime import datetime, timedelta

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from slipway.jobs.open_work import open_shard
from slipway.store import JobsItem, Transaction, read_item
from slipway.times import to_text
from slipway.verification.models import Contract, Verdict
from slipway.verification.rules import TRIED_SECONDS

KIND = "verification"
WRITE = "verification"


class VerificationItem(JobsItem):
    """A contract that is verified.

    Attributes:
        subject: Which kind of job created it.
        job_id: Its launch, or its build.
        findings: By verifier: ``{"verdict", "ticket", "url", "reason"}``.
    """

    subject = UnicodeAttribute()
    job_id = UnicodeAttribute()
    chain_id = NumberAttribute()
    address = UnicodeAttribute()
    creation_hash = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    findings = JSONAttribute(null=True)
    tries = NumberAttribute(default=0)
    deadline = UnicodeAttribute()
    created_at = UnicodeAttribute()

    @property
    def contract(self) -> Contract:
        """What is verified."""
        return Contract(int(self.chain_id), self.address, self.creation_hash)


def _key(verification_id: str) -> tuple[str, str]:
    return f"VERIFICATION#{verification_id}", "STATE"


def find_verification(verification_id: str) -> VerificationItem | None:
    """Return a verification by its id, which the open work has."""
    return read_item(VerificationItem, _key(verification_id))


def add_verification(write: Transaction, subject: str, job_id: str, contract: Contract, moment: datetime) -> None:
    """Have a contract verified that is on chain for good; again, if it was before."""
    verification_id = f"{contract.chain_id}-{contract.address}"
    item = VerificationItem(
        *_key(verification_id),
        subject=subject,
        job_id=job_id,
        chain_id=contract.chain_id,
        address=contract.address,
        creation_hash=contract.creation_hash,
        status=str(Verdict.PENDING),
        deadline=to_text(moment + timedelta(seconds=TRIED_SECONDS)),
        created_at=to_text(moment),
        open_shard=open_shard(KIND, verification_id),
        open_until=to_text(moment),
    )
    write.create(WRITE, item, or_if=VerificationItem.pk.exists())
