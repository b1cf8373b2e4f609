"""Workers through HTTP: enrolment, the real setup script on a machine of its own, the fleet, revocation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from local.ports import free_ports
from tests.stack.launches import account, bearer
from tests.support.lone_proxy import lone_proxy
from tests.support.waiting import eventually, unchanged
from tests.support.worker_machine import Machine, container, watched_processes

CONTAINERS = [
    ('it\'s "quoted" $(reboot) \\n', "0.0.0.0:80->80/tcp, :::80->80/tcp"),
    ("spaces  and, commas", "[2001:db8::1]:5353->53/udp, [::1]:8080->80/tcp"),
    ("ünïcødé 船 <b>&amp;</b>", ""),
]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, systemd=False)
    made.runs(*(container(name, ports) for name, ports in CONTAINERS))
    yield made
    made.end()
    eventually(lambda: not made.processes(), what="every process has ended")


@pytest.fixture
def worker_owner(stack: Any) -> dict[str, str]:
    """Return a user of whom no other test's worker is."""
    return account(stack, "user", 3)


def _call(stack: Any, method: str, path: str, owner: dict[str, str], **parts: Any) -> httpx.Response:
    answer: httpx.Response = stack.http.request(method, path, headers=bearer(stack.sign_in(owner)), **parts)
    return answer


def _enrol(stack: Any, owner: dict[str, str]) -> dict[str, str]:
    answer = _call(stack, "POST", "/workers", owner)
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    return found


def _script(stack: Any, wallet: str) -> str:
    answer = stack.http.get("/api/setup", params={"wallet": wallet})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/x-shellscript")
    return str(answer.text)


