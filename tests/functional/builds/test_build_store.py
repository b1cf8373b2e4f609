"""Builds in the table: numbered events, counts of every status, permits to broadcast."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.builds.states import Progress, Stage, Status, Step
from slipway.builds.store import (
    BuildCounts,
    BuildItem,
    add_build,
    broadcasting,
    build_key,
    change_build,
    counts_key,
    counts_of,
    find_build,
    number_key,
    open_work_of,
    owner_key,
    permits_of,
    require_running,
    running,
    updates_after,
)
from slipway.store import ConditionsFailedError, Transaction
from slipway.times import now_text
from tests.support.clock import ManualClock

WALLET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
GENERATING = Progress(Status.GENERATING, 10, Step.CODE_GENERATION, "Generating")
COMPLETE = Progress(Status.COMPLETE, 100, Step.COMPLETE, "Done")

pytestmark = pytest.mark.usefixtures("slipway")


def _new(build_id: str = "one", most_open: int = 5) -> BuildItem:
    counts, moment = counts_of(WALLET), now_text()
    number = int(counts.number) + 1
    build = BuildItem(
        *build_key(build_id),
        build_id=build_id,
        number=number,
        wallet=WALLET,
        status=str(Status.PENDING),
        job_id=f"job-{build_id}",
        run_began_at=moment,
        stage=str(Stage.GENERATE),
        step=str(Step.QUEUED),
        sequence=1,
        prompt="Create a token called Test",
        chains=[31337],
        run_chains=[31337],
        stage_began_at=moment,
        created_at=moment,
        updated_at=moment,
        owner_key=owner_key(WALLET),
        owner_sort=number_key(number),
        subject_key=owner_key(WALLET, Status.PENDING),
    )
    build.open_shard, build.open_until = open_work_of(build_id, moment).values()
    write = Transaction()
    add_build(write, build, counts, most_open, "Accepted")
    write.commit()
    return build


def _counts() -> dict[str, int]:
    counts = counts_of(WALLET)
    block = BuildCounts.get(*counts_key(WALLET, 0))
    assert all(block.of(status) == counts.of(status) for status in Status)
    assert int(block.open) == int(counts.open)
    found = {str(status): counts.of(status) for status in Status if counts.of(status)}
    return found | {"number": int(counts.number), "open": int(counts.open)}


def test_a_change_and_its_event_are_one_write() -> None:
    build = _new()
    assert change_build(build, [BuildItem.engine.set("composer")], running(build.job_id), update=GENERATING)
    assert (build.status, build.engine, int(build.sequence), int(build.progress)) == ("generating", "composer", 2, 10)
    assert [(int(event.sequence), event.status, event.step) for event in updates_after("one", 0)] == [
        (1, "pending", "queued"),
        (2, "generating", "code_generation"),
    ]
    assert [int(event.sequence) for event in updates_after("one", 1)] == [2]
    assert _counts() == {"generating": 1, "number": 1, "open": 1}


def test_an_ended_build_leaves_the_open_work_and_changes_no_more() -> None:
    build = _new()
    assert change_build(build, [], running(build.job_id), update=COMPLETE)
    assert build.completed_at is not None
    assert build.open_shard is None
    assert not change_build(build, [], running(build.job_id), update=GENERATING)
    assert _counts() == {"complete": 1, "number": 1, "open": 0}
    assert len(updates_after("one", 0)) == 2


def test_two_who_publish_at_once_both_do_and_leave_no_gap() -> None:
    mine = _new()
    others = find_build("one")
    assert others
    assert change_build(others, [], running(others.job_id), update=Progress(Status.DEPLOYING, 80, Step.DEPLOYMENT, "a"))
    told, clock = Progress(Status.DEPLOYING, 75, Step.DEPLOYMENT, "b"), ManualClock()
    assert change_build(mine, [], running(mine.job_id), update=told, clock=clock)
    assert len(clock.pauses) == 1
    events = updates_after("one", 0)
    assert [int(event.sequence) for event in events] == [1, 2, 3]
    assert [int(event.progress) for event in events] == [0, 80, 80]


def test_a_change_of_another_run_is_refused() -> None:
    build = _new()
    assert not change_build(build, [], running("another"), update=GENERATING)
    assert not change_build(build, [BuildItem.engine.set("x")], running("another"))
    assert build.engine is None


def test_no_more_than_so_many_builds_are_open_at_once() -> None:
    first = _new("one", most_open=2)
    _new("two", most_open=2)
    with pytest.raises(ConditionsFailedError, match="counts"):
        _new("three", most_open=2)
    assert change_build(first, [], running(first.job_id), update=COMPLETE)
    assert int(_new("three", most_open=2).number) == 3


def test_a_number_is_given_once() -> None:
    counts = counts_of(WALLET)
    _new("one")
    build = find_build("one")
    assert build
    again: Any = BuildItem(**{**build.attribute_values, "pk": "BUILD#two", "build_id": "two"})
    write = Transaction()
    add_build(write, again, counts, 5, "Accepted")
    with pytest.raises(ConditionsFailedError, match="counts"):
        write.commit()


def test_a_permit_is_held_while_sending_and_refused_after_the_end() -> None:
    build = _new()
    with broadcasting("one", build.job_id, 31337, 5) as allowed:
        assert allowed
        assert [permit.sk for permit in permits_of("one")] == ["BROADCAST#31337"]
    assert permits_of("one") == []
    cancelled = Progress(Status.CANCELLED, 0, Step.CANCELLED, "Cancelled")
    assert change_build(build, [], running(build.job_id), update=cancelled)
    with broadcasting("one", build.job_id, 31337, 5) as allowed:
        assert not allowed
    assert permits_of("one") == []


def test_nothing_is_reserved_for_a_run_that_is_over() -> None:
    build = _new()
    write = Transaction()
    require_running(write, "one", build.job_id)
    write.update("counts", BuildCounts("BUILDS#other", "COUNTS"), [BuildCounts.open.add(1)])
    write.commit()
    change_build(build, [], running(build.job_id), update=COMPLETE)
    write = Transaction()
    require_running(write, "one", build.job_id)
    write.update("counts", BuildCounts("BUILDS#other", "COUNTS"), [BuildCounts.open.add(1)])
    with pytest.raises(ConditionsFailedError, match="build"):
        write.commit()
