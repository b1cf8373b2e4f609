"""Where things lie: in the repository, and in the directory that holds a running stack's state."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
BUILD = ROOT / ".aws-sam" / "build"

# Shared by every stack of this checkout, so that a second stack (the tests') builds nothing twice.
SHARED = ROOT / ".local"
ENVIRONMENTS = SHARED / "venv"
TOOLS = SHARED / "tools"
LAYERS = SHARED / "layers"
STAMPS = SHARED / "stamps"
LOGS = SHARED / "logs"
DASHBOARD = SHARED / "dashboard"
GUIDE = SHARED / "guide" / "html"


@dataclass(frozen=True)
class StateDirectory:
    """The files of one stack. Another directory and other ports make a second, independent stack."""

    path: Path

    @classmethod
    def from_environment(cls) -> StateDirectory:
        """Read SLIPWAY_LOCAL_DIRECTORY, by default `.local` in the repository."""
        return cls((ROOT / os.environ.get("SLIPWAY_LOCAL_DIRECTORY", ".local")).resolve())

    @property
    def stack_file(self) -> Path:
        """What tools read: addresses, accounts and outputs."""
        return self.path / "stack.json"

    @property
    def supervisor_file(self) -> Path:
        """Tells which process holds the stack."""
        return self.path / "supervisor.json"

    @property
    def lock_file(self) -> Path:
        """Held while a stack starts or ends."""
        return self.path / "stack.lock"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.path / "logs"

    @property
    def engine(self) -> Path:
        """The adapted template and the engine's own temporary files."""
        return self.path / "engine"

    @property
    def dashboard_file(self) -> Path:
        """What the dashboard reads of this stack."""
        return self.path / "dashboard.json"

    @property
    def kept(self) -> Path | None:
        """What one run leaves to the next; None unless SLIPWAY_KEEP asks for it."""
        return self.path / "kept" if os.environ.get("SLIPWAY_KEEP") else None

    def prepare(self) -> None:
        """Create the directories."""
        for directory in (self.path, self.logs, self.engine, *([self.kept] if self.kept else [])):
            directory.mkdir(parents=True, exist_ok=True)
