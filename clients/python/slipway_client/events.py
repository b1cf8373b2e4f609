"""Server-Sent Events, and the logs that come as them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event of a stream."""

    name: str
    data: str
    id: str | None


@dataclass(frozen=True)
class LogEvent:
    """A line of a workload's log, or a remark about it.

    Attributes:
        event: `line`, `gap` (lines may be missing here) or `end` (the workload is closed).
        service: Of the SDL.
        pod: Which of its pods.
        line: What it wrote; empty for a remark.
        message: What a remark says.
        reason: Of a gap: `restarted`, `overwritten` or `ambiguous`.
        truncated: Whether the line was longer.
        id: Where to resume, as `after`.
    """

    event: str
    service: str = ""
    pod: str = ""
    line: str = ""
    message: str = ""
    reason: str | None = None
    truncated: bool = False
    id: str | None = None


class EventParser:
    """Reads Server-Sent Events, as the HTML standard has them, from pieces of text that may end anywhere.

    Attributes:
        retry: Seconds after which the server wants to be asked again.
    """

    def __init__(self) -> None:
        self.retry: float | None = None
        self._rest, self._name, self._id = "", "", None
        self._data: list[str] = []

    _id: str | None

    def push(self, piece: str) -> Iterator[Event]:
        """Yield the events that are complete with this piece."""
        lines = (self._rest + piece).replace("\r\n", "\n").split("\n")
        self._rest = lines.pop()
        for line in lines:
            if line:
                self._field(*line.split(":", 1))
                continue
            if self._data:
                yield Event(self._name or "message", "\n".join(self._data), self._id)
            self._name, self._data = "", []

    def _field(self, name: str, value: str = "") -> None:
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value
        elif name == "retry" and value.isdigit():
            self.retry = int(value) / 1000


def log_event(event: Event) -> LogEvent:
    """Return an event of a log stream as what it says."""
    told: dict[str, Any] = json.loads(event.data)
    return LogEvent(
        "line" if event.name == "message" else event.name,
        told.get("service", ""),
        told.get("pod", ""),
        told.get("line", ""),
        told.get("message", ""),
        told.get("reason"),
        bool(told.get("truncated")),
        event.id,
    )
