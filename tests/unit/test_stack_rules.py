"""Names, endpoints, discovery and its schedule."""

from __future__ import annotations

import ipaddress
import json
import string
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.console.models import ForwardedPort, LeaseStatus, ServiceStatus
from slipway.errors import (
    EndpointAmbiguousError,
    EndpointHostMissingError,
    EndpointHostRefusedError,
    EndpointNotForwardedError,
    EndpointPortOutOfRangeError,
    ProbeNonsenseError,
    SlipwayError,
    ValidationFailedError,
)
from slipway.stacks.artifact import artifact_bytes
from slipway.stacks.rules import (
    DISCOVERY,
    PROBE,
    Endpoint,
    Schedule,
    environment_named,
    generations_of,
    host_for,
    host_of_uri,
    is_pinned,
    is_updated,
    node_version,
    parse_endpoint,
    rpc_candidate,
    valid_endpoint,
)
from tests.support.template import ROOT

SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "endpoint.schema.json").read_text()))
HOSTS = st.text(string.ascii_lowercase + string.digits + ".-", min_size=1, max_size=60)
PORTS = st.integers(1024, 65535)


# ── Environments ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["a", "production", "pr-123", "a" + "b" * 31])
def test_names_of_environments(name: str) -> None:
    assert environment_named(name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "-a", "a-", "a_b", "a.b", "a/b", "é", "a\n", "a" * 33, "..", "endpoint json", "ａ"]
)
def test_what_names_no_environment(name: str) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        environment_named(name)
    assert refused.value.details == {"fields": [{"field": "environment", "message": refused.value.message[13:]}]}


@given(st.text(max_size=40))
def test_a_name_is_safe_in_a_path_and_a_key(name: str) -> None:
    try:
        accepted = environment_named(name)
    except ValidationFailedError:
        return
    assert set(accepted) <= set(string.ascii_lowercase + string.digits + "-")
    assert 1 <= len(accepted) <= 32


# ── Endpoints ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host", ["provider.example.com", "a", "10-0-0-1.example", "1.2.3.a", "-", "xn--bcher-kva.example"]
)
def test_hosts_that_may_be_published(host: str) -> None:
    assert valid_endpoint(host, 30000) == Endpoint(host, 30000)


@pytest.mark.parametrize(
    "host",
    [
        "", "1.2.3.4", "127.0.0.1", "8.8.8.8", "...", "12", "Provider.example", "a b", "a_b", "[::1]", "::1", "a/b",
        "a:1", "user@host", "é.example", "localhost", "node.localhost", "a" * 254, "a\n",
    ],
)  # fmt: skip
def test_hosts_that_may_not(host: str) -> None:
    with pytest.raises(EndpointHostRefusedError):
        valid_endpoint(host, 30000)


@pytest.mark.parametrize("port", [1024, 65535, 30000])
def test_ports_that_may_be_published(port: int) -> None:
    assert valid_endpoint("a.example", port).port == port


@pytest.mark.parametrize("port", [0, 1, 80, 443, 1023, 65536, -1, 10**9])
def test_ports_that_may_not(port: int) -> None:
    with pytest.raises(EndpointPortOutOfRangeError):
        valid_endpoint("a.example", port)


@given(HOSTS, st.integers(-10, 70000))
def test_an_endpoint_is_accepted_as_the_specification_says(host: str, port: int) -> None:
    named = any(set(part) & set(string.ascii_lowercase + "-") for part in host.split("."))
    may = named and 1024 <= port <= 65535 and host != "localhost" and not host.endswith(".localhost")
    try:
        accepted = valid_endpoint(host, port)
    except SlipwayError:
        assert not may
        return
    assert may
    assert parse_endpoint(str(accepted)) == accepted
    assert SCHEMA.is_valid(json.loads(artifact_bytes(accepted)))


@given(st.ip_addresses(v=4), PORTS)
def test_an_address_is_no_name(address: ipaddress.IPv4Address, port: int) -> None:
    with pytest.raises(EndpointHostRefusedError):
        valid_endpoint(str(address), port)


@given(st.ip_addresses(v=4), PORTS)
def test_only_loopback_passes_on_a_laptop(address: ipaddress.IPv4Address, port: int) -> None:
    try:
        valid_endpoint(str(address), port, allow_loopback=True)
    except EndpointHostRefusedError:
        assert not address.is_loopback
        return
    assert address.is_loopback


