"""The list of providers: filters, prices that are known or null, and what a provider does not tell."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.console.models import PricedGpu, PriceEstimate, Provider, parse, parse_each
from slipway.akash.providers.models import Market
from slipway.akash.providers.rules import entry_of, matching, page_after, sort_key
from slipway.akash.providers.service import provider_filter
from slipway.akash.providers.store import market_json, parse_market
from slipway.errors import ValidationFailedError
from tests.support.console_answers import PROVIDER

GIB = 2**30


def _provider(name: str, **changes: Any) -> dict[str, Any]:
    return copy.deepcopy(PROVIDER) | {"owner": f"akash1{name}", "name": name} | changes


def _gpu(model: str, price: float | None, ram: str = "80Gi", interface: str = "SXM4") -> dict[str, Any]:
    prices = {"currency": "USD", "min": 0.1, "max": 9, "avg": price, "weightedAverage": price, "med": price}
    told = {"vendor": "nvidia", "model": model, "ram": ram, "interface": interface}
    return told | {"price": None if price is None else prices}


def _models(*names: str) -> list[dict[str, str]]:
    return [{"vendor": "nvidia", "model": name, "ram": "80Gi", "interface": "SXM4"} for name in names]


PROVIDERS = [
    _provider("alpine", gpuModels=_models("a100"), locationRegion="eu-central"),
    _provider("prairie", gpuModels=_models("a100", "h100"), locationRegion="us-central", ipCountryCode="US",
              ipCountry="United States", ipRegion="Nebraska", attributes=[]),
    _provider("garage", gpuModels=_models("t4"), isAudited=False, locationRegion="us-east", ipCountryCode="US",
              ipCountry="United States", ipRegion="New Jersey", attributes=[]),
    _provider("fjord", gpuModels=[], isOnline=False, locationRegion=None, ipCountryCode="NO", ipCountry="Norway",
              ipRegion="Oslo", attributes=[{"key": "region", "value": "EU-North", "auditedBy": []}]),
    _provider("riddle", gpuModels=_models("b300"), locationRegion="us-east", attributes=[]),
]  # fmt: skip
MARKET = Market(
    providers=parse_each(Provider, PROVIDERS),
    gpus=parse_each(PricedGpu, [_gpu("a100", 1.35), _gpu("h100", 2.1), _gpu("t4", 0.15), _gpu("b300", None)]),
    unit=PriceEstimate(akash=Decimal("7.30")),
    prices_as_of=1000.0,
)


def _names(region: str | None = None, gpu: str | None = None, price: str | None = None, **more: Any) -> list[str]:
    wanted = provider_filter(region, gpu, price, **{"audited_only": False, "online": None, **more})
    return [entry.provider.name for entry in matching(MARKET, wanted)] if wanted else []


def test_without_filters_all_are_listed_by_name() -> None:
    assert _names() == ["alpine", "fjord", "garage", "prairie", "riddle"]
    assert _names("", "", "") == _names()


@pytest.mark.parametrize("gpu", ["a100", "A100", "nvidia/a100", "NVIDIA/A100", "a100-80gb", "A100 80GB", "nvidia a100"])
def test_every_spelling_of_a_gpu_finds_it(gpu: str) -> None:
    assert _names(gpu=gpu) == ["alpine", "prairie"]


@pytest.mark.parametrize("gpu", ["a10", "a100-40gb", "amd/a100", "zzz", "///", "💥"])
def test_a_gpu_that_nobody_has_finds_nobody(gpu: str) -> None:
    assert _names(gpu=gpu) == []


@pytest.mark.parametrize(
    ("region", "found"),
    [
        ("eu-central", ["alpine"]), ("EU-Central", ["alpine"]), ("eu", ["alpine", "fjord"]),
        ("de", ["alpine", "riddle"]),
        ("Bavaria", ["alpine", "riddle"]), ("eu-NORTH", ["fjord"]), ("norway", ["fjord"]), ("Oslo", ["fjord"]),
        ("us", ["garage", "prairie", "riddle"]), ("United States", ["garage", "prairie"]), ("mars", []), ("---", []),
    ],
)  # fmt: skip
def test_a_region_is_every_name_of_the_place(region: str, found: list[str]) -> None:
    assert _names(region) == found


def test_a_price_is_that_of_the_gpu_that_is_asked_for() -> None:
    assert _names(price="1.35") == ["alpine", "fjord", "garage", "prairie"]
    assert _names(price="1.34") == ["fjord", "garage"]
    assert _names(gpu="h100", price="2") == []
    assert _names(gpu="h100", price="2.1") == ["prairie"]
    assert _names(price="0.001") == []
    assert _names(price="0") == []


def test_where_nobody_knows_a_price_none_is_made_up() -> None:
    assert "riddle" not in _names(price="1000000")
    entry = next(entry for entry in matching(MARKET, provider_filter_all()) if entry.provider.name == "riddle")
    pricing = entry_of(MARKET, entry).pricing
    assert pricing.hourly is None
    assert [price.weighted_average for price in pricing.gpus] == [None]
    nothing = Market(providers=MARKET.providers)
    assert all(
        (shown := entry_of(nothing, entry).pricing).hourly is None and shown.standard_unit is None
        for entry in matching(nothing, provider_filter_all())
    )


def provider_filter_all() -> Any:
    return provider_filter(None, None, None, audited_only=False, online=None)


@pytest.mark.parametrize("price", ["-1", "abc", "1,5", "NaN", "inf", "1e3", " 1", "0x10", "1.", "٣"])
def test_a_malformed_price_is_refused(price: str) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        provider_filter(None, None, price, audited_only=False, online=None)
    assert refused.value.details == {"fields": [{"field": "maxPrice", "message": 'must be a decimal such as "0.25"'}]}


def test_audited_and_online_only() -> None:
    assert "garage" not in _names(audited_only=True)
    assert "fjord" not in _names(online=True)
    assert _names(online=False) == ["fjord"]


def test_an_entry_reports_what_a_provider_has_and_what_is_free() -> None:
    stats = {
        "cpu": {"active": 28000, "available": 100000, "pending": 0, "total": 128000},
        "gpu": {"active": 1, "available": 7, "pending": 0, "total": 8},
        "memory": {"active": 0, "available": 12 * GIB, "pending": 4 * GIB},
        "storage": {"ephemeral": {"active": 1, "available": 2, "pending": 0}},
    }
    market = Market(providers=[parse(Provider, _provider("one", stats=stats))], gpus=MARKET.gpus)
    (listed,) = matching(market, provider_filter_all())
    entry = entry_of(market, listed).model_dump(by_alias=True)
    assert entry["specs"] == {
        "cpu_cores": 128, "memory_bytes": 16 * GIB, "storage_bytes": 3, "gpu_count": 8,
        "gpus": [{"vendor": "nvidia", "model": "a100", "ram": "80Gi", "interface": "SXM4", "count": 8}],
    }  # fmt: skip
    assert entry["availability"]["cpu_cores"] == {"available": 100, "total": 128}
    assert entry["availability"]["memory_bytes"] == {"available": 12 * GIB, "total": 16 * GIB}
    assert entry["availability"]["storage_bytes"]["persistent"] == {"available": None, "total": None}
    assert entry["uptime"] == {"1d": 1, "7d": 0.995, "30d": None}
    assert entry["pricing"]["hourly"] == "1.35"
    assert entry["pricing"]["estimate"] is True
    assert (entry["region"], entry["country"], entry["country_code"]) == ("eu-central", "Germany", "DE")


def test_what_a_provider_does_not_report_is_null_and_not_nothing() -> None:
    bare = parse(Provider, {"owner": "akash1bare"})
    market = Market(providers=[bare])
    entry = entry_of(market, matching(market, provider_filter_all())[0]).model_dump(by_alias=True)
    assert entry["specs"] == {
        "cpu_cores": None, "memory_bytes": None, "storage_bytes": None, "gpu_count": None, "gpus": [],
    }  # fmt: skip
    assert entry["availability"]["gpus"] == {"available": None, "total": None}
    assert entry["name"] is None
    assert entry["region"] is None


def test_counts_of_several_models_are_not_guessed() -> None:
    entry = next(entry for entry in matching(MARKET, provider_filter_all()) if entry.provider.name == "prairie")
    assert [gpu.count for gpu in entry_of(MARKET, entry).specs.gpus] == [None, None]


def test_a_market_survives_its_copy() -> None:
    bare = parse(Provider, {"owner": "akash1bare", "name": None})
    market = MARKET.model_copy(update={"providers": [*MARKET.providers, bare]})
    again = parse_market(market_json(market))
    everyone = provider_filter_all()
    assert [entry_of(again, entry) for entry in matching(again, everyone)] == [
        entry_of(market, entry) for entry in matching(market, everyone)
    ]
    assert again.prices_as_of == 1000.0


@given(
    names=st.lists(st.text("abAB", max_size=3), min_size=1, max_size=30),
    limit=st.integers(1, 7),
    gone=st.integers(0, 29),
)
def test_pages_show_everyone_once_even_when_somebody_leaves(names: list[str], limit: int, gone: int) -> None:
    everyone = [Provider(owner=f"akash1{index:02}", name=name) for index, name in enumerate(names)]
    shown: list[str] = []
    after, more, present = None, True, everyone
    while more:
        listed = matching(Market(providers=present), provider_filter_all())
        page, more = page_after(listed, after, limit)
        shown += [entry.provider.owner for entry in page]
        after = sort_key(page[-1].provider) if page else None
        present = [entry for index, entry in enumerate(everyone) if index != gone]
    assert len(set(shown)) == len(shown)
    missing = {entry.owner for entry in everyone} - set(shown)
    assert missing <= {f"akash1{gone:02}"}
