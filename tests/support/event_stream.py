"""Reads a text/event-stream as a browser does (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ParsedEvent:
    """One event."""

    name: str
    id: str
    data: dict[str, Any]


def parse_events(text: str) -> list[ParsedEvent]:
    """Return the events of a stream's text."""
    return EventSource().feed(text)


@dataclass
class EventSource:
    """A browser's EventSource: remembers the last id and how long to wait before it asks again."""

    last_id: str = ""
    retry_seconds: float = 3.0
    events: list[ParsedEvent] = field(default_factory=list)

    def feed(self, text: str) -> list[ParsedEvent]:
        """Take an answer; tells its events."""
        found: list[ParsedEvent] = []
        name, identifier = "", self.last_id
        data: list[str] = []
        for line in re.split(r"\r\n|\r|\n", text):
            if line == "":
                self.last_id = identifier
                if data:
                    found.append(ParsedEvent(name or "message", identifier, json.loads("\n".join(data))))
                name, data = "", []
                continue
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if key == "event":
                name = value
            elif key == "data":
                data.append(value)
            elif key == "id" and "\0" not in value:
                identifier = value
            elif key == "retry" and value.isdigit():
                self.retry_seconds = int(value) / 1000
        self.events += found
        return found

    def ask(self, get: Callable[[dict[str, str]], tuple[int, str]]) -> int:
        """Ask once more, as a browser does; ``get`` takes the headers and tells status and text."""
        status, text = get({"last-event-id": self.last_id} if self.last_id else {})
        if status == 200:
            self.feed(text)
        return status

    @property
    def lines(self) -> list[str]:
        """Lines of the log so far."""
        return [event.data["line"] for event in self.events if event.name == "message"]

    @property
    def names(self) -> list[str]:
        """Names of events that are no lines."""
        return [event.name for event in self.events if event.name != "message"]