def test_loopback_passes_on_a_laptop() -> None:
    for host in ("127.0.0.1", "localhost"):
        assert str(valid_endpoint(host, 31000, allow_loopback=True)) == f"{host}:31000"


@given(st.text(max_size=80))
def test_nothing_else_parses_as_an_endpoint(text: str) -> None:
    try:
        accepted = parse_endpoint(text)
    except SlipwayError:
        return
    assert str(accepted) == text
    assert SCHEMA.is_valid({"banano_rpc_endpoint": text})


@pytest.mark.parametrize(
    "text",
    ["", "a.example", "a.example:", "a.example:080", "a.example:٣٠٠٠٠", "a.example:+300", ":30000", "a:1:30000"],
)
def test_endpoints_that_are_none(text: str) -> None:
    with pytest.raises((EndpointPortOutOfRangeError, EndpointHostRefusedError)):
        parse_endpoint(text)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"banano_rpc_endpoint": "1.2.3.4:30000"},
        {"banano_rpc_endpoint": "a.example:80"},
        {"banano_rpc_endpoint": "a.example:65536"},
        {"banano_rpc_endpoint": "a.example:30000", "more": 1},
        {"banano_rpc_endpoint": 1},
    ],
)
def test_the_schema_refuses_what_is_not_published(document: dict[str, Any]) -> None:
    assert not SCHEMA.is_valid(document)


# ── Discovery ───────────────────────────────────────────────────────────────────────────────────


def _port(port: int, external: int, host: str = "p.example", proto: str = "TCP", name: str = "node") -> ForwardedPort:
    return ForwardedPort(port=port, external_port=external, host=host, proto=proto, name=name)


def test_the_containers_port_decides_whatever_else_is_forwarded() -> None:
    ports = {"node": [_port(7071, 7072), _port(7072, 31572), _port(7074, 30001), _port(7072, 30002, proto="UDP")]}
    assert rpc_candidate(ports).external_port == 31572


@pytest.mark.parametrize(
    "ports",
    [{}, {"node": []}, {"node": [_port(7071, 30000), _port(7074, 30001)]}, {"node": [_port(7072, 30000, proto="UDP")]}],
)
def test_no_port_yet(ports: dict[str, list[ForwardedPort]]) -> None:
    with pytest.raises(EndpointNotForwardedError):
        rpc_candidate(ports)


def test_two_ports_are_one_too_many_and_the_same_twice_is_one() -> None:
    with pytest.raises(EndpointAmbiguousError, match="31001, 31002"):
        rpc_candidate({"node": [_port(7072, 31002), _port(7072, 31001)]})
    with pytest.raises(EndpointAmbiguousError):
        rpc_candidate({"node": [_port(7072, 31001)], "other": [_port(7072, 31001, host="q.example")]})
    assert rpc_candidate({"node": [_port(7072, 31001), _port(7072, 31001)]}).external_port == 31001


FORWARDED = st.builds(
    _port,
    st.sampled_from([7071, 7072, 7073, 7074, 80]),
    st.integers(1, 65535),
    st.sampled_from(["p.example", ""]),
    st.sampled_from(["TCP", "tcp", "UDP"]),
)


