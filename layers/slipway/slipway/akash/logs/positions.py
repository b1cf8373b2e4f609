"""Where a reader stands in the logs of pods whose lines have neither numbers nor times. Pure.

A position holds how many lines of the pod were read, where that is known, and fingerprints of the last of them, with
lines that repeat counted instead of repeated. To go on, the pod's last lines are read again (a window) and the position
is looked for in them:

- When the window is the pod's whole log and the count is known, the position is where the count says, and the
  fingerprints only have to agree. So a log that repeats itself, as most do, is resumed exactly.
- When the window begins later, the position is where the fingerprints are. If that is at several places the reader
  can't know how many repetitions it missed, and sees a gap.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

# A run is a line and how often it came in a row.
MAX_RUNS = 12
# Bytes of a fingerprint.
_SIZE = 3


class Gap(StrEnum):
    """Why lines may be missing.

    ``restarted``: another pod, or the same one anew, writes now. ``overwritten``: what was read last is no longer among
    the lines that can be had. ``ambiguous``: it is there at several places.
    """

    RESTARTED = "restarted"
    OVERWRITTEN = "overwritten"
    AMBIGUOUS = "ambiguous"


def fingerprint(line: str) -> bytes:
    """Return a line's fingerprint."""
    return hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()


@dataclass(frozen=True)
class Position:
    """After some line of a pod's log.

    Attributes:
        count: Lines before it; since the pod's first line if ``exact``, else since some line.
        exact: Whether the count is since the pod's first line.
        runs: The last lines before it, oldest first: fingerprint and number of repetitions. Of the oldest run there may
            have been more.
    """

    count: int = 0
    exact: bool = True
    runs: tuple[tuple[bytes, int], ...] = ()

    def after(self, line: bytes) -> Self:
        """Return the position one line later."""
        if self.runs and self.runs[-1][0] == line:
            runs = (*self.runs[:-1], (line, self.runs[-1][1] + 1))
        else:
            runs = (*self.runs[-MAX_RUNS + 1 :], (line, 1))
        return type(self)(self.count + 1, self.exact, runs)

    @property
    def overlap(self) -> int:
        """How many lines the runs stand for."""
        return sum(count for _, count in self.runs)

    def last(self, most: int) -> bytes:
        """Return the fingerprints of the last lines, joined, oldest first."""
        parts: list[bytes] = []
        for line, count in reversed(self.runs):
            parts.append(line * min(count, most))
            most -= min(count, most)
        return b"".join(reversed(parts))


@dataclass(frozen=True)
class Match:
    """Where a position is in a window.

    Attributes:
        start: How many of the window's lines had been read.
        gap: Why lines may be missing, or None.
        settled: Whether a longer window would show nothing else.
    """

    start: int
    gap: Gap | None = None
    settled: bool = True


def position_in(window: Sequence[bytes], start: int, *, whole: bool) -> Position:
    """Return the position after the first ``start`` lines of a window, exact if the window is the whole log."""
    position = Position(exact=whole)
    for line in window[:start]:
        position = position.after(line)
    return position


def find(position: Position, window: Sequence[bytes], *, whole: bool) -> Match:
    """Look for a position in the last lines of its pod.

    Args:
        position: What was read.
        window: Fingerprints of the pod's last lines, oldest first.
        whole: Whether the window begins with the pod's first line.
    """
    text = b"".join(window)
    read = position.last(position.overlap)
    counted = whole and position.exact and position.count <= len(window)
    if counted and text[: position.count * _SIZE].endswith(read):
        return Match(position.count)
    if not position.runs:
        return Match(0, Gap.OVERWRITTEN, settled=whole)
    if position.overlap >= len(window) and not whole:
        # Repetitions reach back further than the window; how many of them are in it is all that can be seen.
        read = position.last(max(len(window) // 2, 1))
    most = position.count if position.exact else len(window)
    places = _places(text, read, most)
    if not places and not whole:
        places = _beginnings(text, position.last(len(window)), most)
    if not places:
        return Match(0, Gap.RESTARTED if whole else Gap.OVERWRITTEN, settled=whole)
    return Match(places[-1], Gap.AMBIGUOUS if len(places) > 1 else None, settled=whole or len(places) == 1)


def _places(text: bytes, read: bytes, most: int) -> list[int]:
    """Return the first and the last place in a window that follow all that was read, at most ``most`` lines in."""
    text = text[: most * _SIZE]
    first = text.find(read)
    while first >= 0 and first % _SIZE:
        first = text.find(read, first + 1)
    if first < 0:
        return []
    last = text.rfind(read)
    while last % _SIZE:
        last = text.rfind(read, 0, last + len(read) - 1)
    return [(place + len(read)) // _SIZE for place in sorted({first, last})]


def _beginnings(text: bytes, read: bytes, most: int) -> list[int]:
    """Return the places before which a window holds only the end of what was read: the rest has left the window."""
    longest = min(len(text), len(read), most * _SIZE) // _SIZE
    return [length for length in range(1, longest + 1) if read.endswith(text[: length * _SIZE])]
