"""The sessions of a worker in plain Python: what the library has to come to, however the beats arrive."""

from __future__ import annotations

from collections.abc import Iterable

GAP = 30 * 60 * 1000


def reference_sessions(beats: Iterable[int]) -> list[tuple[int, int]]:
    """First and last beat of each session, oldest first; times in milliseconds."""
    sessions: list[tuple[int, int]] = []
    for beat in sorted(set(beats)):
        if sessions and beat - sessions[-1][1] <= GAP:
            sessions[-1] = (sessions[-1][0], beat)
        else:
            sessions.append((beat, beat))
    return sessions
