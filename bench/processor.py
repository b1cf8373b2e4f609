"""The processor time of a local stack's parts, read from the kernel."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local.processes import descendants

_TICKS = os.sysconf("SC_CLK_TCK")


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
    wanted = f"GATEWAY_PORT={endpoint.rpartition(':')[2]}".encode()
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if b"ministack" in (process / "cmdline").read_bytes() and wanted in (process / "environ").read_bytes():
                own, ended = _seconds(int(process.name))
                return Used(own, ended + sum(sum(_seconds(child)) for child in descendants(int(process.name))))
    raise LookupError("there is no engine")


def _seconds(pid: int) -> tuple[float, float]:
    """Return what a process has used, and what its children had that have ended; nothing of one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0, 0
    user, system, of_children, system_of_children = (int(field) / _TICKS for field in fields[11:15])
    return user + system, of_children + system_of_children
