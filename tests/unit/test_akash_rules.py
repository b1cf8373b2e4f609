"""What is next for a workload, what a create may have made, and when services are available."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.console.models import Lease, parse
from slipway.akash.rules import (
    CLOCK_SKEW_MILLISECONDS,
    Attempt,
    Progress,
    Step,
    backed_off,
    is_ready,
    next_step,
    observation_of,
)
from tests.support.console_answers import LEASE, STATUS

PROGRESS = st.builds(Progress, **{name: st.booleans() for name in asdict(Progress())})
FORWARD = {Step.CREATE, Step.COLLECT, Step.CHOOSE, Step.LEASE, Step.READY}


@given(PROGRESS)
def test_nothing_is_done_for_what_has_ended(progress: Progress) -> None:
    assert next_step(replace(progress, ended=True)) is Step.DONE


@given(PROGRESS)
def test_a_create_of_unknown_outcome_is_looked_for_before_anything_else(progress: Progress) -> None:
    assert next_step(replace(progress, ended=False, attempting=True)) is Step.RECOVER


@given(PROGRESS)
def test_what_is_to_be_closed_never_goes_forward_and_ends_only_when_nothing_is_open(progress: Progress) -> None:
    step = next_step(replace(progress, ended=False, attempting=False, closing=True))
    assert step not in FORWARD | {Step.DONE, Step.RECOVER}
    if step is Step.END:
        kept = progress.kept and progress.leased
        assert not progress.created or progress.proved_closed or kept


@given(PROGRESS)
def test_a_second_create_needs_that_there_is_no_first(progress: Progress) -> None:
    if next_step(progress) is Step.CREATE:
        assert not (progress.created)
        assert not (progress.attempting)
        assert not (progress.closing)
        assert not (progress.active)


def test_the_way_of_a_workload() -> None:
    progress = Progress()
    steps = [next_step(progress)]
    for name in ("created", "chosen", "leased", "active", "closing", "close_sent", "proved_closed", "ended"):
        progress = replace(progress, **{name: True})  # type: ignore[arg-type]
        steps.append(next_step(progress))
    assert steps == [
        Step.CREATE, Step.COLLECT, Step.LEASE, Step.READY, Step.DONE, Step.CLOSE, Step.CONFIRM, Step.END, Step.DONE,
    ]  # fmt: skip


@given(st.integers(10**12, 2 * 10**12), st.integers(0, 60_000), st.floats(0.1, 100))
def test_a_create_may_have_made_what_was_made_while_it_was_waited_for(began: int, waited: int, longest: float) -> None:
    heard = Attempt(began, began + waited, True)
    assert heard.may_have_made(str(began + waited // 2), longest)
    assert not heard.may_have_made(str(began - CLOCK_SKEW_MILLISECONDS - 1), longest)
    assert not heard.may_have_made(str(began + waited + CLOCK_SKEW_MILLISECONDS + 1), longest)
    # Its caller died: it may have waited as long as calls may take.
    dead = Attempt(began, None, False)
    assert dead.ended_by(longest) == began + int(longest * 1000)
    assert dead.may_have_made(str(dead.ended_by(longest)), longest)


def _lease(**services: Any) -> Lease:
    return parse(Lease, {**LEASE, "status": {**STATUS, "services": services} if services else None})


@pytest.mark.parametrize(
    ("leases", "ready"),
    [
        ([_lease(web={"available": 1, "total": 1}), _lease(db={"available": 2, "total": 2})], True),
        ([_lease(web={"available": 1, "total": 1}, db={"available": 1, "total": 1})], True),
        ([_lease(web={"available": 1, "total": 1}), _lease(db={"available": 1, "total": 2})], False),
        ([_lease(web={"available": 1, "total": 1}), _lease()], False),
        ([_lease(web={"available": 0, "total": 0}, db={"available": 1, "total": 1})], False),
        ([], False),
    ],
)
def test_ready_is_when_every_replica_of_every_service_is_available(leases: list[Lease], ready: bool) -> None:
    assert is_ready(["web", "db"], leases) is ready


def test_what_providers_report_is_kept() -> None:
    seen = observation_of([parse(Lease, LEASE), _lease()], "2026-11-21T00:00:00.000Z")
    assert seen.services["web"].uris == ["abc.ingress.provider.test"]
    (port,) = seen.forwarded_ports["web"]
    assert (port.host, port.port, port.external_port, port.protocol) == ("provider.test", 7072, 31234, "TCP")
    assert seen.ips["web"][0].host == "203.0.113.9"
    assert observation_of([_lease()], "").services == {}


def test_looks_at_what_is_being_closed_become_rare() -> None:
    assert [backed_off(seconds, 2, 120) for seconds in (0, 3, 10, 100, 240, 10_000)] == [2, 2, 5, 50, 120, 120]
    passed, looks = 0.0, 0
    # As long as an execution lives: each look is some ten events, and an execution may have 25,000.
    while passed < 10_800:
        passed, looks = passed + backed_off(passed, 2, 120), looks + 1
    assert looks < 120