@given(st.dictionaries(st.sampled_from(["node", "other"]), st.lists(FORWARDED, max_size=4)))
def test_never_another_port_than_the_rpcs(ports: dict[str, list[ForwardedPort]]) -> None:
    right = {
        (port.host, port.external_port)
        for told in ports.values()
        for port in told
        if port.port == 7072 and port.proto != "UDP"
    }
    try:
        found = rpc_candidate(ports)
    except SlipwayError:
        assert len(right) != 1
        return
    assert right == {(found.host, found.external_port)}
    assert found.port == 7072


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("https://provider.example:8443", "provider.example"),
        ("https://Provider.Example:8443/", "provider.example"),
        ("provider.example:8443", ""),
        ("https://[::1", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_providers_address(uri: str, host: str) -> None:
    assert host_of_uri(uri) == host


def test_the_ports_own_host_goes_before_the_providers() -> None:
    assert host_for(_port(7072, 1, host="p.example"), "https://q.example:8443") == "p.example"
    assert host_for(_port(7072, 1, host=""), "https://q.example:8443") == "q.example"
    with pytest.raises(EndpointHostMissingError):
        host_for(_port(7072, 1, host=""), "")


def test_the_tries_begin_as_the_specification_says() -> None:
    assert DISCOVERY.tries == 5
    begun = [0, 5, 15, 35, 75]
    assert [DISCOVERY.pause(count, elapsed) for count, elapsed in enumerate(begun, 1)] == [5, 10, 20, 40, None]


@given(st.sampled_from([DISCOVERY, PROBE]), st.lists(st.floats(0, 15), min_size=6, max_size=6))
def test_tries_are_bounded_whatever_they_take(schedule: Schedule, taken: list[float]) -> None:
    clock, tries = 0.0, 0
    while True:
        began = clock
        tries += 1
        clock += taken[tries - 1]
        pause = schedule.pause(tries, clock)
        assert began <= max(sum(schedule.gaps), 15 * (tries - 1)) + 1
        if pause is None:
            break
        assert 0 <= pause <= schedule.gaps[tries - 1]
        clock += pause
    assert tries == schedule.tries


# ── The probe ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ({"rpc_version": "1", "node_vendor": "Banano V26.1"}, "Banano V26.1"),
        ({"rpc_version": 1, "node_vendor": "Nano\nV27"}, "Nano V27"),
    ],
)
def test_what_a_node_answers(answer: Any, version: str) -> None:
    assert node_version(answer) == version


@pytest.mark.parametrize(
    "answer",
    [None, [], "Banano", 1, {}, {"error": "Unknown command"}, {"node_vendor": "x"}, {"rpc_version": "1"},
     {"rpc_version": "x", "node_vendor": "y"}, {"rpc_version": "1", "node_vendor": ["y"]},
     {"rpc_version": None, "node_vendor": "y"}],
)  # fmt: skip
def test_what_no_node_answers(answer: Any) -> None:
    with pytest.raises(ProbeNonsenseError):
        node_version(answer)


# ── Updates ─────────────────────────────────────────────────────────────────────────────────────


def _told(**counts: int) -> list[LeaseStatus]:
    return [LeaseStatus(services={"node": ServiceStatus(name="node", **counts)})]


RUNS = {"total": 1, "available": 1, "replicas": 1, "updated_replicas": 1, "observed_generation": 2}


@pytest.mark.parametrize(
    ("counts", "updated"),
    [
        (RUNS, True),
        ({**RUNS, "observed_generation": 1}, False),
        ({**RUNS, "observed_generation": 0}, True),
        ({**RUNS, "available": 0}, False),
        ({**RUNS, "replicas": 2}, False),
        ({**RUNS, "updated_replicas": 0}, False),
        ({"total": 1, "available": 1}, True),
        ({"total": 0, "available": 0, "observed_generation": 2}, False),
    ],
)
def test_an_update_is_over_when_only_what_is_new_runs(counts: dict[str, int], updated: bool) -> None:
    assert is_updated(_told(**counts), ["node"], {"node": 1}) is updated


def test_an_update_waits_for_every_service_and_for_the_provider() -> None:
    assert not is_updated([], ["node"], {})
    assert not is_updated(_told(**RUNS), ["node", "other"], {"node": 1})
    assert is_updated(_told(**RUNS), ["node"], {})
    assert generations_of(_told(**RUNS)) == {"node": 2}


# ── Images ──────────────────────────────────────────────────────────────────────────────────────

DIGEST = "@sha256:" + "0a" * 32


@pytest.mark.parametrize(
    "image", ["a:1", "b/a:V26.1", f"a{DIGEST}", f"a:latest{DIGEST}", "r.example:5000/b/a:x", "a:latest-1", "a:Latest"]
)
def test_an_image_by_version_or_digest_is_pinned(image: str) -> None:
    assert is_pinned(image)


@pytest.mark.parametrize(
    "image",
    [
        "",
        "a",
        "b/a",
        "a:latest",
        "b/a:latest",
        "r.example:5000/b/a",
        "a:",
        "a:-1",
        "a:1\n",
        "a@sha256:0a",
        "a:" + "x" * 129,
    ],
)
def test_any_other_image_moves(image: str) -> None:
    assert not is_pinned(image)
