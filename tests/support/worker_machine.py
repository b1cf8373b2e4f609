"""A machine for the setup script: a system of its own under a temporary directory, with stand-ins on the PATH.

The script, bash, jq, curl and the daemon are real. ``docker``, ``apt-get``, ``systemctl`` and ``sudo`` are stand-ins,
because a test may neither install packages nor change the machine that it runs on.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_MAX_SECONDS = 60
# Everything that script and daemon may call, so that a tool they need and don't install can't hide.
_TOOLS = (
    "bash", "cat", "chmod", "cp", "curl", "cut", "date", "df", "env", "flock", "grep", "id", "install", "jq", "ln",
    "mkdir", "mv", "nohup", "readlink", "rm", "rmdir", "sed", "setsid", "sleep", "stat", "timeout", "tr",
)  # fmt: skip

_DOCKER = """#!/usr/bin/env bash
[[ $* == "ps --format {{json .}}" ]] || { echo "unexpected: $*" >&2; exit 64; }
exec cat "$MACHINE/containers"
"""
_APT_GET = """#!/usr/bin/env bash
printf '%s|%s|%s\\n' "$DEBIAN_FRONTEND" "$(umask)" "$*" >>"$MACHINE/apt-get"
[[ $1 == install ]] || exit 0
for package; do
  case $package in
    jq | curl) cp "$MACHINE/packages/$package" "$MACHINE/bin/$package" ;;
    docker.io) cp "$MACHINE/packages/docker" "$MACHINE/bin/docker" ;;
  esac
done
"""
_SYSTEMCTL = """#!/usr/bin/env bash
printf '%s\\n' "$*" >>"$MACHINE/systemctl"
program=$SLIPWAY_ROOT/usr/local/bin/slipway-worker
case $1 in
  restart)
    "$program" stop
    start=$(sed -n 's/^ExecStart=//p' "$SLIPWAY_ROOT/etc/systemd/system/$2")
    setsid "$SLIPWAY_ROOT${start%% *}" ${start#* } >>"$MACHINE/journal" 2>&1 </dev/null &
    until [[ -s $SLIPWAY_ROOT/var/lib/slipway-worker/pid ]]; do sleep 0.05; done
    ;;
  disable) "$program" stop ;;
