"""What a run of the fault tests did and what came of it, counted from what was seen: the one table at its end.

Tests report the jobs that they place, the faults that they inject and the end that they expect. When the run is over,
auditors look at every job once more, wherever its traces are, and tell what is wrong with it. Whoever adds a workflow
reports its jobs under the name of its state machine and registers an auditor; its row is there by itself.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from tests.faults.boundaries import TOKEN_WORKFLOWS, boundaries, workflows

# A launch is cut in both machines; every other job in the one that it is placed in.
_FAMILIES = {"token_deploy": TOKEN_WORKFLOWS}
COLUMNS = ("boundaries", "injections", "jobs", "wrong", "lost", "duplicates", "orphans", "stuck")


class Fate(StrEnum):
    """What may have become of a job that should not have."""

    WRONG = "wrong"
    LOST = "lost"
    DUPLICATE = "duplicates"
    ORPHAN = "orphans"
    STUCK = "stuck"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a job.

    Attributes:
        workflow: Where it counts.
        job: The job's id, or what else names it.
        fate: Its column.
        reason: For whoever looks into it.
    """

    workflow: str
    job: str
    fate: Fate
    reason: str


@dataclass
class Job:
    """A job as its test reported it; ``expected`` is the end it must have, None any that is true."""

    workflow: str
    id: str
    expected: tuple[str, str | None] | None = None

    def unexpected(self, status: str, code: str | None) -> Iterator[Finding]:
        """Tells an end that is not the expected one."""
        if self.expected not in (None, (status, code)):
            yield self.found(Fate.WRONG, f"ended as {status} {code or ''}, not as {self.expected}")

    def found(self, fate: Fate, reason: str) -> Finding:
        """Return a finding about this job."""
        return Finding(self.workflow, self.id, fate, reason)


@dataclass
class Injection:
    """A fault. ``triggered`` tells how often it has; ``boundary`` is None where no task is cut."""

    workflow: str
    name: str
    triggered: Callable[[], int]
    boundary: tuple[str, str] | None = None
    times: int = 0


Auditor = Callable[[list[Job]], Iterable[Finding]]


