"""anvil, the development chain, from npm's `@foundry-rs/anvil`.

Listens on loopback only. The process is a plain child of whoever starts it, who also ends it.
"""

from __future__ import annotations

import json
import platform
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"

_PACKAGES = {
    ("linux", "x86_64"): "anvil-linux-amd64",
    ("linux", "amd64"): "anvil-linux-amd64",
    ("linux", "aarch64"): "anvil-linux-arm64",
    ("linux", "arm64"): "anvil-linux-arm64",
    ("darwin", "x86_64"): "anvil-darwin-amd64",
    ("darwin", "arm64"): "anvil-darwin-arm64",
    ("win32", "amd64"): "anvil-win32-amd64",
}


class AnvilError(RuntimeError):
    """anvil is not installed, or did not start."""


def anvil_binary(root: Path = ROOT) -> Path:
    """Find anvil's executable for this platform.

    Args:
        root: The repository, whose `node_modules` is searched.

    Returns:
        The executable itself, not the Node script around it: it can be ended by its own process id.

    Raises:
        AnvilError: `npm ci` has not been run, or npm has no anvil for this platform.
    """
    scope = root / "node_modules" / "@foundry-rs"
    name = "anvil.exe" if sys.platform == "win32" else "anvil"
    package = _PACKAGES.get((sys.platform, platform.machine().lower()))
    if package is None:
        raise AnvilError(f"npm has no anvil for {sys.platform} on {platform.machine()}")
    # The second place is where the package's install script puts the executable if npm left the first out.
    for candidate in (scope / package / "bin" / name, scope / "anvil" / "dist" / name):
        if candidate.is_file():
            return candidate
    raise AnvilError(f"node_modules/@foundry-rs/{package} is missing: run `npm ci` first")


def free_port() -> int:
    """Return a TCP port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def start_anvil(
    port: int,
    chain_id: int,
    block_time: float | None = None,
    state: Path | None = None,
    *,
    log: Path | None = None,
    arguments: Sequence[str] = (),
    ready_within_seconds: float = 20.0,
) -> subprocess.Popen[bytes]:
    """Start a chain and waits until it answers at `http://127.0.0.1:<port>`.

    Its ten accounts are anvil's well-known ones, each with 10,000 ether.

    Args:
        port: Where it listens, on loopback.
        chain_id: The chain's id.
        block_time: Seconds between blocks; without it each transaction is mined at once.
        state: A file the chain is loaded from, if it exists, and saved to when it ends by SIGTERM.
        log: A file that what anvil prints is appended to; without it that is dropped.
        arguments: Further arguments of anvil.
        ready_within_seconds: How long it may take to answer.

    Returns:
        The running process. End it with `stop_anvil`.

    Raises:
        AnvilError: It is not installed, the port is taken, it ended by itself, or it did not answer in time
            with this chain's id.
    """
    # anvil takes a moment to notice that it cannot listen; meanwhile the other program would answer for it.
    if _is_taken(port):
        raise AnvilError(f"port {port} is taken")
    command = [str(anvil_binary()), "--host", HOST, "--port", str(port), "--chain-id", str(chain_id)]
    if block_time is not None:
        command += ["--block-time", f"{block_time:g}"]
    if state is not None:
        command += ["--state", str(state)]
    command += arguments
    if log is None:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    else:
        with log.open("ab") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        _wait_until_ready(process, port, chain_id, time.monotonic() + ready_within_seconds)
    except BaseException:
        stop_anvil(process)
        raise
    return process


def stop_anvil(process: subprocess.Popen[bytes], within_seconds: float = 10.0) -> None:
    """End a chain, gently at first, and waits until it has ended.

    Args:
        process: What `start_anvil` returned; it may have ended already.
        within_seconds: How long it may take to save its state before it is killed.
    """
    process.terminate()
    try:
        process.wait(within_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((HOST, port)) == 0


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, chain_id: int, deadline: float) -> None:
    while True:
        answered = _chain_id(port)
        if process.poll() is not None:
            raise AnvilError(f"anvil ended with status {process.returncode}; is port {port} taken?")
        if answered == chain_id:
            return
        if time.monotonic() > deadline:
            raise AnvilError(f"anvil does not answer at port {port} with chain id {chain_id} (but {answered})")
        time.sleep(0.05)


def _chain_id(port: int) -> int | None:
    request = urllib.request.Request(
        f"http://{HOST}:{port}",
        data=b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
        headers={"Content-Type": "application/json"},
    )
    # Without proxies: the environment's are not for loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=2) as answer:
            return int(json.load(answer)["result"], 16)
    except (OSError, ValueError, LookupError, TypeError):
        return None
