"""Models of upstream's answers: whole, with holes, and with more than anybody told."""

import base64
import copy
import hashlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slipway.akash.console.models import BidEntry, Deployment, ErrorBody, Provider, parse, parse_each
from slipway.akash.rules import created_within, manifest_hash
from tests.support.console_answers import BID, DEPLOYMENT, DSEQ, PROVIDER

# What an answer must tell to be one; a deployment without its leases would seem to have lost them.
NEEDED = {("deployment",), ("bid",), ("id",), ("dseq",), ("owner",), ("provider",), ("port",), ("externalPort",)} | {
    ("leases",)
}


def test_a_whole_answer_is_read_exactly() -> None:
    found = parse(Deployment, DEPLOYMENT)
    (lease,) = found.open_leases
    assert (found.dseq, found.is_closed) == (DSEQ, False)
    assert found.escrow_account.state.transferred[0].amount == Decimal("12.500000000000000001")
    assert lease.price.amount == Decimal("1.25")
    assert lease.status is not None
    (port,) = lease.status.forwarded_ports["web"]
    assert (port.host, port.port, port.external_port, port.proto) == ("provider.test", 7072, 31234, "TCP")
    assert lease.status.services["web"].available_replicas == 1
    assert lease.status.ips["web"][0].ip == "203.0.113.9"


def test_a_provider_is_read_with_what_nobody_knows_left_open() -> None:
    provider = parse(Provider, PROVIDER)
    assert (provider.uptime_1d, provider.uptime_7d, provider.uptime_30d) == (1.0, 0.995, None)
    assert (provider.gpu_models[0].model, provider.hardware_gpu_models) == ("a100", [])
    assert provider.stats.storage.total.available == 4


@pytest.mark.parametrize("name", ["services", "forwarded_ports", "ips"])
@pytest.mark.parametrize("gone", [None, "absent"])
def test_a_status_may_lack_any_part(name: str, gone: str | None) -> None:
    answer = copy.deepcopy(DEPLOYMENT)
    status = answer["leases"][0]["status"]
    if gone == "absent":
        del status[name]
    else:
        status[name] = None
    lease = parse(Deployment, answer).leases[0]
    assert lease.status is not None
    assert getattr(lease.status, name) == {}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "web", "uris"), None),
        (("services", "web"), None),
        (("forwarded_ports", "web"), None),
        (("forwarded_ports", "web"), [None]),
        (("forwarded_ports", "web", 0, "host"), None),
        (("forwarded_ports", "web", 0, "name"), None),
        (("services", "web", "errors"), ["CrashLoopBackOff"]),
    ],
)
def test_holes_inside_a_status(path: tuple[Any, ...], value: Any) -> None:
    answer = copy.deepcopy(DEPLOYMENT)
    parent = answer["leases"][0]["status"]
    for part in path[:-1]:
        parent = parent[part]
    parent[path[-1]] = value
    assert parse(Deployment, answer).leases[0].status is not None


def test_a_provider_that_can_not_be_reached_reports_nothing() -> None:
    answer = copy.deepcopy(DEPLOYMENT)
    answer["leases"][0]["status"] = None
    assert parse(Deployment, answer).leases[0].status is None


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every member of the objects inside a JSON value."""
    found = []
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        if isinstance(value, dict):
            found.append((*path, key))
        found += _places(member, (*path, key))
    return found


@given(st.data(), st.sampled_from([(Deployment, DEPLOYMENT), (BidEntry, BID), (Provider, PROVIDER)]))
def test_nulls_absent_and_unknown_keys_never_break_an_answer(data: st.DataObject, sample: Any) -> None:
    shape, whole = sample
    answer = copy.deepcopy(whole)
    for path in data.draw(st.lists(st.sampled_from(_places(whole)), max_size=6)):
        parent = answer
        try:
            for part in path[:-1]:
                parent = parent[part]
        except (KeyError, TypeError):
            continue
        if not isinstance(parent, dict):
            continue
        if path[-1:] in NEEDED or data.draw(st.integers(0, 2)) == 0:
            parent["unheard-of " + str(path[-1])] = {"deep": [None, 1]}
        elif data.draw(st.booleans()):
            parent[path[-1]] = None
        else:
            parent.pop(path[-1], None)
    parse(shape, answer)


def test_what_has_no_number_is_no_deployment() -> None:
    answer = copy.deepcopy(DEPLOYMENT)
    answer["deployment"]["id"]["dseq"] = None
    with pytest.raises(ValidationError):
        parse(Deployment, answer)


def test_one_entry_without_sense_hides_no_other() -> None:
    broken = {"bid": {"id": {"dseq": "x"}}}
    assert [entry.bid.id.dseq for entry in parse_each(BidEntry, [broken, BID, None, 7])] == [DSEQ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "BadRequestError", "message": "no", "code": "bad_request"}, "no"),
        ({"error": "no"}, "no"),
        ({"message": None, "error": "no", "data": [{"path": ["data"]}]}, "no"),
        ({}, ""),
    ],
)
def test_an_error_says_what_it_can(body: dict[str, Any], message: str) -> None:
    assert parse(ErrorBody, body).message == message


@given(st.text())
def test_the_hash_is_that_of_the_text(manifest: str) -> None:
    assert base64.b64decode(manifest_hash(manifest)) == hashlib.sha256(manifest.encode(errors="strict")).digest()


@given(st.integers(0, 10**13), st.integers(0, 60_000), st.integers(0, 10_000), st.floats(0, 1))
def test_a_number_inside_the_window_may_be_ours(asked_at: int, waited: int, skew: int, share: float) -> None:
    gave_up_at = asked_at + waited
    dseq = asked_at + round(share * waited)
    assert created_within(str(dseq), asked_at, gave_up_at, skew)
    assert not created_within(str(asked_at - skew - 1), asked_at, gave_up_at, skew)
    assert not created_within(str(gave_up_at + skew + 1), asked_at, gave_up_at, skew)