@dataclass
class Tally:
    """Counts one run. ``seed`` is what its random choices came from."""

    seed: int
    jobs: dict[str, Job] = field(default_factory=dict)
    injections: list[Injection] = field(default_factory=list)
    findings: set[Finding] = field(default_factory=set)
    began: float = field(default_factory=time.time)
    _nested: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _touched: set[str] = field(default_factory=set)
    _module_workflow: str = "reconcile"
    _auditors: dict[str, Auditor] = field(default_factory=dict)

    # ── What tests report ───────────────────────────────────────────────────────────────────────

    def placed(self, workflow: str, job_id: str) -> None:
        """Note that a job exists from now on; of a workflow's name a state machine has to be."""
        assert workflow in workflows(), workflow
        self.jobs.setdefault(job_id, Job(workflow, job_id))
        self._touched.add(job_id)

    def went_through(self, workflow: str, job_id: str) -> None:
        """Note that a job went through another machine than the one that it was placed in."""
        self._nested[workflow].add(job_id)

    def touched(self, job_id: str) -> None:
        """Note that the test that runs looks at a job."""
        self._touched.add(job_id)

    def expect(self, job_id: str, status: str, code: str | None = None) -> None:
        """Note the end that a job must be found in, by its test and once more at the run's end."""
        self.jobs[job_id].expected = (status, code)
        self._touched.add(job_id)

    def injected(
        self,
        name: str,
        triggered: Callable[[], int],
        *,
        job_id: str | None = None,
        workflow: str | None = None,
        boundary: tuple[str, str] | None = None,
        cuts: bool = True,
    ) -> None:
        """Note that a fault was injected; which workflow it is in follows from its boundary and job unless it is given.

        It ``cuts`` the workflow at the boundary if it ends the process or the execution there.
        """
        found = workflow or self._workflow_of(boundary, job_id)
        at = boundary if cuts and boundary in boundaries(found) else None
        self.injections.append(Injection(found, name, triggered, at))

    def did(
        self, name: str, *, job_id: str | None = None, workflow: str | None = None, **more: tuple[str, str]
    ) -> None:
        """Note a fault that triggers at once, by the test's own hand."""
        self.injected(name, lambda: 1, job_id=job_id, workflow=workflow, boundary=more.get("boundary"))

    def _workflow_of(self, boundary: tuple[str, str] | None, job_id: str | None) -> str:
        if job_id in self.jobs:
            main = self.jobs[str(job_id)].workflow
            return next((name for name in _FAMILIES.get(main, (main,)) if boundary in boundaries(name)), main)
        # Names that several workflows have, and those of none, count where the test belongs.
        holders = [name for name in workflows() if boundary in boundaries(name)]
        return holders[0] if len(holders) == 1 else self._module_workflow

    def next_test(self, workflow: str) -> None:
        """Another test begins, in a module about this workflow."""
        self._touched = set()
        self._module_workflow = workflow

    def failed(self, name: str) -> None:
        """Note that a test failed: something was not as it has to be with the jobs that it looked at."""
        if not self._touched:
            self.findings.add(Finding(self._module_workflow, name, Fate.WRONG, "the test failed"))
        for job_id in self._touched:
            self.findings.add(self.jobs[job_id].found(Fate.WRONG, f"{name} failed"))

    # ── The end ─────────────────────────────────────────────────────────────────────────────────

    def audited_by(self, workflow: str, auditor: Auditor) -> None:
        """Who looks at a workflow's jobs at the end."""
        self._auditors[workflow] = auditor

    def audit(self) -> set[Finding]:
        """Return what the auditors find now. A job that has no auditor, or that one can't look at, counts as wrong."""
        found: set[Finding] = set()
        for workflow in {job.workflow for job in self.jobs.values()} | set(self._auditors):
            jobs = [job for job in self.jobs.values() if job.workflow == workflow]
            try:
                found |= set(self._auditors[workflow](jobs))
            except Exception as error:
                found.add(Finding(workflow, "audit", Fate.WRONG, repr(error)))
        return found

    def close(self, seconds: float, meanwhile: Callable[[], None]) -> None:
        """Audit until nothing is found or time is over: what is still under way gets this long."""
        for injection in self.injections:
            injection.times = int(injection.triggered())
        ends_at = time.monotonic() + seconds
        while (found := self.audit()) and time.monotonic() < ends_at:
            meanwhile()
        self.findings |= found

    def uncovered(self) -> dict[str, list[str]]:
        """Boundaries at which nothing triggered, by workflow."""
        missing = {
            workflow: sorted(f"{when} {name}" for name, when in boundaries(workflow) - self._triggered_at(workflow))
            for workflow in workflows()
        }
        return {workflow: names for workflow, names in missing.items() if names}

    def _triggered_at(self, workflow: str) -> set[tuple[str, str]]:
        return {
            injection.boundary
            for injection in self.injections
            if injection.workflow == workflow and injection.boundary and injection.times
        }

    def rows(self) -> dict[str, dict[str, int]]:
        """Return the table: by workflow and in all."""
        rows = {}
        for workflow in workflows():
            fates = Counter(str(finding.fate) for finding in self.findings if finding.workflow == workflow)
            rows[workflow] = {
                "boundaries": len(self._triggered_at(workflow)),
                "of": len(boundaries(workflow)),
                "injections": sum(one.times for one in self.injections if one.workflow == workflow),
                "jobs": sum(job.workflow == workflow for job in self.jobs.values()) + len(self._nested[workflow]),
                **{str(fate): fates[str(fate)] for fate in Fate},
            }
        rows["all"] = {name: sum(row[name] for row in rows.values()) for name in ("of", *COLUMNS)}
        rows["all"]["jobs"] = len(self.jobs)  # each once
        return rows

    def lines(self) -> Iterator[str]:
        """Yield the table as text, and every finding below it."""
        yield f"{'workflow':<16}" + "".join(f"{name:>12}" for name in COLUMNS)
        for workflow, row in self.rows().items():
            cells = [f"{row['boundaries']}/{row['of']}", *(str(row[name]) for name in COLUMNS[1:])]
            yield f"{workflow:<16}" + "".join(f"{cell:>12}" for cell in cells)
        yield from self._told()

    def _told(self) -> Iterator[str]:
        for finding in sorted(self.findings, key=str):
            yield f"{finding.workflow} {finding.fate} {finding.job}: {finding.reason}"

    def write(self, path: Path) -> None:
        """Write the same as JSON, with the seed, the date, the machine and how often each kind of fault triggered."""
        kinds = Counter[str]()
        for injection in self.injections:
            kinds[injection.name] += injection.times
        told = {
            "seed": self.seed,
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.began)),
            "seconds": round(time.time() - self.began),
            "machine": f"{platform.machine()} {platform.system()}",
            "workflows": self.rows(),
            "injections": dict(sorted(kinds.items())),
            "uncovered": self.uncovered(),
            "findings": [
                f"{one.workflow} {one.fate} {one.job}: {one.reason}" for one in sorted(self.findings, key=str)
            ],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


@cache
def this_run() -> Tally:
    """Return the tally of this process's run; SLIPWAY_FAULT_SEED repeats its random choices."""
    return Tally(int(os.environ.get("SLIPWAY_FAULT_SEED") or time.time_ns() % 10**9))
