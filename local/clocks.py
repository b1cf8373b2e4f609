"""Run tests as on other days, and on a machine of half the speed: none may age, and none may race the machine.

``python -m local.clocks [path …]`` runs what is named, or the unit and functional tests, once each with the clock a
day, a month and a year ahead (libfaketime, for all processes that the tests start as well), and once with all of them
stopped for half of the time.
"""

import os
import signal
import subprocess
import sys
import time

from libfaketime import get_reload_information

from local.paths import ROOT

DAYS_AHEAD = (1, 30, 365)
_PATHS = ["tests/unit", "tests/functional"]
_TURN_SECONDS = 0.05
_LONGER_THAN_A_RUN = 86_400


def variables(days: int) -> dict[str, str]:
    """Return the environment in which it is so many days later; clocks that only measure stay as they are.

    libfaketime reads its settings once. A process crashes where it reads them while a test changes the environment.
    """
    library: dict[str, str] = get_reload_information()[1]
    preloaded = os.path.join(library["LD_LIBRARY_PATH"], library["LD_PRELOAD"])  # noqa: PTH118 (a text from elsewhere)
    settings = {"FAKETIME": f"+{days}d", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": str(_LONGER_THAN_A_RUN)}
    return {"LD_PRELOAD": preloaded, **settings} if days else {}


def run(days: int, paths: list[str], *, half_speed: bool = False) -> bool:
    """Run tests with the clock so many days ahead; return whether all passed."""
    command = [sys.executable, "-m", "pytest", "-q", "--numprocesses", "2", *paths]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables(days)}, process_group=0)
    try:
        while half_speed and process.poll() is None:
            for turn in (signal.SIGSTOP, signal.SIGCONT):
                os.killpg(process.pid, turn)
                time.sleep(_TURN_SECONDS)
        return process.wait() == 0
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGINT)
        raise


def main(paths: list[str]) -> int:
    """Run the tests at each time; return the exit status."""
    failed = []
    for days in DAYS_AHEAD:
        if not run(days, paths):
            failed.append(f"{days} days ahead")
    if not run(0, paths, half_speed=True):
        failed.append("at half speed")
    print(f"Failed {', '.join(failed)}." if failed else "Passed on all days, and at half speed.")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or _PATHS))
