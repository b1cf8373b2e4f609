"""SDLs as the simulated network reads them."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from local.console_api.providers import monthly_dollars, simulated_providers
from local.console_api.sdl import InvalidSdlError, parse_sdl
from slipway.akash.sdl.parser import parse_sdl as parse_before_sending
from tests.support.console_simulator import sdl
from tests.support.workloads import document

WHOLE: dict[str, Any] = yaml.safe_load(
    sdl({"bids": {"none": True}}, exposes=[{"port": 80, "accept": ["a.test"], "to": [{"global": True}]}], gpu="a100")
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, member in members for place in [(*path, key), *_places(member, (*path, key))]]


@given(
    st.sampled_from(_places(WHOLE)),
    st.none() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({}) | st.floats() | st.just([[None]]),
)
def test_whatever_stands_anywhere_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    changed = copy.deepcopy(WHOLE)
    parent: Any = changed
    for part in path[:-1]:
        parent = parent[part]
    parent[path[-1]] = value
    with suppress(InvalidSdlError):
        parse_sdl(yaml.safe_dump(changed))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidSdlError):
        parse_sdl(text)


def test_the_manifest_is_sorted_and_escaped_as_upstream_writes_it() -> None:
    workload = parse_sdl(sdl(env=["A=<b>&c", "É=é"]))
    assert json.loads(workload.manifest)[0]["services"][0]["env"] == ["A=<b>&c", "É=é"]
    assert "A=\\u003cb\\u003e\\u0026c" in workload.manifest
    canonical = json.dumps(json.loads(workload.manifest), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    escaped = canonical.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    assert workload.manifest == escaped
    assert workload.hash == base64.b64encode(hashlib.sha256(escaped.encode()).digest()).decode()


def test_prices_are_no_part_of_the_manifest() -> None:
    assert parse_sdl(sdl(amount=5)).hash == parse_sdl(sdl(amount=6)).hash


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"services__web__expose__0__port": 7072, "services__web__expose__0__as": 7072},
        {"profiles__compute__small__resources__memory__size": "1.5G"},
        {"profiles__compute__small__resources__cpu__units": 0.1},
        {"profiles__compute__small__resources__gpu": {"units": 1, "attributes": {"vendor": {"nvidia": None}}}},
        {"profiles__placement__anywhere__attributes": {"host": "akash", "capable": True}},
        {"deployment__web__anywhere__count": 3},
    ],
)
def test_what_slipway_sends_is_understood(changes: dict[str, Any]) -> None:
    text = json.dumps(document(**changes))
    parse_before_sending(text)
    assert parse_sdl(text).groups


def test_truth_is_written_as_the_chain_writes_it() -> None:
    text = json.dumps(document(profiles__placement__anywhere__attributes={"capable": True}))
    assert parse_sdl(text).groups[0].attributes == (("capable", "true"),)


def test_a_stranger_can_not_vouch_for_the_simulated_providers() -> None:
    signed = document(profiles__placement__anywhere__signedBy={"allOf": ["akash1" + "q" * 38]})
    group = parse_sdl(json.dumps(signed)).groups[0]
    assert not any(provider.can_take(group) for provider in simulated_providers().values())


@given(st.integers(1, 10**6), st.integers(1, 2**40), st.integers(1, 2**45))
def test_more_never_costs_less(cpu: int, memory: int, storage: int) -> None:
    assert monthly_dollars(cpu, memory, storage) <= monthly_dollars(cpu + 1000, memory + 2**30, storage + 2**30)
