"""Providers, live status and logs of Akash workloads on the deployed stack, over HTTP."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.stack.launches import Token, account, bearer, plain_seconds
from tests.support.console_simulator import Simulator
from tests.support.event_stream import EventSource
from tests.support.waiting import eventually
from tests.support.workloads import sdl_with

ACTIVE_SECONDS = 90
QUIET = {"logs": {"lines_every": 0, "idle_after": 100_000}}


@pytest.fixture(scope="module")
def simulator(stack: Any) -> Simulator:
    return Simulator(stack.described["console_api"])


@pytest.fixture(scope="module")
def workload(stack: Any, user: Token, simulator: Simulator) -> Iterator[dict[str, Any]]:
    """Yield an active workload that writes only what it is told to."""
    yield from _workload(stack, user, QUIET)


def _workload(stack: Any, token: Token, scenario: dict[str, Any]) -> Iterator[dict[str, Any]]:
    found = _active(stack, token, scenario)
    yield found
    stack.http.delete(f"/api/deployments/{found['deployment_id']}", headers=bearer(token))


def _active(stack: Any, token: Token, scenario: dict[str, Any]) -> dict[str, Any]:
    body = {"sdl": sdl_with({"id": uuid.uuid4().hex, **scenario})}
    answer = stack.http.post("/api/deployments", json=body, headers=bearer(token))
    assert answer.status_code == 202, answer.text
    deployment_id = answer.json()["deployment_id"]
    return _until(stack, token, deployment_id, "active")


def _until(stack: Any, token: Token, deployment_id: str, status: str) -> dict[str, Any]:
    found: dict[str, Any] = eventually(
        lambda: stack.http.get(f"/api/deployments/{deployment_id}", headers=bearer(token)).json(),
        lambda found: found["status"] == status,
        within=ACTIVE_SECONDS,
        every=0.5,
    )
    return found


class Browser:
    """Follows the logs of a workload as a browser does, from a thread of its own if wanted."""

    def __init__(self, stack: Any, token: Token, deployment_id: str, query: str = "") -> None:
        self.source = EventSource()
        self.status = 0
        self.seen: list[tuple[float, str]] = []
        self._url = f"{stack.api}/api/deployments/{deployment_id}/logs{query}"
        self._headers = {**bearer(token), "accept": "text/event-stream"}
        self._http = httpx.Client(timeout=35)
        self._over = threading.Event()

    def ask(self) -> int:
        """One answer."""

        def get(headers: dict[str, str]) -> tuple[int, str]:
            answer = self._http.get(self._url, headers={**self._headers, **headers})
            return answer.status_code, answer.text

        before = len(self.source.lines)
        self.status = self.source.ask(get)
        self.seen += [(time.monotonic(), line) for line in self.source.lines[before:]]
        return self.status

    def follow(self, count: int, seconds: float = 40) -> None:
        """Ask until there are so many lines."""

        def ask() -> None:
            assert self.ask() == 200

        eventually(
            lambda: self.source.lines,
            lambda lines: len(lines) >= count,
            within=seconds,
            every=lambda _: self.source.retry_seconds,
            what=lambda: (self.status, self.source.events),
            meanwhile=ask,
        )

    def run(self) -> None:
        """Ask until the stream is over."""
        while self.ask() == 200 and not self._over.wait(self.source.retry_seconds):
            pass

    def stop(self) -> None:
        self._over.set()


def test_anyone_finds_providers(stack: Any) -> None:
    page = stack.http.get("/api/providers", params={"gpuType": "NVIDIA/a100", "region": "us"}).json()
    assert [gpu["model"] for entry in page["providers"] for gpu in entry["specs"]["gpus"]].count("a100") == 2
    assert page["cached_age_seconds"] < 120
    assert page["providers"][0]["pricing"]["estimate"] is True
    assert stack.http.get("/api/providers", params={"region": "atlantis"}).json()["providers"] == []
    refused = stack.http.get("/api/providers", params={"maxPrice": "cheap"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_a_detail_is_live_and_never_waits(
    stack: Any, user: Token, workload: dict[str, Any], simulator: Simulator
) -> None:
    live = _live(stack, user, workload)
    assert live["services"][0]["available"] == 1
    assert live["cost"]["balance"]["unit"] == "uact"
    assert live["cost"]["runway_seconds"] > 0


def test_a_stuck_upstream_is_waited_for_in_the_background(stack: Any, user: Token, simulator: Simulator) -> None:
    slow = next(_workload(stack, user, {**QUIET, "latency": {"detail": 3.0}}))
    path = f"/api/deployments/{slow['deployment_id']}/status"
    told: list[dict[str, Any]] = []

    def ask() -> list[dict[str, Any]]:
        plain, began = plain_seconds(stack, user), time.monotonic()
        told.append(stack.http.get(path, headers=bearer(user)).json()["live"])
        # Whoever waits for Akash waits three seconds more than for anything else.
        assert time.monotonic() - began < plain + 2.5
        return told

    # The copy grows old, an answer tells so and asks for another, and a later answer has that.
    eventually(
        ask, lambda told: len(told) >= 3 and told[-1]["stale"] is False and any(live["stale"] for live in told), every=1
    )
    assert max(live["age_seconds"] for live in told) >= 15


def _live(stack: Any, token: Token, workload: dict[str, Any]) -> dict[str, Any]:
    """Return what is live once Akash has reported services; each answer comes within two seconds, cold starts aside.

    On a machine that is too slow for that, it takes no longer than three plain answers.
    """
    path, taken = f"/api/deployments/{workload['deployment_id']}", []

    def ask() -> dict[str, Any]:
        began = time.monotonic()
        live: dict[str, Any] = stack.http.get(path, headers=bearer(token)).json()["live"]
        taken.append(time.monotonic() - began)
        return live

    live = eventually(ask, lambda live: live["services"], every=1)
    assert sorted(taken)[len(taken) // 2] < max(2, 3 * plain_seconds(stack, token))
    return live


def test_two_browsers_see_every_line_once(
    stack: Any, user: Token, workload: dict[str, Any], simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    browsers = [Browser(stack, user, workload["deployment_id"]) for _ in range(2)]
    for browser in browsers:
        browser.follow(2)
    threads = [threading.Thread(target=browser.run) for browser in browsers]
    for thread in threads:
        thread.start()
    written: dict[str, float] = {}
    expected = [line for number in range(8) for line in ("GET / 200", "GET / 200", f"line {number}")]
    try:
        for number in range(8):
            written[f"line {number}"] = time.monotonic()
            simulator.write(workload["dseq"], "web", "GET / 200", "GET / 200", f"line {number}")
            time.sleep(0.8)  # noqa: TID251 (a service that writes now and then)
        eventually(
            lambda: [browser.source.lines[2:] for browser in browsers],
            lambda seen: all(len(lines) >= len(expected) for lines in seen),
        )
    finally:
        for browser in browsers:
            browser.stop()
        simulator.write(workload["dseq"], "web", "over")
        for thread in threads:
            thread.join(40)
    for browser in browsers:
        assert [line for line in browser.source.lines[2:] if line != "over"] == expected
        assert browser.source.names == []
    delays = sorted(at - written[line] for browser in browsers for at, line in browser.seen if line in written)
    with capsys.disabled():
        print(
            f"\nlog lines arrive after {delays[len(delays) // 2]:.2f} s (median), {delays[-1]:.2f} s at most", end=" "
        )
    assert delays[len(delays) // 2] < max(1.5, 3 * plain_seconds(stack, user))


def test_sockets_that_die_and_tokens_that_end_cost_no_line(stack: Any, user: Token, simulator: Simulator) -> None:
    scenario = {"logs": {"lines_every": 0, "idle_after": 100_000, "token_seconds": 3, "cut_after": 10}}
    found = next(_workload(stack, user, scenario))
    browser = Browser(stack, user, found["deployment_id"])
    browser.follow(2)
    simulator.write(found["dseq"], "web", *["tick"] * 40, every=0.2)
    browser.follow(42)
    assert browser.source.lines[2:] == ["tick"] * 40
    assert browser.source.names == []


def test_silence_is_a_sign_of_life_and_a_close_is_the_end(stack: Any, user: Token, simulator: Simulator) -> None:
    found = _active(stack, user, QUIET)
    browser = Browser(stack, user, found["deployment_id"])
    browser.follow(2)
    began = time.monotonic()
    assert browser.ask() == 200
    assert 18 < time.monotonic() - began < 28 + plain_seconds(stack, user)
    assert len(browser.source.lines) == 2
    thread = threading.Thread(target=browser.run)
    thread.start()
    stack.http.delete(f"/api/deployments/{found['deployment_id']}", headers=bearer(user))
    closed = _until(stack, user, found["deployment_id"], "closed")
    thread.join(40)
    assert browser.source.names[-1] == "end"
    assert browser.status == 204
    refused = stack.http.get(f"/api/deployments/{found['deployment_id']}/logs", headers=bearer(user))
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
    assert json.dumps(closed["live"]["cost"]["spent"])
    assert closed["live"]["cost"]["estimate"] is False


def test_logs_are_their_owners(stack: Any, workload: dict[str, Any]) -> None:
    path = f"/api/deployments/{workload['deployment_id']}/logs"
    other = stack.sign_in(account(stack, "user", 1))
    assert stack.http.get(path).status_code == 401
    assert stack.http.get(path, headers=bearer(other)).status_code == 404
