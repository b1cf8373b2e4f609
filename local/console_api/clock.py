"""Time in the simulator: seconds that can pass faster than real ones, and blocks of the chain."""

from __future__ import annotations

import time
from datetime import UTC, datetime

BLOCK_SECONDS = 6.0
_FIRST_HEIGHT = 21_000_000


class Clock:
    """Simulated seconds since the start.

    Args:
        scale: Real seconds that a simulated second takes: 0.1 makes five minutes pass in thirty seconds.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._since = time.monotonic()
        self._passed = 0.0
        self._epoch = time.time()

    def __getstate__(self) -> dict[str, float]:
        """Return what another process goes on from; no process knows another's monotonic clock."""
        return {"scale": self._scale, "passed": self.now(), "epoch": self._epoch, "saved_at": time.time()}

    def __setstate__(self, state: dict[str, float]) -> None:
        """Go on as if it had never stopped: what is simulated went on."""
        self._scale, self._epoch = state["scale"], state["epoch"]
        self._passed = state["passed"] + (time.time() - state["saved_at"]) / self._scale
        self._since = time.monotonic()

    @property
    def scale(self) -> float:
        """Real seconds that a simulated second takes."""
        return self._scale

    def now(self) -> float:
        """Return simulated seconds since the start."""
        return self._passed + (time.monotonic() - self._since) / self._scale

    def wall(self) -> float:
        """Seconds since 1970, by which upstream numbers deployments; they pass at their own pace."""
        return time.time()

    def set_scale(self, scale: float) -> None:
        """Go on at another pace."""
        self._passed, self._since = self.now(), time.monotonic()
        self._scale = scale

    def advance(self, seconds: float) -> None:
        """Skip simulated time."""
        self._passed += seconds

    def height(self, moment: float | None = None) -> int:
        """Return the chain's height at a moment, by default now."""
        return _FIRST_HEIGHT + int((self.now() if moment is None else moment) / BLOCK_SECONDS)

    def text(self, moment: float) -> str:
        """Return a moment as ISO 8601, in simulated time."""
        written = datetime.fromtimestamp(self._epoch + moment, UTC).isoformat(timespec="milliseconds")
        return written.replace("+00:00", "Z")
