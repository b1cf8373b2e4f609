"""Pages of builds, estimates, progress, and what a request for a build may be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slipway.builds.api.estimates import MIN_BUILDS, TARGET_SECONDS, estimated_seconds
from slipway.builds.api.models import BuildRequest, DeployRequest
from slipway.builds.api.pagination import range_of_page, start_of_page
from slipway.builds.states import DEPLOYING_FROM, DEPLOYING_TO, FINAL, OPEN, Status, deployment_progress
from slipway.builds.store import BLOCK, block_of, number_key
from slipway.settings import stream_url

SIZES = st.integers(1, 100)


@given(total=st.integers(0, 500), page_size=SIZES)
def test_pages_are_all_numbers_once_newest_first(total: int, page_size: int) -> None:
    listed: list[int] = []
    page = 1
    while (numbers := range_of_page(total, page, page_size)) is not None:
        first, last = numbers
        assert 1 <= last - first + 1 <= page_size
        listed += range(last, first - 1, -1)
        page += 1
    assert listed == [*range(total, 0, -1)]


@given(statuses=st.lists(st.booleans(), max_size=300), page=st.integers(1, 20), page_size=SIZES)
def test_a_page_of_one_status_begins_where_its_builds_do(statuses: list[bool], page: int, page_size: int) -> None:
    numbers = [number for number, matches in enumerate(statuses, 1) if matches]
    counts: dict[int, int] = {}
    for number in numbers:
        counts[block_of(number)] = counts.get(block_of(number), 0) + 1
    wanted = numbers[::-1][(page - 1) * page_size :][:page_size]
    start = start_of_page(sorted(counts.items(), reverse=True), (page - 1) * page_size)
    if start is None:
        assert wanted == []
        return
    block, skipped = start
    below = [number for number in numbers[::-1] if number <= (block + 1) * BLOCK]
    assert below[skipped:][:page_size] == wanted
    assert skipped < BLOCK


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=20))
def test_numbers_sort_as_they_count(numbers: list[int]) -> None:
    assert sorted(map(number_key, numbers)) == [number_key(number) for number in sorted(numbers)]


@given(st.lists(st.floats(0.01, 10_000), max_size=80))
def test_an_estimate_is_the_target_until_builds_report_better(seconds: list[float]) -> None:
    estimate = estimated_seconds(seconds)
    if len(seconds) < MIN_BUILDS:
        assert estimate == TARGET_SECONDS == 87
    else:
        assert sum(taken <= estimate for taken in seconds) >= 0.9 * len(seconds)
        assert estimate <= max(seconds) + 1


@given(st.integers(1, 10), st.data())
def test_progress_of_a_deployment_only_grows(chains: int, data: st.DataObject) -> None:
    ended = data.draw(st.integers(0, chains - 1))
    before, after = deployment_progress(ended, chains), deployment_progress(ended + 1, chains)
    assert DEPLOYING_FROM <= before <= after <= DEPLOYING_TO


def test_every_status_is_open_or_final() -> None:
    assert set(Status) == OPEN | FINAL
    assert not OPEN & FINAL


def _request(**changes: Any) -> BuildRequest:
    return BuildRequest.model_validate({"prompt": "Create a token called Test", "chains": [1, 5001], **changes})


def test_a_request_has_a_prompt_and_chains() -> None:
    assert _request(prompt="t" * 10).prompt == "t" * 10
    assert _request(prompt="t" * 2000, chains=[*range(1, 11)]).chains == [*range(1, 11)]


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "t" * 9},
        {"prompt": "t" * 2001},
        {"prompt": "   token    "},
        {"prompt": "a token \x00 called"},
        {"prompt": "a token \ud800 called"},
        {"prompt": None},
        {"chains": [1, 1]},
        {"chains": [*range(1, 12)]},
        {"chains": [0]},
        {"chains": [-5]},
        {"chains": [1.5]},
        {"chains": [True]},
        {"chains": ["1"]},
        {"chains": [2**70]},
        {"template": 1},
        {"template": "t" * 65},
        {"options": []},
        {"more": 1},
    ],
)
def test_any_other_request_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _request(**changes)


@pytest.mark.parametrize("body", [[], [1, 1], ["1"], {"chain_ids": [1]}, None, 1, [*range(1, 12)]])
def test_more_chains_are_a_bare_list_of_distinct_ids(body: Any) -> None:
    assert DeployRequest.model_validate([5001]).root == [5001]
    with pytest.raises(ValidationError):
        DeployRequest.model_validate(body)


def test_the_stream_is_where_the_installation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STREAM_URL", raising=False)
    assert stream_url("one") is None
    monkeypatch.setenv("STREAM_URL", "wss://example.com/v1?build_id={build_id}")
    assert stream_url("one") == "wss://example.com/v1?build_id=one"
