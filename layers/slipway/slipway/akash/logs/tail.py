"""Following one service's log through subscriptions that each begin with some of its last lines. Pure.

Nothing marks where those lines end and new ones begin, so what a pod writes at first is collected until it pauses, and
then compared with where the reader stood.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.akash.logs.cursors import pod_key
from slipway.akash.logs.positions import Gap, Match, Position, find, fingerprint, position_in

# Of a longer line the rest is left out.
MAX_CHARACTERS = 16 * 1024
# Lines that are asked for besides those that were read, and at most.
NEWS_WINDOW = 1000
MAX_WINDOW = 10_000
# A log of so many lines is read again as a whole, so that it is resumed by counting.
_COUNTED_LINES = 2000
# After a gap no more than these of the lines at hand are shown.
_AFTER_A_GAP = 1000
# A pod's first lines are together when it pauses for so long. One that never does is waited for so long in all, but for
# as long as lines come faster than services write, and longer while there are fewer than there were before. Seconds.
_PAUSE, _MAX_COLLECTION, _PATIENCE = 0.2, 0.4, 1.5
_BURST_LINES, _BURST_SECONDS = 50, 0.1
# Pods of one service begin to write within this time of each other.
_TOGETHER = 1.0
_MAX_COLLECTED = 8 * 2**20
_MAX_PODS = 32


@dataclass(frozen=True)
class Entry:
    """One item for the reader: a line, a gap, or neither, when only the position is new.

    Attributes:
        pod: The pod's name.
        position: After it.
        line: The line.
        truncated: Whether the line was longer.
        gap: Why lines may be missing before what follows.
    """

    pod: str
    position: Position
    line: str | None = None
    truncated: bool = False
    gap: Gap | None = None


@dataclass
class _Window:
    """The first lines of a pod in a subscription."""

    first_at: float
    last_at: float = 0.0
    lines: deque[str] = field(default_factory=deque)
    prints: deque[bytes] = field(default_factory=deque)
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=_BURST_LINES))
    characters: int = 0
    cut: bool = False

    @property
    def is_burst(self) -> bool:
        """Whether lines come faster than a service writes them."""
        return len(self.recent) == _BURST_LINES and self.last_at - self.recent[0] < _BURST_SECONDS

    def add(self, line: str, now: float) -> None:
        self.last_at = now
        self.recent.append(now)
        self.lines.append(line[: MAX_CHARACTERS + 1])
        self.prints.append(fingerprint(line))
        self.characters += len(self.lines[-1])
        while self.characters > _MAX_COLLECTED:
            self.characters -= len(self.lines.popleft())
            self.prints.popleft()
            self.cut = True


class ServiceTail:
    """One service's log.

    Args:
        known: Positions of its pods by ``pod_key``; None if it was never read.
        tail: How many lines of each pod are shown when it was never read.
    """

    def __init__(self, known: Mapping[bytes, Position] | None, tail: int) -> None:
        self._fresh = known is None
        self._positions = dict(known or {})
        self._tail = tail
        self._asked = 0
        self._longest = False
        self._began_at: float | None = None
        self._windows: dict[str, _Window] = {}
        self._followed: set[str] = set()
        self._entries: list[Entry] = []

    @property
    def positions(self) -> Mapping[bytes, Position]:
        """Where the reader stands after everything that was taken."""
        return self._positions

    @property
    def wants_more(self) -> bool:
        """Whether another subscription should begin with more lines."""
        return self._longest and self._asked < MAX_WINDOW

    def begin(self) -> int:
        """Begin a subscription; return with how many of each pod's last lines."""
        counts = [
            position.count if position.exact and position.count <= _COUNTED_LINES else position.overlap
            for position in self._positions.values()
        ]
        least = min(max(counts, default=_COUNTED_LINES), _COUNTED_LINES) + NEWS_WINDOW
        self._asked = MAX_WINDOW if self._longest else max(least, self._tail + 1)
        self._windows.clear()
        self._followed.clear()
        self._began_at = None
        return self._asked

    def feed(self, pod: str, line: str, now: float) -> None:
        """Take a line of a pod. Seconds of any clock."""
        if self._began_at is None:
            self._began_at = now
        if pod in self._followed:
            self._follow(pod, line[: MAX_CHARACTERS + 1], fingerprint(line))
        else:
            self._windows.setdefault(pod, _Window(now)).add(line, now)

    def due(self) -> float | None:
        """Return when ``settle`` has something to decide if no further line comes."""
        return min((self._due(pod, window) for pod, window in self._windows.items()), default=None)

    def settle(self, now: float) -> list[Entry]:
        """Decide what can be decided, and take the entries for the reader."""
        for pod, window in list(self._windows.items()):
            if self._due(pod, window) <= now:
                self._decide(pod, window)
        taken, self._entries = self._entries, []
        return taken

    def _due(self, pod: str, window: _Window) -> float:
        if len(window.prints) >= self._asked or window.cut:
            return window.last_at
        due = window.last_at + _PAUSE
        if not window.is_burst:
            due = min(due, window.first_at + _MAX_COLLECTION)
        position = self._positions.get(pod_key(pod))
        if position is not None and (not position.exact or len(window.prints) < position.count):
            return max(due, window.first_at + _PATIENCE)
        if position is None and not self._fresh and self._missing():
            return max(due, (self._began_at or 0.0) + _TOGETHER)
        return due

    def _missing(self) -> set[bytes]:
        """Return pods that were read before and have not written in this subscription."""
        return set(self._positions) - {pod_key(pod) for pod in (*self._windows, *self._followed)}

    def _decide(self, pod: str, window: _Window) -> None:
        prints = list(window.prints)
        whole = len(prints) < self._asked and not window.cut
        position = self._positions.get(pod_key(pod))
        found = self._found(position, prints, whole=whole, together=self._is_together(window))
        if not found.settled and self._asked < MAX_WINDOW:
            self._longest = True
            return
        del self._windows[pod]
        start = max(found.start, len(prints) - _AFTER_A_GAP) if found.gap else found.start
        if position is None or whole or found.gap:
            position = position_in(prints, start, whole=whole)
        self._put(Entry(pod, position, gap=found.gap))
        self._followed.add(pod)
        for line, mark in zip(list(window.lines)[start:], prints[start:], strict=True):
            self._follow(pod, line, mark)

    def _found(self, position: Position | None, prints: list[bytes], *, whole: bool, together: bool) -> Match:
        if position is not None:
            return find(position, prints, whole=whole)
        if self._fresh and together:
            return Match(max(len(prints) - self._tail, 0))
        missing = self._missing()
        for pod in missing:
            # Reported once: from here on the pod that came in its place is followed.
            del self._positions[pod]
        if missing:
            return Match(0, Gap.RESTARTED)
        return Match(0, None if whole else Gap.OVERWRITTEN)

    def _is_together(self, window: _Window) -> bool:
        return self._began_at is None or window.first_at <= self._began_at + _TOGETHER

    def _follow(self, pod: str, line: str, mark: bytes) -> None:
        position = self._positions[pod_key(pod)].after(mark)
        self._put(Entry(pod, position, line[:MAX_CHARACTERS], len(line) > MAX_CHARACTERS))

    def _put(self, entry: Entry) -> None:
        key = pod_key(entry.pod)
        # The latest pod last, so that the oldest are forgotten when there are too many.
        self._positions.pop(key, None)
        self._positions[key] = entry.position
        while len(self._positions) > _MAX_PODS:
            del self._positions[next(iter(self._positions))]
        self._entries.append(entry)
