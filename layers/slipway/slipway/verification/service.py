"""Verifies sources, driven by ``reconcile``: after a contract is complete, never a reason for anything to fail."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from slipway.errors import SlipwayError
from slipway.jobs.open_work import due_jobs
from slipway.observability import logger, record
from slipway.store import Transaction
from slipway.times import Clock, from_text, now, to_text
from slipway.verification.models import Contract, Finding, Source, Verdict, Verification, Verifier
from slipway.verification.rules import overall, pause_seconds
from slipway.verification.store import KIND, VerificationItem, find_verification

_MAX_DUE = 20
# A verifier that is quick is waited for; one that is not is asked again later.
_POLLS, _POLL_PAUSE = 5, 1.0


class Subject(Protocol):
    """What creates contracts: launches, or builds."""

    def source(self, item: VerificationItem) -> Source | None:
        """Return what the contract was compiled from; None if that is not kept."""

    def keep(self, write: Transaction, item: VerificationItem, verification: Mapping[str, Any]) -> None:
        """Add to a write that the contract's own record shows the verification."""


class Verifications:
    """The verifications of an installation.

    Args:
        verifiers: Those that are asked about a chain's contracts.
        subjects: What creates contracts, by kind.
        clock: Passes the time.
        moment: Gives the present, aware.
    """

    def __init__(
        self,
        verifiers: Callable[[int], Sequence[Verifier]],
        subjects: Mapping[str, Subject],
        clock: Clock = time,
        moment: Callable[[], datetime] = now,
    ) -> None:
        self._verifiers = verifiers
        self._subjects = subjects
        self._clock = clock
        self._moment = moment

    def find(self) -> list[str]:
        """Return the ids of verifications that are due, a bounded number a run."""
        return due_jobs(KIND, to_text(self._moment()), _MAX_DUE)

    def verify(self, verification_id: str) -> str:
        """Ask the verifiers that have not said anything final, and write down what they say.

        Returns:
            How the verification stands, or ``ended`` if there was nothing to do.

        Raises:
            UpstreamUnavailableError: The store did not answer.
        """
        item = find_verification(verification_id)
        if item is None or item.open_shard is None:
            return "ended"
        moment, subject = self._moment(), self._subjects[item.subject]
        is_late = moment > from_text(item.deadline)
        findings = {
            verifier.name: self._ask(verifier, item, subject, is_late=is_late)
            for verifier in self._verifiers(int(item.chain_id))
        }
        status = overall(finding.verdict for finding in findings.values())
        is_open = any(finding.verdict is Verdict.PENDING for finding in findings.values())
        self._write(item, subject, status, findings, moment if is_open else None)
        if not is_open:
            record("Verifications", outcome=str(status))
        return str(status)

    def _ask(self, verifier: Verifier, item: VerificationItem, subject: Subject, *, is_late: bool) -> Finding:
        stored = (item.findings or {}).get(verifier.name)
        found = Finding(**{**stored, "verdict": Verdict(stored["verdict"])}) if stored else Finding(Verdict.PENDING)
        if found.verdict is not Verdict.PENDING:
            return found
        try:
            found = self._follow(verifier, item.contract, found, subject, item)
        except SlipwayError as error:
            found = replace(found, reason=error.message[:300])
        if found.reason:
            logger.warning("not verified", verifier=verifier.name, address=item.address, reason=found.reason)
        if found.verdict is Verdict.PENDING and is_late:
            return replace(found, verdict=Verdict.FAILED)
        return found

    def _follow(
        self, verifier: Verifier, contract: Contract, found: Finding, subject: Subject, item: VerificationItem
    ) -> Finding:
        """Submit a source that is not submitted, and poll for what comes of it for some seconds."""
        if found.ticket is None:
            source = subject.source(item)
            if source is None:
                return Finding(Verdict.OFF, reason="The source is not kept")
            found = verifier.submit(contract, source)
        for poll in range(_POLLS):
            if found.verdict is not Verdict.PENDING or found.ticket is None:
                break
            if poll:
                self._clock.sleep(_POLL_PAUSE)
            found = verifier.poll(contract, found.ticket)
        return found

    @staticmethod
    def _write(
        item: VerificationItem,
        subject: Subject,
        status: Verdict,
        findings: Mapping[str, Finding],
        again_after: datetime | None,
    ) -> None:
        tries = int(item.tries)
        urls = [finding.url for finding in findings.values() if finding.url]
        actions = [
            VerificationItem.status.set(str(status)),
            VerificationItem.findings.set({name: asdict(finding) for name, finding in findings.items()}),
            VerificationItem.tries.set(tries + 1),
        ]
        if again_after:
            until = again_after + timedelta(seconds=pause_seconds(tries))
            actions.append(VerificationItem.open_until.set(to_text(until)))
        else:
            actions += [VerificationItem.open_shard.remove(), VerificationItem.open_until.remove()]
        write = Transaction()
        # Runs may overlap: the first one counts.
        unchanged = VerificationItem.open_shard.exists() & (VerificationItem.tries == tries)
        write.update("verification", VerificationItem(item.pk, item.sk), actions, condition=unchanged)
        subject.keep(write, item, Verification(status=status, urls=urls).model_dump(mode="json"))
        write.commit_if_allowed()
