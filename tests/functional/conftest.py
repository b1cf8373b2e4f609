"""An installation over moto and a chain's node in this process."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from moto import mock_aws

from local.console_api.market import Market
from local.console_api.server import running
from slipway.request_budget import limited
from tests.support import dynamodb_local, grants, quick_moto
from tests.support.chains import CHAIN
from tests.support.clock import SkippingClock, patient_clock
from tests.support.console_simulator import Simulator
from tests.support.installation import Installation, install
from tests.support.loopback_node import served
from tests.support.nodes import FakeNode

quick_moto.install()
ENGINE = dynamodb_local.given()
if ENGINE:
    ENGINE.stand_in()


@pytest.fixture(scope="session")
def _served_node() -> Iterator[tuple[FakeNode, str]]:
    node = FakeNode()
    with served(node) as url:
        yield node, url


@pytest.fixture
def slipway(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _served_node: tuple[FakeNode, str]
) -> Iterator[Installation]:
    """Yield the functions over empty tables, with contracts that the node knows nothing of yet.

    An indirect parameter is what the chain's description has besides.
    """
    node, url = _served_node
    node.answers = FakeNode().answers
    node.asked.clear()
    # What other processes take of the machine is no time that a request waits.
    with mock_aws(), limited(math.inf, patient_clock()):
        if ENGINE:
            ENGINE.empty()
        yield install(monkeypatch, node, url, CHAIN | getattr(request, "param", {}))


@pytest.fixture(scope="session")
def _console_url() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.fixture
def console(slipway: Installation, _console_url: str, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """Return the Console API that the functions call, with nothing in it."""
    simulator = Simulator(_console_url)
    simulator.http.post("/_simulator/reset").raise_for_status()
    slipway.use_console(monkeypatch, _console_url)
    return simulator


@pytest.fixture(scope="session")
def _network() -> Iterator[tuple[SkippingClock, str]]:
    clock = SkippingClock()
    with running(Market(clock)) as url:
        yield clock, url


@pytest.fixture
def simulator(_network: tuple[SkippingClock, str], slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """Return the Console API that the functions call, in a time that workloads and stacks share and that tests skip."""
    clock, url = _network
    clock.restart()
    slipway.use_console(monkeypatch, url)
    slipway.share_time(monkeypatch, clock)
    found = Simulator(url)
    found.http.post("/_simulator/reset").raise_for_status()
    found.control(bids={"delay": 1, "spread": 1}, start={"silent_for": 1, "ready_after": 2})
    return found


def pytest_sessionfinish() -> None:
    grants.write()