def _worker(stack: Any, owner: dict[str, str]) -> dict[str, Any]:
    answer = _call(stack, "GET", f"/workers/{owner['address']}", owner)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _fleet(stack: Any, viewer: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every worker, by pages: other tests enrol workers as well."""
    query: dict[str, Any] = {"limit": 50}
    while True:
        answer = _call(stack, "GET", "/workers", viewer, params=query)
        assert answer.status_code == 200, answer.text
        yield from answer.json()["workers"]
        if not answer.json()["next_cursor"]:
            return
        query["cursor"] = answer.json()["next_cursor"]


def _seen_after(stack: Any, owner: dict[str, str], moment: str | None) -> Callable[[], bool]:
    return lambda: (_worker(stack, owner)["last_seen"] or "") > (moment or "")


def test_a_code_is_exchanged_once_and_revoking_ends_the_token(stack: Any, worker_owner: dict[str, str]) -> None:
    wallet = worker_owner["address"]
    enrolled = _enrol(stack, worker_owner)
    assert enrolled["setup_command"].startswith(f"curl -fsSL '{stack.api}/api/setup?wallet={wallet}' | ")
    path = f"/workers/{wallet}/tokens"
    body = {"enrolment_code": enrolled["enrolment_code"]}
    first, second = stack.http.post(path, json=body), stack.http.post(path, json=body)
    assert (first.status_code, second.status_code) == (201, 401)
    assert second.json()["error"]["code"] == "AUTH_FAILED"
    assert stack.http.post(path.replace(wallet, "0x12"), json=body).status_code == 400
    assert _call(stack, "DELETE", path, account(stack, "user", 4)).status_code == 404
    assert _call(stack, "DELETE", path, worker_owner).status_code == 204
    (shown,) = (worker for worker in _fleet(stack, account(stack, "user", 4)) if worker["wallet"] == wallet)
    assert shown["containers"] is None


def test_codes_exchanged_at_once_bring_one_token(stack: Any, worker_owner: dict[str, str]) -> None:
    code = _enrol(stack, worker_owner)["enrolment_code"]
    path = f"/workers/{worker_owner['address']}/tokens"
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: stack.http.post(path, json={"enrolment_code": code}), range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 5


@pytest.mark.parametrize("wallet", ["", "$(reboot)", "0x12", "0x" + "g" * 40])
def test_anything_but_an_address_never_reaches_the_script(stack: Any, wallet: str) -> None:
    answer = stack.http.get("/api/setup", params={"wallet": wallet})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


class _Switch:
    """An address of the API that can be away: a port that forwards, while somebody listens."""

    def __init__(self, api: str) -> None:
        self._api = api
        (self.port,) = free_ports(1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def there(self) -> Iterator[None]:
        api = self._api

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                kept = {name: self.headers[name] for name in ("content-type", "authorization") if self.headers[name]}
                answer = httpx.post(api + self.path, content=content, headers=kept, timeout=30)
                self.send_response(answer.status_code)
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


def test_the_script_makes_a_machine_a_worker(stack: Any, machine: Machine, worker_owner: dict[str, str]) -> None:
    """From the pasted command to beats in the fleet, an outage, a revocation, a second enrolment and the end."""
    wallet = worker_owner["address"]
    switch = _Switch(stack.api)
    # The script as Slipway hands it out, but for its address, behind which the network can go away.
    script = _script(stack, wallet).replace(f"api={stack.api}", f"api={switch.url}")
    assert switch.url in script
    code = _enrol(stack, worker_owner)["enrolment_code"]
    before = _worker(stack, worker_owner)["last_seen"]
    with switch.there():
        with watched_processes(machine) as seen:
            done = machine.run(script, code=code)
            assert done.returncode == 0, done.stderr
            eventually(_seen_after(stack, worker_owner, before), what="a heartbeat has come")
            token = (machine.root / "etc/slipway-worker/token").read_text().split()[-1]
            assert seen("slipway-worker\0run")
            assert not seen(code)
            assert not seen(token)
        for said in (done.stdout, done.stderr, machine.log(), script):
            assert code not in said
            assert token not in said
        assert machine.mode("etc/slipway-worker/token") == 0o600
        assert machine.mode("etc/slipway-worker") == 0o700
        worker = _worker(stack, worker_owner)
        assert worker["status"] == "healthy"
        assert worker["containers"] == [{"containerName": name, "port": ports} for name, ports in CONTAINERS]
        # The session ends with the beat's own time; the worker was seen when it arrived.
        times = (worker["session"]["timeTo"], worker["last_seen"])
        beat_at, seen_at = (datetime.fromisoformat(text) for text in times)
        assert timedelta(0) <= seen_at - beat_at < timedelta(minutes=1)
        uptime = _call(stack, "GET", f"/workers/{wallet}/uptime", account(stack, "user", 4)).json()
        assert uptime["records"][-1]["open"] is True
        assert uptime["records"][-1]["timeFrom"] == worker["session"]["timeFrom"]
        assert 0 <= uptime["percent"] < 100

        again = machine.run(script)
        assert again.returncode == 0, again.stderr
        assert "it is kept" in again.stderr
        eventually(lambda: len(machine.daemons()) == 1, what="one daemon runs")

    # The network is gone: beats wait, and come when it is back.
    eventually(lambda: len(machine.spooled()) >= 3, what="heartbeats wait")
    assert {path.stat().st_mode & 0o777 for path in machine.spooled()} == {0o600}
    away = _worker(stack, worker_owner)["last_seen"]
    waiting = machine.spooled()
    with switch.there():
        eventually(lambda: not any(path.exists() for path in waiting), what="what waited was sent", within=60)
        eventually(_seen_after(stack, worker_owner, away), what="heartbeats come again")

        revoked = _call(stack, "DELETE", f"/workers/{wallet}/tokens", worker_owner)
        assert revoked.status_code == 204
        eventually(lambda: "refused the token (401" in machine.log(), what="the daemon says that its token was revoked")
        last = unchanged(lambda: _worker(stack, worker_owner)["last_seen"], 1.5)
        code = _enrol(stack, worker_owner)["enrolment_code"]
        assert machine.run(script, code=code).returncode == 0
        eventually(_seen_after(stack, worker_owner, last), what="heartbeats come with the new token")

        assert machine.run(script, "--uninstall").returncode == 0
        assert machine.processes() == []
        assert machine.files() == machine.before


def test_a_machine_whose_only_way_out_is_a_proxy(
    stack: Any, machine: Machine, worker_owner: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    script, code = _script(stack, worker_owner["address"]), _enrol(stack, worker_owner)["enrolment_code"]
    before = _worker(stack, worker_owner)["last_seen"]
    with lone_proxy(tmp_path_factory.mktemp("proxy")) as network:
        machine.inside = network.inside
        without = machine.run(script, code=code)
        assert without.returncode == 1
        assert "did not take the code (000)" in without.stderr
        assert network.asked == []
        (machine.root / "etc/environment").write_text(f'http_proxy="{network.url}"\n')
        done = machine.run(script, code=code)
        assert done.returncode == 0, done.stderr
        eventually(_seen_after(stack, worker_owner, before), what="heartbeats come by the proxy")
        assert network.asked[0].endswith("/tokens")
        assert {url.removeprefix(stack.api) for url in network.asked[1:]} == {"/heartbeat"}
        assert "Slipway last took a heartbeat" in machine.command("status").stdout
        assert "started for" in machine.command("logs").stdout
        assert machine.run(script, "--uninstall").returncode == 0
        assert machine.processes() == []
