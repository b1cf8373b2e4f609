"""How long compiling and auditing a contract takes in a warm process, and how much memory both take together.

``python -m bench.compile_audit [--rounds N] [--json FILE]`` needs nothing running. Promises are the plain ERC-20's, and
the processor's time for the usual token, with permit, composed anew each time; the others, among them the largest, tell
what more of the library costs. Times are the best of the rounds: by the clock, and of the processor, which is what
a machine that does nothing else would take. Memory is the most that this process and Slither's held at once
(proportional set size, which counts shared pages once; Linux only). Exit status 0 if every promise holds.
"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, report
from slipway.builds.audit.auditor import Auditor
from slipway.builds.audit.compilation import new_compiler
from slipway.builds.audit.slither import Slither
from slipway.builds.composer.engine import Composer
from slipway.builds.models import GenerationRequest
from slipway.solidity.toolchain import find_toolchain

_CONTRACTS = Path(__file__).resolve().parent.parent / "tests" / "unit" / "solidity" / "clean"
_PROMISED = {"Token": 1.5}
_COMPOSED = {
    "permit": ("ERC-20 token called Harbour%d with 1 million supply and EIP-2612 permit", 2.5),
    "upgradeable": (
        "Upgradeable ERC-20 token called Tidal%d, 1 million supply, mintable, burnable, pausable, permit, votes",
        None,
    ),
    "dao": ("A DAO called Harbour%d with governor, timelock and a governance token", None),
}
_ALL = ("Token", "RolesToken", "TokenEscrow", "Vesting", "FullToken", "Collectible")
_MEBIBYTE = 1024 * 1024
_PAUSE = 0.02


@dataclass(frozen=True)
class Run:
    """Seconds: of compiling, of auditing, and of processor for both."""

    compiling: float
    auditing: float
    processor: float

    @property
    def seconds(self) -> float:
        """Both, by the clock."""
        return self.compiling + self.auditing


@dataclass
class Memory:
    """The most that was seen, in bytes."""

    most: int = 0


def main() -> int:
    """Exit status 0 when every promise holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    toolchain = find_toolchain()
    slither = Slither()
    with Auditor(toolchain, compiler=new_compiler(toolchain), slither=slither) as auditor:
        cold = measure(auditor, slither, "Token")
        with watched(slither) as memory:
            runs = {name: [measure(auditor, slither, name) for _ in range(given.rounds)] for name in _ALL}
        # Watching takes processor time of its own.
        composed = {}
        for name, (prompt, _) in _COMPOSED.items():
            runs_of_it = [measure(auditor, slither, prompt % number, composed=True) for number in range(given.rounds)]
            composed[name] = min(run.processor for run in runs_of_it)
    figures = [Figure("compile_audit.cold.Token", cold.seconds, None, "s")]
    for name, measured in runs.items():
        best = min(measured, key=lambda run: run.seconds)
        figures += [
            Figure(f"compile_audit.compile.{name}", best.compiling, None, "s"),
            Figure(f"compile_audit.audit.{name}", best.auditing, None, "s"),
            Figure(f"compile_audit.warm.{name}", best.seconds, _PROMISED.get(name), "s"),
            Figure(f"compile_audit.processor.{name}", min(run.processor for run in measured), None, "s of processor"),
        ]
    figures += [
        Figure(f"compile_audit.processor.{name}", seconds, _COMPOSED[name][1], "s of processor")
        for name, seconds in composed.items()
    ]
    figures.append(Figure("compile_audit.memory", memory.most / _MEBIBYTE, 512, "MiB"))
    return 0 if report(figures, given.json) else 1


def measure(auditor: Auditor, slither: Slither, name: str, *, composed: bool = False) -> Run:
    """One contract, by its name or composed from a prompt; fails unless it passes."""
    processor, began = _processor_seconds(slither), time.monotonic()
    if composed:
        made = Composer().generate(GenerationRequest(prompt=name, owner="0x" + "11" * 20))
        name, text = made.contract_name, made.source
    else:
        text = (_CONTRACTS / f"{name}.sol").read_text(encoding="utf-8")
    compilation = auditor.compile({f"contracts/{name}.sol": text})
    compiled = time.monotonic()
    audited = auditor.audit(compilation)
    ended = time.monotonic()
    assert audited.passed, audited.error
    # The fork counts once it has been waited for.
    time.sleep(_PAUSE)
    return Run(compiled - began, ended - compiled, _processor_seconds(slither) - processor)


def _processor_seconds(slither: Slither) -> float:
    """Of this process with all its threads, and of Slither's and theirs with the forks that have ended."""
    seconds = time.process_time()
    for process in [str(slither.process_id), *_children(slither.process_id)] if slither.process_id else []:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
        seconds += sum(map(int, stat.rpartition(")")[2].split()[11:15])) / os.sysconf("SC_CLK_TCK")
    return seconds


@contextmanager
def watched(slither: Slither) -> Iterator[Memory]:
    """Watch the memory of this process, of Slither's and of its forks until the block ends."""
    memory = Memory()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_PAUSE):
            worker = slither.process_id
            processes = ["self", *([str(worker), *_children(worker)] if worker else [])]
            memory.most = max(memory.most, sum(bytes_of(process) for process in processes))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()


def _children(process: int | str) -> list[str]:
    """Return a process's children, with theirs."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [found for child in children for found in (child, *_children(child))]


def bytes_of(process: str) -> int:
    """Proportional set size of a process, 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        # It has ended.
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    sys.exit(main())
