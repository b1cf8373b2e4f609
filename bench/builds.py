"""Builds of an ERC-20 on two chains through the deployed template, one after the other in a warm stack.

``python -m bench.builds [--builds N] [--stack .local/stack.json] [--json FILE]`` needs a running stack (`make start`).
Tells how long a POST takes by the clock of who sends it, the local engine's share included, how long from there to the
contract's confirmations on both chains, how long a preview takes, and the most memory that a process of the function
which compiles and audits held, its own processes included (proportional set size; Linux and root only). The first build
warms the functions and does not count. Exit status 0 if every promise holds.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.compile_audit import Memory, bytes_of
from bench.figures import Figure, report
from local.accounts import LocalAccount
from local.processes import descendants
from local.sign_in import sign_in
from slipway.control.rules import percentile

_PROMPT = "Create an ERC-20 token called HyperKit with 1 billion supply"
_ENDED = {"complete", "failed", "cancelled"}
_BUILD_SECONDS = 120.0
_POLL_INTERVAL_SECONDS = 0.1
_PREVIEWS = 20
_FUNCTION = b"ContractTasks"
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Run:
    """Seconds: of the POST, and from it to the end."""

    post: float
    end_to_end: float
    detail: dict[str, Any]


def main() -> int:
    """Exit status 0 when every promise holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--builds", type=int, default=8)
    parser.add_argument("--stack", type=Path, default=Path(".local/stack.json"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    described = json.loads(given.stack.read_text(encoding="utf-8"))
    supervisor = json.loads((given.stack.parent / "supervisor.json").read_text(encoding="utf-8"))["pid"]
    users = [LocalAccount(**entry) for entry in described["accounts"] if entry["role"] == "user"]
    chains = [entry["chain_id"] for entry in described["chains"]]
    clients = [_client(described["api"], user) for user in users]
    build(clients[0], chains)
    with watched(supervisor) as memory:
        runs = [build(clients[number % len(clients)], chains) for number in range(given.builds)]
    previews = [preview(clients[0], chains) for _ in range(_PREVIEWS)]
    posts, ends = [run.post for run in runs], [run.end_to_end for run in runs]
    figures = [
        Figure("builds.post.warm", percentile(posts, 50) or 0, 0.2, "s, p50, with the local engine's share"),
        Figure("builds.post.p95", percentile(posts, 95) or 0, None, "s"),
        Figure("builds.end_to_end.two_chains", percentile(ends, 50) or 0, 15, "s, p50, at blocks of 1 s"),
        Figure("builds.end_to_end.p95", percentile(ends, 95) or 0, 87, "s"),
        Figure("builds.preview.warm", percentile(previews, 50) or 0, 0.4, "s, p50, with the gas of each chain"),
        *(
            Figure(f"builds.stage.{name}", percentile([run.detail[f"{name}_time"] for run in runs], 50) or 0, None, "s")
            for name in ("generation", "audit", "deploy")
        ),
        Figure("builds.memory.contract_function", memory.most / _MEBIBYTE, 512, "MiB"),
    ]
    return 0 if report(figures, given.json) else 1


def _client(api: str, user: LocalAccount) -> httpx.Client:
    headers = {"authorization": f"Bearer {sign_in(api, user)}"}
    return httpx.Client(base_url=f"{api}/api/v1/builds", headers=headers, timeout=60)


def preview(http: httpx.Client, chains: list[int]) -> float:
    """Return the seconds that a preview takes."""
    began = time.monotonic()
    http.post("/preview", json={"prompt": _PROMPT, "chains": chains}).raise_for_status()
    return time.monotonic() - began


def build(http: httpx.Client, chains: list[int]) -> Run:
    """One build to its end; fails unless it is complete."""
    began = time.monotonic()
    answer = http.post("", json={"prompt": _PROMPT, "chains": chains})
    accepted = time.monotonic()
    answer.raise_for_status()
    build_id = answer.json()["build_id"]
    while True:
        detail: dict[str, Any] = http.get(f"/{build_id}").raise_for_status().json()
        ended = time.monotonic()
        if detail["status"] in _ENDED:
            break
        if ended - began > _BUILD_SECONDS:
            raise TimeoutError(f"the build has not ended: {detail['status']}")
        time.sleep(_POLL_INTERVAL_SECONDS)
    if detail["status"] != "complete":
        raise RuntimeError(f"the build ended otherwise: {detail['error']}")
    return Run(accepted - began, ended - began, detail)


@contextmanager
def watched(supervisor: int) -> Iterator[Memory]:
    """Watch the memory of each of the function's processes, with its own children, until the block ends."""
    memory, ended = Memory(), threading.Event()

    def watch() -> None:
        while not ended.wait(_POLL_INTERVAL_SECONDS):
            for process in _instances(supervisor):
                held = sum(bytes_of(str(member)) for member in (process, *descendants(process)))
                memory.most = max(memory.most, held)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()


def _instances(supervisor: int) -> list[int]:
    """Return the function's processes that are not children of another of them: they inherit its environment."""
    of_function = [process for process in descendants(supervisor) if _is_the_function(process)]
    inherited = {child for process in of_function for child in descendants(process)}
    return [process for process in of_function if process not in inherited]


def _is_the_function(process: int) -> bool:
    try:
        variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:
        # It has ended.
        return False
    return any(entry.startswith(b"AWS_LAMBDA_FUNCTION_NAME=") and _FUNCTION in entry for entry in variables)


if __name__ == "__main__":
    sys.exit(main())
