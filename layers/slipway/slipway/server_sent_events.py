"""Server-Sent Events as text (WHATWG HTML, section 9.2).

Browsers follow such a stream by themselves: when an answer ends they ask again after ``retry``, with the id of the last
event as Last-Event-ID.
"""

import json
from typing import Any

MEDIA_TYPE = "text/event-stream"


def event(data: dict[str, Any], *, event_id: str, name: str | None = None) -> str:
    """Format one event. Its data is one line of JSON, so whatever it holds can't break the stream's frame.

    Args:
        data: JSON values.
        event_id: What the client sends to go on after this event; printable, without line ends.
        name: The event's type; without one, browsers call it ``message``.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()
    kind = f"event: {name}\n" if name else ""
    return f"{kind}id: {event_id}\ndata: {text}\n\n"


def comment(event_id: str, text: str) -> str:
    """Format an id to resume after and a comment for people, without an event."""
    return f": {' '.join(text.split())}\nid: {event_id}\n\n"


def retry(seconds: float) -> str:
    """Format after how many seconds the client shall ask again."""
    return f"retry: {int(seconds * 1000)}\n\n"
