"""The processor time of a local stack's parts, read from the kernel."""

from contextlib import suppress
from dataclasses import dataclass

import psutil

from local.engine import server


@dataclass(frozen=True)
class Used:
    """Seconds of processor time.

    Attributes:
        engine: Of the engine itself.
        functions: Of all functions' processes, those that have ended included.
    """

    engine: float
    functions: float

    def since(self, earlier: "Used") -> "Used":
        """Return what was used between two looks."""
        return Used(self.engine - earlier.engine, self.functions - earlier.functions)


def used(endpoint: str) -> Used:
    """Return what the engine behind an address, and its functions, have used until now.

    Raises:
        LookupError: No engine is there.
    """
    port = endpoint.rpartition(":")[2]
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cmdline() == server.command() and process.environ().get("GATEWAY_PORT") == port:
                own, ended = _seconds(process)
                return Used(own, ended + sum(sum(_seconds(child)) for child in process.children(recursive=True)))
    raise LookupError("there is no engine")


def _seconds(process: psutil.Process) -> tuple[float, float]:
    """Return what a process has used, and what its children had that have ended; nothing of one that is gone."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0, 0
    return times.user + times.system, times.children_user + times.children_system
