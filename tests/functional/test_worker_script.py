"""The setup script and its daemon, really run on machines of their own, against a Slipway that obeys the test."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.workers.setup_script import setup_command, setup_script
from slipway.workers.worker_tokens import new_worker_token, token_hash
from tests.support.clock import patient_seconds
from tests.support.waiting import eventually
from tests.support.worker_machine import FakeSlipway, Machine, container, watched_processes

WALLET = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
STRANGE = [
    ("web", "0.0.0.0:80->80/tcp, :::80->80/tcp"),
    ('it\'s "quoted" $(reboot) `x` \\n %s', "[::1]:8080->80/tcp, [2001:db8::1]:5353->53/udp"),
    ("spaces  and, commas;and|pipes&", "127.0.0.1:3000-3010->3000-3010/tcp"),
    ("<b>&amp;ünïcødé 船</b>", ""),
    ("-n", "0.0.0.0:1->1/tcp"),
]


@pytest.fixture
def fake() -> Iterator[FakeSlipway]:
    with FakeSlipway().served() as slipway:
        yield slipway


@pytest.fixture(params=["nohup", "systemd"])
def any_machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    yield from _machine(tmp_path, systemd=request.param == "systemd")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    yield from _machine(tmp_path, systemd=False)


def _machine(home: Path, *, systemd: bool) -> Iterator[Machine]:
    made = Machine(home, systemd=systemd)
    yield made
    made.end()
    eventually(lambda: not made.processes(), what="every process has ended")


def _set_up(machine: Machine, fake: FakeSlipway) -> str:
    script = setup_script(WALLET, fake.url)
    done = machine.run(script, code=fake.code)
    assert done.returncode == 0, done.stderr
    return script


# ── Setup ───────────────────────────────────────────────────────────────────────────────────────


def test_a_fresh_machine_becomes_a_worker_and_stops_being_one(any_machine: Machine, fake: FakeSlipway) -> None:
    machine = any_machine
    machine.runs(*(container(name, ports) for name, ports in STRANGE))
    machine.records_calls()
    code, token = fake.code, fake.token
    script = setup_script(WALLET, fake.url)
    with watched_processes(machine) as seen:
        done = machine.run(script, code=code)
        assert done.returncode == 0, done.stderr
        eventually(lambda: len(fake.beats) >= 2, what="two heartbeats have come")
        assert seen("slipway-worker\0run")
        assert not seen(code)
        assert not seen(token)
    assert "--write-out" in machine.calls()
    for said in (done.stdout, done.stderr, machine.log(), machine.calls(), script):
        assert code not in said
        assert token not in said
    beat = fake.beats[0]
    assert set(beat) == {"walletAddress", "timestamp", "containers", "boot_id"}
    assert beat["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert beat["walletAddress"] == WALLET
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", beat["timestamp"])
    assert beat["containers"] == [{"containerName": name, "port": ports} for name, ports in STRANGE]
    assert machine.mode("etc/slipway-worker") == machine.mode("var/lib/slipway-worker") == 0o700
    assert machine.mode("etc/slipway-worker/token") == machine.mode("etc/slipway-worker/config.json") == 0o600
    assert machine.mode("usr/local/bin/slipway-worker") == 0o755
    assert {path.name for path in (machine.root / "etc/slipway-worker").iterdir()} == {"config.json", "token"}
    assert token_hash((machine.root / "etc/slipway-worker/token").read_text().split()[-1]) is not None
    for file in machine.root.rglob("*"):
        if file.is_file() and file.name != "token" and "spool" not in file.parts:
            assert token not in file.read_text(), file
    assert machine.told("apt-get") == []

    assert len(machine.daemons()) == 1
    again = machine.run(script)
    assert again.returncode == 0, again.stderr
    assert "it is kept" in again.stderr
    eventually(lambda: len(machine.daemons()) == 1, what="one daemon runs")

    gone = machine.run(script, "--uninstall")
    assert gone.returncode == 0, gone.stderr
    assert machine.processes() == []
    assert machine.files() == machine.before
    if machine.systemd:
        assert "disable --now slipway-worker.service" in machine.told("systemctl")
    assert "nothing is installed" in machine.run(script, "--uninstall").stderr


def test_tracing_the_script_shows_no_secret(machine: Machine, fake: FakeSlipway) -> None:
    code, token = fake.code, fake.token
    done = machine.run(setup_script(WALLET, fake.url), code=code, trace=True)
    assert done.returncode == 0, done.stderr
    assert "+ main" in done.stderr
    assert code not in done.stderr
    assert token not in done.stderr


def test_a_download_that_breaks_off_does_nothing(machine: Machine, fake: FakeSlipway) -> None:
    script = setup_script(WALLET, fake.url)
    call = script.rindex('\nmain "$@"')
    for end in [*range(0, call, 997), call, call + len('\nmain "$@')]:
        machine.run(script[:end], code=fake.code)
        assert machine.files() == machine.before, f"cut after {end} characters"
    assert fake.asked == 0
    assert fake.code


@pytest.mark.parametrize("missing", [("jq",), ("docker",), ("curl", "docker", "jq")])
def test_only_what_is_missing_is_installed(machine: Machine, fake: FakeSlipway, missing: tuple[str, ...]) -> None:
    machine.lacks(*missing)
    _set_up(machine, fake)
    update, install = machine.told("apt-get")
    assert update == "noninteractive|0022|update -q"
    packages = {"jq": ["jq"], "curl": ["curl", "ca-certificates"], "docker": ["docker.io"]}
    wanted = {package for tool in missing for package in packages[tool]}
    assert {word for word in install.split() if word in {"jq", "curl", "ca-certificates", "docker.io"}} == wanted
    assert install.startswith("noninteractive|0022|install -y ")
    assert "--force-confold" in install


def test_other_systems_are_left_alone(machine: Machine, fake: FakeSlipway) -> None:
    (machine.root / "etc/os-release").write_text("ID=freebsd\n")
    done = machine.run(setup_script(WALLET, fake.url), code=fake.code)
    assert done.returncode == 1
    assert "needs Debian or Ubuntu" in done.stderr
    assert machine.files() == machine.before


def test_a_plain_user_needs_sudo(machine: Machine, fake: FakeSlipway) -> None:
    machine.becomes_a_plain_user(with_sudo=False)
    done = machine.run(setup_script(WALLET, fake.url), code=fake.code)
    assert done.returncode == 1
    assert "install sudo" in done.stderr
    assert machine.files() == machine.before
    machine.becomes_a_plain_user(with_sudo=True)
    machine.records_calls()
    done = machine.run(setup_script(WALLET, fake.url), code=fake.code)
    assert done.returncode == 0, done.stderr
    assert "bin/sudo\nbash\n-s\n" in machine.calls()
    assert "good-code" not in machine.calls()
    assert machine.told("sudo") == ["bash -s"]
    machine.environment["PATH"] = f"{machine.home}/as_root:{machine.home}/bin"
    eventually(lambda: fake.beats, what="a heartbeat has come")


@pytest.mark.parametrize("path", ["usr/local/bin/slipway-worker", "etc/cron.d/slipway-worker"])
def test_files_of_others_are_left_alone(machine: Machine, fake: FakeSlipway, path: str) -> None:
    (machine.root / path).write_text("mine\n")
    done = machine.run(setup_script(WALLET, fake.url), code=fake.code)
    assert done.returncode == 1
    assert f"{path} is there already and is not Slipway's" in done.stderr
    assert (machine.root / path).read_text() == "mine\n"
    assert fake.code


def test_what_somebody_put_beside_it_stays(machine: Machine, fake: FakeSlipway) -> None:
    script = _set_up(machine, fake)
    (machine.root / "etc/slipway-worker/notes").write_text("mine\n")
    assert machine.run(script, "--uninstall").returncode == 0
    assert machine.files() - machine.before == {"etc/slipway-worker", "etc/slipway-worker/notes"}


def test_a_machine_of_another_wallet_is_left_alone(machine: Machine, fake: FakeSlipway) -> None:
    _set_up(machine, fake)
    other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    done = machine.run(setup_script(other, fake.url), code="other-code")
    assert done.returncode == 1
    assert f"the worker of {WALLET} already" in done.stderr


@pytest.mark.parametrize("arguments", [("--remove",), ("install",)])
def test_unknown_arguments_are_refused(machine: Machine, fake: FakeSlipway, arguments: tuple[str, ...]) -> None:
    done = machine.run(setup_script(WALLET, fake.url), *arguments, code=fake.code)
    assert (done.returncode, "usage" in done.stderr) == (1, True)
    assert machine.files() == machine.before


# ── Codes and tokens ────────────────────────────────────────────────────────────────────────────


def test_a_code_that_is_refused_leaves_nothing(machine: Machine, fake: FakeSlipway) -> None:
    done = machine.run(setup_script(WALLET, fake.url), code="wrong'; touch /tmp/x; '")
    assert done.returncode == 1
    assert "refused the enrolment code" in done.stderr
    assert machine.files() == machine.before
    assert machine.processes() == []


def test_without_a_code_and_a_terminal_it_says_what_is_needed(machine: Machine, fake: FakeSlipway) -> None:
    done = machine.run(setup_script(WALLET, fake.url))
    assert done.returncode == 1
    assert "SLIPWAY_ENROLMENT_CODE" in done.stderr


def test_the_code_is_asked_for_on_the_terminal_and_not_shown(machine: Machine, fake: FakeSlipway) -> None:
    script = machine.home / "setup.sh"
    script.write_text(setup_script(WALLET, fake.url))
    terminal, worker_side = pty.openpty()
    process = subprocess.Popen(
        [f"{machine.home}/bin/setsid", "--ctty", "--wait", "bash", "-c", f"cat '{script}' | bash"],
        stdin=worker_side, stdout=worker_side, stderr=worker_side, env=machine.variables(), cwd=machine.root,
    )  # fmt: skip
    os.close(worker_side)
    shown = b""
    while b"Enrolment code" not in shown:
        shown += os.read(terminal, 1024)
    eventually(lambda: not termios.tcgetattr(terminal)[3] & termios.ECHO, what="what is typed is not shown")
    os.write(terminal, f"{fake.code}\n".encode())
    try:
        while more := os.read(terminal, 1024):
            shown += more
    except OSError:
        pass
    os.close(terminal)
    assert process.wait(20) == 0, shown
    assert b"enrolled" in shown
    assert b"good-code" not in shown
    eventually(lambda: fake.beats, what="a heartbeat has come")


def test_the_same_command_twice_keeps_the_token(machine: Machine, fake: FakeSlipway) -> None:
    code = fake.code
    script = _set_up(machine, fake)
    again = machine.run(script, code=code)
    assert again.returncode == 0, again.stderr
    assert "was refused, but the token that is here works" in again.stderr


def test_a_new_code_brings_a_new_token(machine: Machine, fake: FakeSlipway) -> None:
    script = _set_up(machine, fake)
    fake.token, fake.code = new_worker_token(), "second-code"
    revoked = machine.run(script)
    assert revoked.returncode == 1
    assert "was revoked" in revoked.stderr
    assert machine.run(script, code="second-code").returncode == 0
    before = len(fake.beats)
    eventually(lambda: len(fake.beats) > before, what="heartbeats come with the new token")


def test_a_token_is_kept_when_slipway_can_not_be_asked(machine: Machine) -> None:
    fake = FakeSlipway()
    with fake.served():
        script = _set_up(machine, fake)
    machine.environment["SLIPWAY_AWAIT_SECONDS"] = "1"
    done = machine.run(script)
    assert "it is kept" in done.stderr
    # A machine that was never heard of is not set up.
    assert done.returncode == 1
    assert "took no heartbeat from it yet" in done.stderr
    assert "slipway-worker logs" in done.stderr


def test_status_shows_what_slipway_took(machine: Machine, fake: FakeSlipway) -> None:
    _set_up(machine, fake)
    shown = machine.command("status")
    assert shown.returncode == 0, shown.stderr
    assert "running as process" in shown.stdout
    assert "Slipway last took a heartbeat at 20" in shown.stdout
    # Its next beat may be on its way.
    assert re.search(r"^[01] heartbeats wait$", shown.stdout, re.MULTILINE)


def test_proxies_of_the_machine_reach_the_daemon(machine: Machine, fake: FakeSlipway) -> None:
    (machine.root / "etc/environment").write_text('no_proxy="127.0.0.1"\nHTTP_PROXY=http://proxy.test:1\n')
    _set_up(machine, fake)
    kept = (machine.root / "etc/slipway-worker/proxies").read_text().splitlines()
    assert kept == ["http_proxy=http://proxy.test:1", "no_proxy=127.0.0.1"]


def test_slipway_out_of_reach_is_distinguished_from_a_refused_code(machine: Machine) -> None:
    done = machine.run(setup_script(WALLET, "http://127.0.0.1:9"), code="good-code")
    assert done.returncode == 1
    assert "did not take the code" in done.stderr
    assert "refused the enrolment code" not in done.stderr


# ── The daemon ──────────────────────────────────────────────────────────────────────────────────


def _times(beats: list[dict[str, object]]) -> list[object]:
    return [beat["timestamp"] for beat in beats]


def test_beats_wait_while_slipway_is_away_and_come_in_order(machine: Machine) -> None:
    fake = FakeSlipway()
    with fake.served():
        _set_up(machine, fake)
        eventually(lambda: fake.beats, what="a heartbeat has come")
    taken = len(fake.beats)
    eventually(lambda: len(machine.spooled()) >= 3, what="heartbeats wait")
    waiting = [json.loads(path.read_text())["timestamp"] for path in machine.spooled()]
    assert {path.stat().st_mode & 0o777 for path in machine.spooled()} == {0o600}
    assert machine.mode("var/lib/slipway-worker/spool") == 0o700
    with fake.served():
        eventually(lambda: set(waiting) <= set(_times(fake.beats)), what="what waited has come")
        eventually(lambda: not machine.spooled(), what="nothing waits")
    came = _times(fake.beats)[taken:]
    assert came == sorted(came, key=str)
    assert machine.log().count("can't be reached") == machine.log().count("takes heartbeats again") == 1


def test_the_spool_is_bounded_and_drops_the_oldest(machine: Machine) -> None:
    machine.environment["SLIPWAY_SPOOL_BEATS"] = "2"
    fake = FakeSlipway()
    with fake.served():
        _set_up(machine, fake)
        eventually(lambda: fake.beats, what="a heartbeat has come")
    eventually(lambda: "the oldest are dropped" in machine.log(), what="the spool is full")
    first = machine.spooled()[0]
    eventually(lambda: not first.exists(), what="the oldest was dropped")
    assert len(machine.spooled()) <= 3


@pytest.mark.parametrize("status", [429, 500, 502, 503, 404])
def test_what_passes_is_tried_again(machine: Machine, fake: FakeSlipway, status: int) -> None:
    fake.statuses = [status, status]
    _set_up(machine, fake)
    eventually(lambda: len(fake.beats) >= 2, what="heartbeats come")
    came = _times(fake.beats)
    assert came == sorted(came, key=str)
    assert f"({status} because of {status})" in machine.log()


def test_a_beat_that_is_wrong_is_dropped_and_reported(machine: Machine, fake: FakeSlipway) -> None:
    fake.statuses = [400]
    _set_up(machine, fake)
    eventually(lambda: fake.beats, what="the next heartbeat has come")
    assert "dropped a heartbeat that Slipway can't take (400 because of 400)" in machine.log()
    assert "can't be reached" not in machine.log()


def test_a_beat_that_is_too_large_reports_fewer_containers(machine: Machine, fake: FakeSlipway) -> None:
    machine.runs(*(container(f"c{number}", "") for number in range(9)))
    fake.largest = 3
    _set_up(machine, fake)
    beat = eventually(lambda: fake.beats, what="a heartbeat has come")[0]
    assert [entry["containerName"] for entry in beat["containers"]] == ["c0", "c1"]
    assert "too large" in machine.log()


def test_more_containers_than_slipway_takes_are_cut(machine: Machine, fake: FakeSlipway) -> None:
    machine.runs(*(container(f"c{number}", "") for number in range(501)), container("n" * 300, "x"))
    _set_up(machine, fake)
    beat = eventually(lambda: fake.beats, what="a heartbeat has come")[0]
    assert len(beat["containers"]) == 500
    assert "502 containers run; only the first 500 are told" in machine.log()
    machine.runs(container("船" * 300, "p" * 2000), container("", "nameless"))
    cut = [{"containerName": "船" * 255, "port": "p" * 1024}]
    eventually(lambda: fake.beats[-1]["containers"] == cut, what="what is too long is cut")


def test_a_revoked_token_is_asked_about_slowly_and_loses_no_beat(machine: Machine, fake: FakeSlipway) -> None:
    script = _set_up(machine, fake)
    eventually(lambda: fake.beats, what="a heartbeat has come")
    fake.token, fake.code = new_worker_token(), "second-code"
    eventually(lambda: "refused the token" in machine.log(), what="the daemon said why")
    asked = fake.asked
    eventually(lambda: len(machine.spooled()) >= 3, what="heartbeats wait")
    assert fake.asked == asked
    eventually(lambda: len(machine.daemons()) == 1, what="it is one daemon, whatever it starts for a moment")
    waiting = _times([json.loads(path.read_text()) for path in machine.spooled()])
    assert machine.run(script, code="second-code").returncode == 0
    eventually(lambda: set(waiting) <= set(_times(fake.beats)), what="what waited has come")


def test_without_docker_the_last_list_is_reported(machine: Machine, fake: FakeSlipway) -> None:
    _set_up(machine, fake)
    eventually(lambda: fake.beats, what="a heartbeat has come")
    machine.break_docker()
    eventually(lambda: "docker does not answer" in machine.log(), what="the daemon said so")
    before = len(fake.beats)
    eventually(lambda: len(fake.beats) > before, what="heartbeats go on")
    assert fake.beats[-1]["containers"] == [{"containerName": "web", "port": "0.0.0.0:80->80/tcp"}]
    machine.runs()
    eventually(lambda: fake.beats[-1]["containers"] == [], what="docker is believed again")


def test_without_docker_from_the_start_nothing_is_reported_of_it(machine: Machine, fake: FakeSlipway) -> None:
    machine.break_docker()
    _set_up(machine, fake)
    assert eventually(lambda: fake.beats, what="a heartbeat has come")[0]["containers"] == []


def test_there_is_never_a_second_daemon(machine: Machine, fake: FakeSlipway) -> None:
    _set_up(machine, fake)
    second = machine.command("run")
    assert second.returncode == 1
    assert "another one runs already" in second.stderr
    assert machine.command("start").returncode == 0
    assert len(machine.daemons()) == 1


def test_a_killed_daemon_leaves_its_beats_to_the_next(machine: Machine) -> None:
    fake = FakeSlipway()
    with fake.served():
        _set_up(machine, fake)
    eventually(lambda: len(machine.spooled()) >= 2, what="heartbeats wait")
    (daemon,) = machine.daemons()
    os.killpg(daemon, signal.SIGKILL)
    eventually(lambda: not machine.daemons(), what="it is gone")
    waiting = _times([json.loads(path.read_text()) for path in machine.spooled()])
    with fake.served():
        assert machine.command("start").returncode == 0
        eventually(lambda: set(waiting) <= set(_times(fake.beats)), what="what waited has come")


def test_stop_ends_it_at_once(machine: Machine, fake: FakeSlipway) -> None:
    machine.environment["SLIPWAY_HEARTBEAT_SECONDS"] = "300"
    _set_up(machine, fake)
    eventually(lambda: fake.beats, what="a heartbeat has come")
    started = patient_seconds()
    assert machine.command("stop").returncode == 0
    assert patient_seconds() - started < 3
    assert machine.processes() == []


@pytest.mark.parametrize("value", ["0", "-1", "5m", "1000000000", "$(reboot)"])
def test_an_interval_that_is_none_is_refused(machine: Machine, fake: FakeSlipway, value: str) -> None:
    _set_up(machine, fake)
    machine.command("stop")
    machine.environment["SLIPWAY_HEARTBEAT_SECONDS"] = value
    done = machine.command("run")
    assert (done.returncode, "SLIPWAY_HEARTBEAT_SECONDS" in done.stderr) == (1, True)


def test_only_root_uninstalls(machine: Machine, fake: FakeSlipway) -> None:
    _set_up(machine, fake)
    machine.becomes_a_plain_user(with_sudo=False)
    done = machine.command("uninstall")
    assert (done.returncode, "only root" in done.stderr) == (1, True)
    assert machine.program.exists()


# ── The command ─────────────────────────────────────────────────────────────────────────────────


def test_the_command_is_what_a_shell_reads_as_meant() -> None:
    command = setup_command(WALLET, "https://api.example.com", "-_code")
    words = subprocess.run(["bash", "-c", f'curl() {{ printf "%s\\n" "$@"; }}; {command.split(" | ")[0]}'],
                           capture_output=True, text=True, check=True).stdout.splitlines()  # fmt: skip
    assert words == ["-fsSL", f"https://api.example.com/api/setup?wallet={WALLET}"]
    assert command.endswith("| SLIPWAY_ENROLMENT_CODE='-_code' bash")


def test_figures_are_sent_where_they_are_asked_for(machine: Machine, fake: FakeSlipway) -> None:
    machine.environment["SLIPWAY_FIGURES"] = "1"
    _set_up(machine, fake)
    eventually(lambda: len(fake.beats) > 2, what="beats come")
    for sent in fake.beats:
        # The check of the token has none.
        if figures := sent.get("figures"):
            assert set(figures) == {"cpu_percent", "memory_percent", "disk_percent"}
            assert all(0 <= value <= 100 for value in figures.values())
            assert figures["memory_percent"] > 0
    assert any("figures" in sent for sent in fake.beats)


def test_podmans_docker_is_understood(machine: Machine, fake: FakeSlipway) -> None:
    """It prints one array, names as lists, and ports as objects, or null."""
    ports = [{"host_ip": "", "container_port": 80, "host_port": 8080, "range": 1, "protocol": "tcp"}]
    listed = [
        {"Id": "1", "Names": ["web", "alias"], "Ports": ports, "State": "running"},
        {"Id": "2", "Names": ["db"], "Ports": None, "State": "running"},
        {"Id": "3", "Names": [], "Ports": None},
    ]
    machine.runs(*json.dumps(listed, indent=2).splitlines())
    _set_up(machine, fake)
    assert fake.beats[-1]["containers"] == [
        {"containerName": "web", "port": ":8080->80/tcp"}, {"containerName": "db", "port": ""},
    ]  # fmt: skip
