"""Every bench, one after the other, and one table: `make bench`.

``python -m bench [--only NAME …] [--json FILE]``. Benches that need a running stack get one of their own, in which
users may launch and build without limits. Each bench is a process of its own with a deadline; one that fails or misses
a promise does not keep the others from measuring. Exit status 0 if every bench ended and every promise holds.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure, figures_of, show
from local.paths import ROOT
from local.temporary_stack import temporary_stack

_DEADLINE_SECONDS = 1800
_LIMITS = {"standard": {"hour": 1000, "day": 1000, "open": 100}}
_BUDGET = {"open": 100_000, "day": 100_000}


@dataclass(frozen=True)
class Bench:
    """A program of this package and what it is called with."""

    name: str
    arguments: tuple[str, ...] = ()


# What measures processor time comes first, when nothing else runs.
ALONE = (
    Bench("cold_start"),
    Bench("heartbeat"),
    Bench("compile_audit"),
    Bench("cost_model"),
    Bench("flush"),
    Bench("scale"),
    Bench("discovery"),
    Bench("heartbeat_replay", ("--in-process", "--workers", "50")),
    Bench("uptime_day", ("--workers", "50")),
)
IN_A_STACK = (
    Bench("builds"),
    Bench("webhooks"),
    Bench("heartbeat_replay", ("--workers", "10")),
    Bench("heartbeat_replay", ("--workers", "10", "--shuffled")),
    Bench("token_launch_in_process"),
    Bench("token_launch"),
)


def main() -> int:
    """Exit status 0 when every bench ended and every promise holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = sorted({bench.name for bench in (*ALONE, *IN_A_STACK)})
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--json", type=Path, default=Path("bench/results.json"))
    given = parser.parse_args()
    file: Path = given.json.absolute()
    file.write_text(json.dumps({}), encoding="utf-8")
    began = time.monotonic()
    broken = _run([bench for bench in ALONE if bench.name in given.only], file)
    if in_a_stack := [bench for bench in IN_A_STACK if bench.name in given.only]:
        settings = {
            "SLIPWAY_PARAMETERS": json.dumps(
                {"LaunchLimits": _LIMITS, "BuildLimits": _LIMITS, "AkashBudget": _BUDGET, "AkashPayment": "account"}
            )
        }
        with temporary_stack(ROOT / ".local" / "bench", settings) as stack:
            broken += _run(in_a_stack, file, "--stack", str(stack))

    content = json.loads(file.read_text(encoding="utf-8"))
    figures = figures_of(content)
    machine = _machine()
    file.write_text(json.dumps({"run": machine, **content}, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    told = ", ".join(f"{name} {value}" for name, value in machine.items())
    print(f"\n{told}; {time.monotonic() - began:.0f} s\n")
    show(figures)
    missed = [figure.path for figure in figures if not figure.met]
    print(f"\n{len(figures)} figures; missed: {', '.join(missed) or 'none'}; broken: {', '.join(broken) or 'none'}")
    return 1 if missed or broken else 0


def _run(benches: Sequence[Bench], file: Path, *more: str) -> list[str]:
    """Run each, and name those that did not come to their end."""
    broken = []
    for bench in benches:
        arguments = [*bench.arguments, *more, "--json", str(file)]
        print(f"\n── {bench.name} {' '.join(bench.arguments)}", flush=True)
        before, began = _figures(file), time.monotonic()
        try:
            command = [sys.executable, "-W", "ignore", "-m", f"bench.{bench.name}", *arguments]
            status = subprocess.run(command, cwd=ROOT, timeout=_DEADLINE_SECONDS, check=False).returncode
        except subprocess.TimeoutExpired:
            status = -1
        print(f"── {time.monotonic() - began:.0f} s", flush=True)
        measured = [figure for figure in _figures(file) if figure not in before]
        # A bench that misses a promise says so with its exit status as well.
        if not measured or (status and all(figure.met for figure in measured)):
            broken.append(bench.name)
    return broken


def _figures(file: Path) -> list[Figure]:
    return figures_of(json.loads(file.read_text(encoding="utf-8")))


def _machine() -> dict[str, Any]:
    git = shutil.which("git") or "git"
    described = subprocess.run(
        [git, "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processors": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "commit": described.stdout.strip(),
    }


if __name__ == "__main__":
    sys.exit(main())
