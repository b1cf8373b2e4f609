"""What each stack runs, and when a lease can stay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slipway.akash.sdl.parser import parse_sdl
from slipway.stacks.models import ApiSpec, Kind, NodeSpec, is_same, restored, stored
from slipway.stacks.rules import Endpoint
from slipway.stacks.sdl import api_sdl, lease_can_stay, node_sdl

ENDPOINT = Endpoint("provider.example", 31572)
GIB = 2**30


def node(generation: int = 1, environment: str = "production", **spec: Any) -> str:
    return node_sdl(NodeSpec.model_validate(spec), "bananocoin/banano:V26.1", environment, generation)


def api(generation: int = 1, endpoint: Endpoint = ENDPOINT, **spec: Any) -> str:
    return api_sdl(ApiSpec.model_validate(spec), "example/api:1", "production", generation, endpoint)


def test_the_node_as_akash_gets_it() -> None:
    workload = parse_sdl(node())
    assert (workload.services, workload.groups) == (("node",), ("akash",))
    assert (workload.totals.cpu, workload.totals.memory) == (2000, 4 * GIB)
    assert workload.totals.storage == 72 * GIB
    service = json.loads(node())["services"]["node"]
    assert service["image"] == "bananocoin/banano:V26.1"
    assert service["expose"] == [
        {"port": port, "as": port, "proto": "tcp", "to": [{"global": True}]} for port in (7072, 7071, 7074)
    ]
    (command,) = service["args"]
    assert "--rpcconfig enable_control=false" in command
    assert "--config rpc.enable=true" in command
    assert service["params"] == {"storage": {"ledger": {"mount": "/root/BananoData", "readOnly": False}}}
    (volume,) = [
        entry
        for entry in json.loads(node())["profiles"]["compute"]["node"]["resources"]["storage"]
        if entry.get("name") == "ledger"
    ]
    assert volume["attributes"]["persistent"] is True


def test_the_api_as_akash_gets_it() -> None:
    workload = parse_sdl(api())
    assert (workload.services, workload.groups) == (("api",), ("akash",))
    service = json.loads(api())["services"]["api"]
    assert service["expose"] == [{"port": 8000, "as": 80, "proto": "tcp", "to": [{"global": True}]}]
    assert "BANANO_RPC_ENDPOINT=provider.example:31572" in service["env"]


def test_the_callers_words_are_in_it() -> None:
    text = node(
        image="me/node:2", env={"B": "2", "A": "1 = x"}, resources={"cpu": "500m", "memory": "1Gi", "data": "9Gi"}
    )
    service = json.loads(text)["services"]["node"]
    assert service["image"] == "me/node:2"
    assert service["env"] == ["A=1 = x", "B=2", "SLIPWAY_ENVIRONMENT=production", "SLIPWAY_GENERATION=1"]
    assert parse_sdl(text).totals.cpu == 500


def test_each_job_and_each_environment_has_a_manifest_of_its_own() -> None:
    assert len({node(1), node(2), node(1, "staging"), node(1)}) == 3


@pytest.mark.parametrize(
    "spec",
    [
        {"image": ""},
        {"image": "a b"},
        {"image": "-x"},
        {"env": {"1A": "x"}},
        {"env": {"A B": "x"}},
        {"env": {"A": "x\ny"}},
        {"env": {"A": "\0"}},
        {"env": {"A": "x" * 8193}},
        {"env": {"SLIPWAY_GENERATION": "9"}},
        {"env": {"BANANO_RPC_ENDPOINT": "a:1"}},
        {"env": {f"A{index}": "" for index in range(101)}},
        {"resources": {"cpu": "0"}},
        {"resources": {"memory": "much"}},
        {"resources": {"data": 5}},
        {"resources": {"gpu": "1"}},
        {"preferences": {"region": ""}},
        {"keep": "yes"},
        {"follow": True},
        {"surprise": 1},
    ],
)
def test_what_a_node_can_not_be(spec: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NodeSpec.model_validate(spec)


def test_an_api_has_no_ledger_and_may_follow() -> None:
    assert ApiSpec.model_validate({"follow": True}).follow
    with pytest.raises(ValidationError):
        ApiSpec.model_validate({"resources": {"data": "1Gi"}})


NAMES = st.from_regex(r"[A-RT-Z_][A-Z0-9_]{0,20}", fullmatch=True).filter(lambda name: name != "BANANO_RPC_ENDPOINT")
VALUES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40)
SPECS = st.builds(
    lambda env, image, cpu, keep: {"env": env, "image": image, "resources": {"cpu": cpu}, "keep": keep},
    st.dictionaries(NAMES, VALUES, max_size=4),
    st.sampled_from([None, "me/node:1", "ghcr.io/me/node@sha256:" + "a" * 64]),
    st.sampled_from(["1", "500m", "2.5"]),
    st.booleans(),
)


@given(SPECS, st.sampled_from([NodeSpec, ApiSpec]))
def test_every_accepted_specification_makes_an_sdl_that_akash_takes(
    spec: dict[str, Any], shape: type[NodeSpec]
) -> None:
    parsed = shape.model_validate(spec)
    text = (
        node_sdl(parsed, "x/y:1", "production", 1)
        if isinstance(parsed, NodeSpec)
        else api_sdl(parsed, "x/y:1", "production", 1, ENDPOINT)
    )
    env = next(iter(json.loads(text)["services"].values()))["env"]
    assert {f"{name}={value}" for name, value in spec["env"].items()} <= set(env)
    parse_sdl(text)


@given(SPECS)
def test_a_specification_survives_its_storage(spec: dict[str, Any]) -> None:
    for kind, shape in ((Kind.NODE, NodeSpec), (Kind.API, ApiSpec)):
        parsed = shape.model_validate(spec)
        assert restored(kind, json.loads(json.dumps(stored(parsed)))) == parsed


@given(SPECS, SPECS)
def test_a_specification_is_the_same_whatever_its_flags(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = (stored(NodeSpec.model_validate(spec)) for spec in (one, other))
    same = {**one, "keep": 0} == {**other, "keep": 0}
    assert is_same(first, second) is same


@given(SPECS, SPECS)
def test_a_lease_stays_where_only_what_runs_in_it_changes(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = one["resources"] == other["resources"]
    assert lease_can_stay(node(1, **one), node(2, **other)) is same


def test_an_api_keeps_its_lease_when_its_node_moves() -> None:
    assert lease_can_stay(api(1), api(2, Endpoint("other.example", 30001)))
    assert not lease_can_stay(api(1), api(2, resources={"memory": "2Gi"}))
