"""GET /api/providers over the simulator of the Console API: filters, ages, and an upstream that is slow or down."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.akash.providers import service as providers
from slipway.akash.providers.store import PART_BYTES
from tests.support.clock import SkippingClock, patient_seconds
from tests.support.console_simulator import Simulator
from tests.support.installation import Installation


def _page(slipway: Installation, query: str = "", status: int = 200) -> dict[str, Any]:
    answer = slipway.api("api_providers_page", query=query)
    assert answer.status == status, answer.body
    found: dict[str, Any] = answer.body
    return found


def _names(slipway: Installation, query: str = "") -> list[str]:
    return [entry["name"] for entry in _page(slipway, query)["providers"]]


def _as_another_function(monkeypatch: pytest.MonkeyPatch, later: float = 0.0) -> None:
    """Forget what the warm function holds, and let time pass."""
    providers.provider_catalogue.cache_clear()
    providers.provider_catalogue()._clock = SkippingClock().restart(later)


def test_everyone_may_see_the_providers(slipway: Installation, console: Simulator) -> None:
    page = _page(slipway)
    assert page["total"] == len(page["providers"]) == 7
    assert page["next_cursor"] is None
    assert page["stale"] is False
    assert 0 <= page["cached_age_seconds"] < 5
    prairie = next(entry for entry in page["providers"] if "prairie" in entry["name"])
    assert prairie["address"].startswith("akash1")
    assert prairie["online"] is prairie["audited"] is True
    assert [gpu["model"] for gpu in prairie["specs"]["gpus"]] == ["a100", "h100"]
    assert prairie["availability"]["gpus"]["total"] == prairie["specs"]["gpu_count"] == 16
    assert prairie["specs"]["cpu_cores"] == 512
    assert prairie["uptime"] == {"1d": 1.0, "7d": 0.999, "30d": 0.998}
    assert prairie["pricing"]["estimate"] is True
    assert float(prairie["pricing"]["hourly"]) == pytest.approx(1.35, abs=0.01)
    assert prairie["pricing"]["standard_unit"]["estimate"] is True


@pytest.mark.parametrize("gpu", ["a100", "A100", "nvidia%2Fa100", "a100-80gb", "NVIDIA%20A100"])
def test_filters_take_every_spelling(slipway: Installation, console: Simulator, gpu: str) -> None:
    assert _names(slipway, f"gpuType={gpu}&region=US-West") == [name for name in _names(slipway) if "cascade" in name]


@pytest.mark.parametrize("query", ["region=atlantis", "gpuType=zx81", "gpuType=%2F", "maxPrice=0", "maxPrice=0.000001"])
def test_what_matches_nothing_is_an_empty_list(slipway: Installation, console: Simulator, query: str) -> None:
    assert _page(slipway, query)["providers"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [("maxPrice=cheap", "maxPrice"), ("maxPrice=-1", "maxPrice"), ("limit=0", "limit"), ("cursor=x", "cursor"),
     ("online=maybe", "online")],
)  # fmt: skip
def test_a_malformed_parameter_is_named(slipway: Installation, console: Simulator, query: str, field: str) -> None:
    refused = _page(slipway, query, 400)
    assert refused["error"]["code"] == "VALIDATION_ERROR"
    assert refused["error"]["details"]["fields"][0]["field"] == field


def test_pages_hold_everyone_once(slipway: Installation, console: Simulator) -> None:
    everyone = _names(slipway)
    found: list[str] = []
    cursor = ""
    while len(found) < 7:
        page = _page(slipway, f"limit=3{cursor}")
        found += [entry["name"] for entry in page["providers"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert found == everyone
    assert page["next_cursor"] is None


def test_a_minute_is_served_from_memory_and_others_from_the_table(
    slipway: Installation, console: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    _page(slipway)
    console.control(faults=[{"call": "providers", "action": "unavailable"}])
    slipway.calls.clear()
    _page(slipway)
    assert slipway.called() == []
    _as_another_function(monkeypatch, later=59)
    assert 59 <= _page(slipway)["cached_age_seconds"] < 65
    assert {operation for _, operation, _ in slipway.calls} <= {"GetItem", "Query"}


@pytest.mark.parametrize("trouble", [{"faults": [{"call": "*", "action": "unavailable"}]}, {"latency": {"*": 3.0}}])
def test_an_old_list_is_served_with_its_age_while_upstream_is_in_trouble(
    slipway: Installation, console: Simulator, monkeypatch: pytest.MonkeyPatch, trouble: dict[str, Any]
) -> None:
    before = _page(slipway)
    console.control(**trouble)
    _as_another_function(monkeypatch, later=600)
    began = patient_seconds()
    page = _page(slipway)
    assert patient_seconds() - began < 2
    assert page["providers"] == before["providers"]
    assert page["stale"] is True
    assert page["cached_age_seconds"] >= 600
    assert slipway.invoked == [{"providers": True}]
    # The next reader waits for nothing, and asks nobody again.
    began = patient_seconds()
    assert _page(slipway)["stale"] is True
    assert patient_seconds() - began < 0.7
    assert len(slipway.invoked) == 1


def test_the_background_brings_what_upstream_was_too_slow_for(
    slipway: Installation, console: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.control(latency={"providers": 2.0})
    began = patient_seconds()
    refused = _page(slipway, status=502)
    assert patient_seconds() - began < 2
    assert refused["error"]["code"] == "UPSTREAM_UNAVAILABLE"
    slipway.refresh()
    assert _page(slipway)["total"] == 7


def test_nothing_to_serve_is_an_upstream_that_is_not_there(slipway: Installation, console: Simulator) -> None:
    console.control(faults=[{"call": "*", "action": "hang"}])
    for _ in range(2):
        began = patient_seconds()
        assert slipway.api("api_providers_page", query="").code == "UPSTREAM_UNAVAILABLE"
        assert patient_seconds() - began < 2


def test_prices_that_do_not_come_are_the_last_ones_or_unknown(
    slipway: Installation, console: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.control(faults=[{"call": "prices", "action": "error"}])
    page = _page(slipway)
    assert page["prices_as_of"] is None
    assert {entry["pricing"]["hourly"] for entry in page["providers"]} == {None}
    assert _page(slipway, "maxPrice=1000")["providers"] == []


def test_a_large_list_is_kept_in_parts(
    slipway: Installation, console: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PART_BYTES < 400_000
    monkeypatch.setattr("slipway.akash.providers.store.PART_BYTES", 100)
    before = _page(slipway)
    assert sum(item["sk"].startswith("PART#") for item in slipway.items("control")) > 3
    _as_another_function(monkeypatch)
    assert _page(slipway)["providers"] == before["providers"]
