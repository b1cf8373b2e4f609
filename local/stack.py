"""The running stack: starting and ending its processes, and the file that describes it to tools."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local import console
from local.accounts import LocalAccount
from local.anvil import anvil_command
from local.chains import SECOND_CHAIN, TOKEN_CHAIN
from local.engine import server
from local.engine.http_api import api_id
from local.failures import LaunchError
from local.parameters import chains, verifier_address
from local.paths import ROOT, StateDirectory
from local.ports import Ports, variable
from local.processes import descendants, start_time, tail, wait_until_gone
from local.supervisor import Specification

_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0


class Stack:
    """One stack's processes under their supervisor."""

    def __init__(self, directory: StateDirectory, ports: Ports) -> None:
        self.directory = directory
        self.ports = ports
        self._supervisor: subprocess.Popen[bytes] | None = None

    @property
    def api(self) -> str:
        """The API's address."""
        return f"http://localhost:{self.ports.api}"

    @property
    def dashboard(self) -> str:
        """The dashboard's address."""
        return f"http://localhost:{self.ports.dashboard}"

    def start(self, accounts: tuple[LocalAccount, ...]) -> None:
        """Start the processes; `wait_until_ready` waits until they answer.

        Args:
            accounts: Whom the dashboard's development wallet can be.
        """
        self._tell_dashboard(accounts)
        plan = {
            "processes": [asdict(specification) for specification in self._specifications()],
            "state": str(self.directory.supervisor_file),
            "remove": [str(self.directory.stack_file)],
        }
        plan_file = self.directory.engine / "processes.json"
        plan_file.write_text(json.dumps(plan, indent=2), encoding="utf-8")
        with (self.directory.logs / "supervisor.log").open("wb") as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "local.supervisor", str(plan_file)],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log,
                # A session of its own: Ctrl-C is for the launcher, which then ends the rest in order.
                start_new_session=True,
            )  # fmt: skip

    def _specifications(self) -> list[Specification]:
        logs = self.directory.logs
        scratch = self.directory.engine / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        wait_scale = os.environ.get("SFN_WAIT_SCALE", "1")
        return [
            self._anvil("chain", self.ports.chain, TOKEN_CHAIN, plain),
            self._anvil("second_chain", self.ports.second_chain, SECOND_CHAIN, plain),
            Specification(
                "engine",
                server.command(),
                server.environment(self.ports.aws, scratch, wait_scale, self.directory.kept),
                str(logs / "engine.log"),
            ),
            Specification(
                "front_door",
                [sys.executable, "-m", "local.front_door",
                 "--port", str(self.ports.api), "--engine", server.endpoint(self.ports.aws),
                 "--http-api", api_id("HttpApi"), "--websocket-api", api_id("WebSocketApi")],
                {**plain, **_variables("SLIPWAY_ENGINE_CONCURRENCY")},
                str(logs / "front_door.log"),
            ),
            Specification(
                "dashboard",
                [sys.executable, "-m", "local.dashboard", "--port", str(self.ports.dashboard),
                 "--configuration", str(self.directory.dashboard_file)],
                plain,
                str(logs / "dashboard.log"),
            ),
            Specification(
                "verifier",
                [sys.executable, "-m", "local.verifier", "--port", str(self.ports.verifier)],
                {
                    **plain,
                    # The compiler is the library's.
                    "PYTHONPATH": str(ROOT / "layers" / "slipway"),
                    **{variable(name): str(port) for name, port in asdict(self.ports).items()},
                },
                str(logs / "verifier.log"),
            ),
            *([self._console_api(plain, wait_scale)] if console.is_simulated() else []),
        ]  # fmt: skip

    def _tell_dashboard(self, accounts: tuple[LocalAccount, ...]) -> None:
        token_chain = next(chain for chain in chains(self.ports) if chain["chain_id"] == TOKEN_CHAIN)
        content = {
            "api": self.api,
            "chain": {
                "id": TOKEN_CHAIN, "name": "Local chain", "rpcUrl": token_chain["rpc_urls"][0], "explorerUrl": None,
            },
            "buildChains": [{"id": chain["chain_id"], "name": chain["name"]} for chain in chains(self.ports)],
            "accounts": [asdict(account) for account in accounts],
            "walletConnectProjectId": os.environ.get("SLIPWAY_WALLETCONNECT_PROJECT_ID", ""),
            "coinbaseWallet": os.environ.get("SLIPWAY_COINBASE_WALLET", "yes") != "no",
        }  # fmt: skip
        self.directory.dashboard_file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def _console_api(self, environment: dict[str, str], wait_scale: str) -> Specification:
        # Its network's five minutes pass at the pace of the state machines' waits.
        command = [
            sys.executable, "-m", "local.console_api", "--port", str(self.ports.console), "--time-scale", wait_scale,
        ]  # fmt: skip
        if self.directory.kept:
            command += ["--state", str(self.directory.kept / "console_api.pickle")]
        variables = {**environment, **_variables("AKASH_CONSOLE_API_KEY")}
        return Specification("console_api", command, variables, str(self.directory.logs / "console_api.log"))

    def _anvil(self, name: str, port: int, chain_id: int, environment: dict[str, str]) -> Specification:
        # It mines each transaction at once until the contracts are there; `contracts` then sets its block time.
        kept = self.directory.kept
        state = ["--state", str(kept / f"{name}.json"), "--state-interval", "10"] if kept else []
        command = anvil_command(port, chain_id, *state)
        return Specification(name, command, environment, str(self.directory.logs / f"{name}.log"))

    def wait_until_ready(self) -> None:
        """Wait until everything answers.

        Raises:
            LaunchError: A process ended, or did not answer in time; names the log.
        """
        deadline = time.monotonic() + _READY_SECONDS
        questions = {
            "chain": f"http://{server.LOOPBACK}:{self.ports.chain}",
            "second_chain": f"http://{server.LOOPBACK}:{self.ports.second_chain}",
            "engine": f"{server.endpoint(self.ports.aws)}/_ministack/health",
            "front_door": self.api,
            "dashboard": self.dashboard,
            "verifier": f"{verifier_address(self.ports)}/health",
        }
        if console.is_simulated():
            questions["console_api"] = f"{console.address(self.ports)}/status"
        for name, url in questions.items():
            while not _answers(url):
                self.require_running()
                if time.monotonic() > deadline:
                    log = self.directory.logs / f"{name}.log"
                    raise LaunchError(f"The {name} does not answer at {url}; its log is {log}. It ends:\n{tail(log)}")
                time.sleep(0.05)

    def require_running(self) -> None:
        """Raise if the supervisor has ended, with the reason that it gave."""
        if self._supervisor is None or self._supervisor.poll() is None:
            return
        if self._supervisor.returncode == 0:
            raise LaunchError("The stack was stopped while it started.")
        if self._supervisor.returncode != 1:
            raise LaunchError("The stack's supervisor was killed, and everything under it ended with it.")
        reason = tail(self.directory.logs / "supervisor.log", 1).strip()
        name = reason.split(" ")[0]
        log = self.directory.logs / f"{name}.log"
        raise LaunchError(f"{reason}; its log is {log}. It ends:\n{tail(log)}")

    def detach(self) -> None:
        """Leave the stack running when this process ends."""
        if self._supervisor and self._supervisor.stdin:
            self._supervisor.stdin.write(b"detach")
            self._supervisor.stdin.flush()

    def serve(self) -> int:
        """Wait until the stack ends; 0 if it was stopped, 1 if a process ended by itself."""
        return self._supervisor.wait() if self._supervisor else 0

    def end(self) -> None:
        """End the processes and wait for that; nothing to do if they have ended."""
        if self._supervisor is None:
            return
        if self._supervisor.stdin:
            with suppress(OSError):
                self._supervisor.stdin.close()
        try:
            self._supervisor.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _kill_tree(self._supervisor.pid)
            self._supervisor.wait()
        if not running(self.directory):  # It removes these files itself, unless it was killed.
            _remove_files(self.directory)

    def describe(self, outputs: dict[str, str], accounts: tuple[LocalAccount, ...]) -> None:
        """Write the file that describes the stack to tools; it is there only while the stack is ready."""
        content = {
            "api": self.api,
            "websocket": f"ws://localhost:{self.ports.api}",
            "dashboard": self.dashboard,
            "aws_endpoint": server.endpoint(self.ports.aws),
            "region": server.REGION,
            "chains": [
                {"chain_id": chain["chain_id"], "rpc_url": chain["rpc_urls"][0]} for chain in chains(self.ports)
            ],
            "console_api": console.address(self.ports),
            "verifier": verifier_address(self.ports),
            "accounts": [asdict(account) for account in accounts],
            "outputs": outputs,
        }
        unfinished = self.directory.stack_file.with_suffix(".new")
        unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(self.directory.stack_file)


def _variables(*names: str) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def running(directory: StateDirectory) -> tuple[int, int] | None:
    """Process id and start time of the supervisor that holds this directory's stack, if there is one."""
    try:
        state = json.loads(directory.supervisor_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    pid, started = int(state["pid"]), int(state["started"])
    return (pid, started) if start_time(pid) == started else None


def stop(directory: StateDirectory) -> bool:
    """End the stack of this directory, whoever started it; False if there was none."""
    found = running(directory)
    if found:
        pid, started = found
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        if not wait_until_gone(pid, started, _STOP_SECONDS):
            _kill_tree(pid)
            wait_until_gone(pid, started, _STOP_SECONDS)
    _remove_files(directory)
    return found is not None


def _remove_files(directory: StateDirectory) -> None:
    for leftover in (directory.supervisor_file, directory.stack_file):
        leftover.unlink(missing_ok=True)


def _kill_tree(pid: int) -> None:
    for member in [*reversed(descendants(pid)), pid]:
        with suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


def read(file: Path) -> dict[str, Any]:
    """Return a stack's description.

    Raises:
        LaunchError: No stack is ready.
    """
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LaunchError("No stack is running: start one with `make start` or `make run`.") from None
    return content
