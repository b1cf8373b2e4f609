"""`make run`, `make start`, `make stop` and `make token`: the whole of Slipway on this machine."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any

import yaml

from local import build, console, prerequisites, stack
from local.accounts import LocalAccount, local_accounts
from local.contracts import mine_by_itself
from local.deploy import deploy
from local.engine.adapter import adapt
from local.engine.layers import current_layers
from local.engine.server import client_environment
from local.failures import LaunchError
from local.main_job import launch_token
from local.parameters import chains, parameters
from local.paths import BUILD, ROOT, StateDirectory
from local.ports import Ports, require_free, settled
from local.processes import end_with_parent, follow_parent, tail
from local.progress import say, step
from local.sign_in import sign_in
from local.stack import Stack

_LISTENED_ON = ("api", "dashboard", "aws", "chain", "second_chain", "verifier")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["prepare", "run", "start", "stop", "token"])
    parser.add_argument("--role", default="user", choices=["user", "admin", "operator"], help="whose token")
    parser.add_argument("--without-token", action="store_true", help="start, but launch no token")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one ends")
    options = parser.parse_args()
    if options.with_parent:
        follow_parent()
    signal.signal(signal.SIGTERM, _interrupt)
    directory = StateDirectory.from_environment()
    try:
        return _dispatch(options, directory)
    except LaunchError as error:
        say(f"\n{error}")
        return 1
    except Exception:
        traceback.print_exc()
        say(f"\nThat is a mistake in local/; the logs in {directory.logs} may say more.")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 0


def _dispatch(options: argparse.Namespace, directory: StateDirectory) -> int:
    match options.command:
        case "prepare":
            prerequisites.check()
            with build.one_at_a_time():
                build.prepare()
        case "run":
            return run(directory, launch=not options.without_token)
        case "start":
            start(directory, launch=not options.without_token)
        case "stop":
            say("Stopped." if stack.stop(directory) else "Nothing is running.")
        case "token":
            print(token(directory, options.role))
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run(directory: StateDirectory, *, launch: bool) -> int:
    """Bring a stack up and serve until Ctrl-C."""
    with _held(directory):
        if stack.running(directory):
            raise LaunchError("Slipway is running already: end it with `make stop` first.")
        held = Stack(directory, settled(Ports.from_environment()))
        try:
            bring_up(held, launch=launch)
            say(f"\n{_serving(held)} until Ctrl-C.")
        except BaseException:
            held.end()
            raise
    try:
        if held.serve() != 0:
            held.require_running()
        say("\nStopped.")
    finally:
        _ignore_interrupts()
        held.end()
    return 0


def start(directory: StateDirectory, *, launch: bool) -> None:
    """Bring a stack up and leave it running; nothing to do if one is."""
    with _held(directory):
        if stack.running(directory):
            say(f"Slipway is running already; {directory.stack_file} says where.")
            return
        held = Stack(directory, settled(Ports.from_environment()))
        try:
            bring_up(held, launch=launch)
            held.detach()
        except BaseException:
            _ignore_interrupts()
            held.end()
            raise
    say(f"\n{_serving(held)} until `make stop`.")


def _serving(held: Stack) -> str:
    return f"The dashboard is at {held.dashboard}, the API at {held.api} ({held.directory.stack_file} says more),"


def _ignore_interrupts() -> None:
    # A second Ctrl-C would only leave the rest behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def _held(directory: StateDirectory) -> Iterator[None]:
    directory.prepare()
    with directory.lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaunchError("Another start is going on in this directory: wait until it is done.") from None
        yield


def bring_up(held: Stack, *, launch: bool) -> None:
    """Everything from the checks to the first token."""
    started = time.monotonic()
    prerequisites.check()
    console.api_key()  # Before anything starts: it refuses an address without a key.
    require_free(held.ports, (*_LISTENED_ON, *(["console"] if console.is_simulated() else [])))
    stack.stop(held.directory)  # What a killed start left: files only.
    with build.one_at_a_time():
        build.prepare()
        template = yaml.load((BUILD / "template.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
        accounts = local_accounts()
        values = parameters(template, held.ports, accounts)
        log = held.directory.logs / "functions.log"
        log.write_bytes(b"")
        adapted = adapt(
            template, values, build=BUILD, layers=current_layers(), target=held.directory.engine / "functions", log=log
        )
    with step("Starting the chains, the engine, the front door, the dashboard and the Console API"):
        held.start(accounts)
        held.wait_until_ready()
        console.store_key(held.ports.aws)
    kept = _kept_contracts(held.directory)
    with nullcontext() if kept else _contracts_installer(held) as installer:
        with step("Deploying the template with SAM"):
            outputs = deploy(adapted, values, held.directory, held.ports.aws)
        if installer:
            with step("Installing the contracts"):
                outputs |= _install_contracts(installer, held, outputs, accounts)
        else:
            outputs |= kept
            for chain in chains(held.ports):
                mine_by_itself(chain["rpc_urls"][0])
    if "ApiUrl" in outputs:
        outputs["ApiUrl"] = held.api  # The template's own is API Gateway's name for it, which means nothing here.
    held.require_running()
    if launch and not kept:
        with step("Launching a token by the API"):
            status = _first_token(held, accounts)
        print(json.dumps(status, indent=2), flush=True)
    held.describe(outputs, accounts)
    say(f"Ready after {time.monotonic() - started:.1f} s. {_how_long(held.directory)}")


def _kept_contracts(directory: StateDirectory) -> dict[str, str]:
    """Return where the run before put the contracts; nothing unless it was kept."""
    file = directory.kept and directory.kept / "contracts.json"
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file and file.exists() else {}
    return found


def _how_long(directory: StateDirectory) -> str:
    if directory.kept:
        return f"Everything is kept in {directory.kept}: `KEEP=1` goes on from there, and removing it starts afresh."
    return "It is a fresh installation, and ends with this run; `KEEP=1` keeps it."


def _first_token(held: Stack, accounts: tuple[LocalAccount, ...]) -> dict[str, Any]:
    try:
        return launch_token(held.api, _account(accounts, "admin"), _account(accounts, "user"))
    except LaunchError as error:
        held.require_running()
        logs = f"{held.directory.logs / 'functions.log'} and {held.directory.logs / 'engine.log'}"
        raise LaunchError(f"{error}\nWhat the functions and the engine printed is in {logs}.") from error


@contextmanager
def _contracts_installer(held: Stack) -> Iterator[subprocess.Popen[str]]:
    variables = {**os.environ, **client_environment(held.ports.aws), "PYTHONPATH": str(ROOT / "layers" / "slipway")}
    with (held.directory.logs / "contracts.log").open("wb") as log:
        installer = subprocess.Popen(
            [sys.executable, "-m", "local.contracts"], cwd=ROOT, env=variables,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            preexec_fn=end_with_parent(),  # from the main thread
        )  # fmt: skip
    with installer:
        try:
            yield installer
        finally:
            if installer.poll() is None:
                installer.terminate()


def _install_contracts(
    installer: subprocess.Popen[str], held: Stack, outputs: dict[str, str], accounts: tuple[LocalAccount, ...]
) -> dict[str, str]:
    task = {
        "chains": {str(chain["chain_id"]): chain["rpc_urls"][0] for chain in chains(held.ports)},
        "administrator_key": _account(accounts, "admin").private_key,
        "operators": [account.address for account in accounts if account.role == "operator"],
        "holders": [account.address for account in accounts if account.role == "user"],
        "outputs": outputs,
    }
    answer, _ = installer.communicate(json.dumps(task) + "\n", timeout=120)
    if installer.returncode != 0:
        log = held.directory.logs / "contracts.log"
        raise LaunchError(f"Installing the contracts failed; the log is {log}. It ends:\n{tail(log)}")
    addresses: dict[str, str] = json.loads(answer.splitlines()[-1])
    if held.directory.kept:
        (held.directory.kept / "contracts.json").write_text(json.dumps(addresses), encoding="utf-8")
    return addresses


def _account(accounts: tuple[LocalAccount, ...], role: str) -> LocalAccount:
    return next(account for account in accounts if account.role == role)


def token(directory: StateDirectory, role: str) -> str:
    """Return a fresh access token of the first local account with a role."""
    described = stack.read(directory.stack_file)
    entry = next(account for account in described["accounts"] if account["role"] == role)
    return sign_in(described["api"], LocalAccount(**entry))


if __name__ == "__main__":
    sys.exit(main())
