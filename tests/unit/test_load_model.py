"""The loads of docs/scaling.md are reckoned from what the code does."""

from __future__ import annotations

from bench import load
from bench.cost_model import DOCUMENT, between, declared
from slipway.akash.logs.stream import POLL_SECONDS
from tests.support.template import ROOT


def test_the_document_says_what_the_model_says() -> None:
    text = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert between(text, load.BEGIN, load.END) == load.table()


def test_its_assumptions_are_the_codes() -> None:
    assert POLL_SECONDS == load.POLL_SECONDS
    daemon = (ROOT / "layers" / "slipway" / "slipway" / "workers" / "daemon.sh").read_text(encoding="utf-8")
    assert f"SLIPWAY_HEARTBEAT_SECONDS {load.BEAT_SECONDS}" in daemon


def test_more_of_a_load_needs_more() -> None:
    rows = declared(DOCUMENT.read_text(encoding="utf-8"))
    (beats,) = load.loads()["10,000 workers"]
    one = load.needed([beats], rows)
    two = load.needed([beats, beats], rows)
    assert two.write_units == 2 * one.write_units > 0
    assert two.concurrency == 2 * one.concurrency > 0
    readers = load.needed(load.loads()["100,000 log readers"], rows)
    assert readers.concurrency > 100_000
