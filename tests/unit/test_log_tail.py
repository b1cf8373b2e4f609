"""Following a service: whatever breaks in between, the reader sees each line once and in order, or is told of a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.logs import tail as log_tail
from slipway.akash.logs.cursors import Cursor, decode_cursor, encode_cursor, pod_key
from slipway.akash.logs.positions import Gap, Position
from slipway.akash.logs.tail import MAX_CHARACTERS, MAX_WINDOW, Entry, ServiceTail


@dataclass
class Reader:
    """A client of a provider whose pods have logs, over subscriptions that come and go."""

    logs: dict[str, list[str]] = field(default_factory=dict)
    tail: int = 1000
    known: Mapping[bytes, Position] | None = None
    now: float = 100.0
    lines: dict[str, list[str]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    subscriptions: int = 0

    def write(self, pod: str, *lines: str) -> None:
        self.logs.setdefault(pod, []).extend(lines)

    def subscribe(self, during: Mapping[str, list[str]] | None = None, most: int | None = None) -> None:
        """One poll: what there is, then what is written during it. Only ``most`` entries get to the client."""
        tail = ServiceTail(self.known, self.tail)
        while True:
            self.subscriptions += 1
            asked = tail.begin()
            for pod, log in self.logs.items():
                for line in log[-asked:]:
                    tail.feed(pod, line, self.now)
            self.now += 2
            entries = tail.settle(self.now)
            if not tail.wants_more:
                break
        for pod, lines in (during or {}).items():
            for line in lines:
                self.write(pod, line)
                tail.feed(pod, line, self.now)
            self.now += 2
            entries += tail.settle(self.now)
        self._take(entries[:most], tail)

    def _take(self, entries: list[Entry], tail: ServiceTail) -> None:
        told = dict(self.known or {})
        for entry in entries:
            told = {pod: at for pod, at in told.items() if pod in tail.positions} | {pod_key(entry.pod): entry.position}
            if entry.gap:
                self.gaps.append(entry.gap)
            if entry.line is not None:
                self.lines.setdefault(entry.pod, []).append(entry.line)
        # As it comes back from the client.
        self.known = decode_cursor(encode_cursor(Cursor({"web": told}))).services["web"]


LINES = st.lists(st.sampled_from(["GET / 200", "tick", "tock", "\n", ""]), max_size=12)


@given(st.lists(st.tuples(LINES, LINES, st.none() | st.integers(0, 15)), max_size=8))
def test_a_repetitive_log_is_reported_once_over_any_number_of_polls(
    polls: list[tuple[list[str], list[str], int | None]],
) -> None:
    reader = Reader()
    for between, during, most in polls:
        reader.write("web-1", *between)
        reader.subscribe({"web-1": during}, most)
    reader.subscribe()
    # Who begins within a log and sees nothing of it has not begun.
    assert reader.lines.get("web-1", []) == reader.logs.get("web-1", [])
    assert reader.gaps == []


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), LINES), max_size=12))
def test_pods_are_distinguished(writes: list[tuple[str, list[str]]]) -> None:
    reader = Reader(logs={"a": ["a"], "b": ["b"], "c": ["c"]})
    for pod, lines in writes:
        reader.subscribe({pod: lines})
    reader.subscribe()
    assert reader.lines == reader.logs
    assert reader.gaps == []


def test_the_first_poll_begins_with_the_tail() -> None:
    reader = Reader(logs={"web-1": [f"line {number}" for number in range(500)]}, tail=3)
    reader.subscribe({"web-1": ["news"]})
    assert reader.lines["web-1"] == ["line 497", "line 498", "line 499", "news"]
    reader.subscribe()
    assert reader.lines["web-1"][-1] == "news"
    assert reader.gaps == []


def test_a_tail_of_nothing_begins_with_what_comes() -> None:
    reader = Reader(logs={"web-1": ["old"] * 7}, tail=0)
    reader.subscribe()
    reader.write("web-1", "old", "old")
    reader.subscribe()
    assert reader.lines["web-1"] == ["old", "old"]


@pytest.mark.parametrize("burst", [900, 5000, MAX_WINDOW - 3000])
def test_a_burst_between_polls_is_reported_whole(burst: int) -> None:
    reader = Reader(logs={"web-1": ["start", *["tick"] * 2000]}, tail=5)
    reader.subscribe()
    reader.write("web-1", *["tick"] * burst)
    reader.subscribe()
    assert len(reader.lines["web-1"]) == 5 + burst
    assert reader.gaps == []


def test_a_burst_that_nobody_can_read_again_is_one_gap() -> None:
    reader = Reader(logs={"web-1": [f"a {number}" for number in range(50)]})
    reader.subscribe()
    reader.write("web-1", *(f"b {number}" for number in range(MAX_WINDOW + 5)))
    reader.subscribe()
    assert reader.gaps == [Gap.OVERWRITTEN]
    assert reader.lines["web-1"][-1000:] == reader.logs["web-1"][-1000:]
    reader.write("web-1", "after")
    reader.subscribe()
    assert reader.lines["web-1"][-1] == "after"
    assert len(reader.gaps) == 1


def test_a_long_log_is_followed_without_reading_it_again() -> None:
    reader = Reader(logs={"web-1": [f"line {number}" for number in range(30_000)]}, tail=1)
    reader.subscribe()
    for round_ in range(5):
        reader.write("web-1", f"news {round_}")
        reader.subscribe()
    assert reader.lines["web-1"] == ["line 29999", *(f"news {number}" for number in range(5))]
    assert reader.subscriptions == 6
    assert reader.gaps == []


def test_a_long_log_of_one_line_is_a_doubt_and_loses_nothing_that_is_written_during_a_poll() -> None:
    reader = Reader(logs={"web-1": ["tick"] * (MAX_WINDOW + 1)}, tail=0)
    reader.subscribe()
    reader.subscribe({"web-1": ["tick", "tick"]})
    assert reader.lines["web-1"] == ["tick", "tick"]
    assert reader.gaps == [Gap.AMBIGUOUS]


def test_another_pod_in_the_place_of_the_last_is_one_gap_and_reported_whole() -> None:
    reader = Reader(logs={"web-1": ["a", "b"]})
    reader.subscribe()
    reader.logs = {"web-2": ["starting", "ready"]}
    reader.subscribe()
    reader.subscribe()
    assert reader.gaps == [Gap.RESTARTED]
    assert reader.lines == {"web-1": ["a", "b"], "web-2": ["starting", "ready"]}


def test_one_more_pod_is_no_gap() -> None:
    reader = Reader(logs={"web-1": ["a"]})
    reader.subscribe()
    reader.logs["web-2"] = ["b"]
    reader.subscribe()
    assert reader.gaps == []
    assert reader.lines == {"web-1": ["a"], "web-2": ["b"]}


def test_a_container_that_started_anew_in_its_pod_is_a_gap() -> None:
    reader = Reader(logs={"web-1": ["a", "b", "c"]})
    reader.subscribe()
    reader.logs = {"web-1": ["x"]}
    reader.subscribe()
    assert reader.gaps == [Gap.RESTARTED]
    assert reader.lines["web-1"] == ["a", "b", "c", "x"]


def test_lines_are_waited_for_until_a_pod_pauses() -> None:
    tail = ServiceTail(None, 10)
    tail.begin()
    tail.feed("web-1", "a", 1.0)
    assert tail.settle(1.1) == []
    tail.feed("web-1", "b", 1.2)
    due = tail.due()
    assert due == pytest.approx(1.4)
    assert [entry.line for entry in tail.settle(1.4) if entry.line is not None or entry.gap] == ["a", "b"]
    tail.feed("web-1", "c", 1.5)
    assert [entry.line for entry in tail.settle(1.5)] == ["c"]


def test_fewer_lines_than_were_read_are_waited_for_longer() -> None:
    reader = Reader(logs={"web-1": ["a", "b", "c"]})
    reader.subscribe()
    tail = ServiceTail(reader.known, 10)
    tail.begin()
    tail.feed("web-1", "a", 1.0)
    assert tail.settle(2.0) == []
    tail.feed("web-1", "b", 2.0)
    tail.feed("web-1", "c", 2.0)
    tail.feed("web-1", "d", 2.0)
    assert [entry.line for entry in tail.settle(2.3) if entry.line is not None or entry.gap] == ["d"]


def test_a_pod_that_never_pauses_is_not_waited_for() -> None:
    tail = ServiceTail(None, 100)
    tail.begin()
    for step in range(20):
        tail.feed("web-1", f"{step}", step / 10)
        if entries := tail.settle(step / 10):
            break
    assert step / 10 == pytest.approx(0.4)
    assert len([entry for entry in entries if entry.line is not None or entry.gap]) == 5


def test_a_long_burst_is_collected_to_its_end() -> None:
    reader = Reader(logs={"web-1": ["tick"] * 2000})
    reader.subscribe()
    tail = ServiceTail(reader.known, 10)
    tail.begin()
    for step in range(2500):
        tail.feed("web-1", "tick", step / 1000)
        assert tail.settle(step / 1000) == []
    assert len([entry for entry in tail.settle(2.8) if entry.line is not None or entry.gap]) == 500


def test_a_long_line_is_cut_and_known_again() -> None:
    reader = Reader(logs={"web-1": ["x" * MAX_CHARACTERS, "y" * (MAX_CHARACTERS + 1) + "1"]})
    reader.subscribe()
    reader.write("web-1", "y" * (MAX_CHARACTERS + 1) + "2")
    reader.subscribe()
    assert [len(line) for line in reader.lines["web-1"]] == [MAX_CHARACTERS] * 3
    assert reader.gaps == []


def test_what_is_collected_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tail, "_MAX_COLLECTED", 1000)
    reader = Reader(logs={"web-1": [f"{number:0100}" for number in range(50)]})
    reader.subscribe()
    assert len(reader.lines["web-1"]) == 10
    assert reader.lines["web-1"][-1] == f"{49:0100}"


def test_many_pods_have_a_bound() -> None:
    reader = Reader(logs={f"web-{number}": ["a"] for number in range(50)})
    reader.subscribe()
    assert reader.known is not None
    assert len(reader.known) == 32
