"""Lines that services write, as a provider keeps them: of the pod that runs now, without times or numbers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass
class LogBook:
    """The lines of one service of one lease."""

    pod: str = ""
    ended: bool = False
    written_at: float | None = None
    _lines: list[tuple[str, str]] = field(default_factory=list)
    _first: int = 0
    _readers: set[asyncio.Event] = field(default_factory=set)

    def restart(self, pod: str) -> None:
        """Start another pod; what the last one wrote is lost for readers who come later."""
        self.pod = pod
        self.written_at = None
        self._first = len(self._lines)

    def write(self, *lines: str) -> None:
        """Append lines and wake the readers."""
        self._lines += [(self.pod, line) for line in lines]
        self._wake()

    def end(self) -> None:
        """End the log: nothing is written any more."""
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        for reader in self._readers:
            reader.set()

    def tail(self, count: int) -> int:
        """Return where the last ``count`` lines of the running pod begin; -1 is for all."""
        return self._first if count < 0 else max(self._first, len(self._lines) - count)

    def since(self, position: int) -> list[tuple[str, str]]:
        """Return pod and line of everything from a position on."""
        return self._lines[position:]

    def watch(self, reader: asyncio.Event) -> None:
        """Wake a reader whenever there is something new."""
        self._readers.add(reader)

    def unwatch(self, reader: asyncio.Event) -> None:
        """Undo ``watch``."""
        self._readers.discard(reader)