esac
"""
_SUDO = """#!/usr/bin/env bash
printf '%s\\n' "$*" >>"$MACHINE/sudo"
# As sudo does: the caller's environment stays behind.
exec env -i PATH="$MACHINE/as_root:$PATH" MACHINE="$MACHINE" "$@"
"""
# Every argument and every variable that a tool is started with.
_RECORDER = """#!{sh}
{{ printf '%s\\n' "$0" "$@"; {cat} "/proc/$$/environ"; }} >>"{calls}"
exec "{real}" "$@"
"""


def container(name: str, ports: str) -> str:
    """Return a line of `docker ps --format '{{json .}}'`."""
    return json.dumps(
        {"Command": "\"sh -c 'x'\"", "ID": "0123456789ab", "Names": name, "Ports": ports, "State": "running"}
    )


@dataclass
class Machine:
    """A machine that may become a worker."""

    home: Path
    systemd: bool
    environment: dict[str, str] = field(default_factory=dict)
    # What goes before each command, to be run in another network.
    inside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Lay the system out."""
        for folder in ("etc/cron.d", "etc/systemd/system", "usr/local/bin", "var/lib", "tmp"):
            (self.root / folder).mkdir(parents=True)
        if self.systemd:
            (self.root / "run/systemd/system").mkdir(parents=True)
        (self.root / "etc/os-release").write_text('PRETTY_NAME="Test"\nID=ubuntu\nID_LIKE=debian\n')
        self._stand_in("bin/docker", _DOCKER)
        self._stand_in("bin/apt-get", _APT_GET)
        self._stand_in("bin/systemctl", _SYSTEMCTL)
        for tool in _TOOLS:
            found = shutil.which(tool)
            assert found, f"{tool} is needed for this test"
            (self.home / "bin" / tool).symlink_to(found)
        self.runs(container("web", "0.0.0.0:80->80/tcp"))
        self.before = self.files()

    @property
    def root(self) -> Path:
        """Where its system begins."""
        return self.home / "root"

    @property
    def program(self) -> Path:
        """The installed daemon."""
        return self.root / "usr/local/bin/slipway-worker"

    @property
    def state(self) -> Path:
        """What the daemon writes."""
        return self.root / "var/lib/slipway-worker"

    def _stand_in(self, path: str, text: str) -> None:
        file = self.home / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    # ── What it has ─────────────────────────────────────────────────────────────────────────────

    def runs(self, *lines: str) -> None:
        """Let `docker ps` tell these lines; without any, an empty list."""
        (self.home / "containers").write_text("".join(f"{line}\n" for line in lines))

    def break_docker(self) -> None:
        """Let `docker ps` fail."""
        (self.home / "containers").unlink()

    def lacks(self, *tools: str) -> None:
        """Take tools away; the stand-in of apt-get can install them."""
        (self.home / "packages").mkdir(exist_ok=True)
        for tool in tools:
            shutil.copy(self.home / "bin" / tool, self.home / "packages" / tool)
            (self.home / "bin" / tool).unlink()

    def becomes_a_plain_user(self, *, with_sudo: bool) -> None:
        """From here on `id` names no root; `sudo` makes one of its command."""
        (self.home / "bin/id").unlink()
        self._stand_in("bin/id", "#!/usr/bin/env bash\necho 1000\n")
        self._stand_in("as_root/id", "#!/usr/bin/env bash\necho 0\n")
        if with_sudo:
            self._stand_in("bin/sudo", _SUDO)

    def records_calls(self) -> None:
        """From here on each start of a tool leaves its arguments and its environment in ``calls``."""
        (self.home / "real").mkdir()
        sh, cat = shutil.which("sh"), shutil.which("cat")
        for tool in list((self.home / "bin").iterdir()):
            # The shells: what they run is what the others record.
            if tool.name != "bash":
                real = tool.rename(self.home / "real" / tool.name)
                self._stand_in(
                    f"bin/{tool.name}", _RECORDER.format(sh=sh, cat=cat, calls=self.home / "calls", real=real)
                )

    def calls(self) -> str:
        """Return what ``records_calls`` has found."""
        return (self.home / "calls").read_text(errors="replace")

    # ── What is done to it ──────────────────────────────────────────────────────────────────────

    def run(
        self, script: str, *arguments: str, code: str | None = None, trace: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Pipe a script into bash, as `curl … | bash` does, without a terminal."""
        given = {"SLIPWAY_ENROLMENT_CODE": code} if code is not None else {}
        options = ["-x"] if trace else []
        return subprocess.run(
            [*self.inside, str(self.home / "bin/bash"), *options, "-s", "--", *arguments],
            input=script, env={**self.variables(), **given}, capture_output=True, text=True,
            timeout=_MAX_SECONDS, cwd=self.root, start_new_session=True, check=False,
        )  # fmt: skip

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the installed program."""
        return subprocess.run(
            [*self.inside, str(self.program), *arguments], env=self.variables(), capture_output=True, text=True,
            timeout=_MAX_SECONDS, cwd=self.root, start_new_session=True, check=False,
        )  # fmt: skip

    def variables(self) -> dict[str, str]:
        """Return the environment of its user."""
        return {
            "PATH": str(self.home / "bin"),
            "HOME": str(self.home),
            "MACHINE": str(self.home),
            "SLIPWAY_ROOT": str(self.root),
            "SLIPWAY_HEARTBEAT_SECONDS": "1",
            "SLIPWAY_RETRY_SECONDS": "1",
            **self.environment,
        }

    # ── What is seen of it ──────────────────────────────────────────────────────────────────────

    def files(self) -> set[str]:
        """Every file and folder of its system."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")}

    def mode(self, path: str) -> int:
        """Permission bits of a file of its system."""
        return stat.S_IMODE((self.root / path).stat().st_mode)

    def log(self) -> str:
        """Return what the daemon said."""
        file = self.home / "journal" if self.systemd else self.state / "log"
        return file.read_text() if file.exists() else ""

    def spooled(self) -> list[Path]:
        """Beats that wait, oldest first."""
        return sorted(self.state.glob("spool/*.json"))

    def told(self, stand_in: str) -> list[str]:
        """Return what a stand-in was called with."""
        file = self.home / stand_in
        return file.read_text().splitlines() if file.exists() else []

    def processes(self) -> list[int]:
        """Everything that runs out of its system or with its stand-ins."""
        return [process for process, command, _ in _all_processes() if str(self.home).encode() in command]

    def daemons(self) -> list[int]:
        """Heartbeat daemons, without the subshells that they fork for a moment."""
        running = [
            process
            for process, command, _ in _all_processes()
            if command.endswith(b"\0run\0") and str(self.program).encode() in command
        ]
        return [process for process in running if _parent(process) not in (None, *running)]

    def end(self) -> None:
        """Kill whatever a failed test left."""
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _all_processes() -> Iterator[tuple[int, bytes, bytes]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                command, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            except OSError:
                continue
            yield int(folder.name), command, environment


def _parent(process: int) -> int | None:
    """Return a process's parent; None when the process is gone, as a subshell soon is."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


@contextmanager
def watched_processes(machine: Machine) -> Iterator[Callable[[str], bool]]:
    """Look at every process's arguments and environment as often as possible; yields: has this text been seen?

    The first bash is not counted: the code is in its environment, because the user put it there.
    """
    seen: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.001):
            for _, command, environment in _all_processes():
                seen.add(command)
                if not command.endswith(b"bash\0-s\0--\0") and str(machine.home).encode() in environment:
                    seen.add(environment)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield lambda text: any(text.encode() in entry for entry in seen)
    finally:
        over.set()
        watcher.join()


@dataclass
class FakeSlipway:
    """Answers the worker's two requests as told, and keeps what it was sent.

    Attributes:
        statuses: What the next heartbeats are answered, then 200.
        code: The enrolment code that is taken, once.
        beats: Heartbeats that were taken, in order.
        largest: Most containers of a heartbeat before it is 413.
    """

    code: str = "good-code"
    token: str = "slw_" + "A" * 43
    statuses: list[int] = field(default_factory=list)
    beats: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    largest: int = 10_000
    port: int = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def heartbeat(self, given: str | None, body: dict[str, Any]) -> int:
        """Judge a heartbeat."""
        self.asked += 1
        if given != f"Bearer {self.token}":
            return 401
        if self.statuses:
            return self.statuses.pop(0)
        if len(body["containers"]) > self.largest:
            return 413
        self.beats.append(body)
        return 200

    def exchange(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Judge an enrolment code."""
        if not self.code or body != {"enrolment_code": self.code}:
            return 401, {"error": {"code": "AUTH_FAILED", "message": "no"}}
        self.code = ""
        return 201, {"token": self.token}

    @contextmanager
    def served(self) -> Iterator[FakeSlipway]:
        """Answer on loopback, on the port that it had before if it had one."""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if self.path == "/heartbeat":
                    status = fake.heartbeat(self.headers["authorization"], body)
                    answer = {} if status == 200 else {"error": {"code": "X", "message": f"because of {status}"}}
                else:
                    status, answer = fake.exchange(body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        ThreadingHTTPServer.allow_reuse_address = True
        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
