"""Where a build's progress is told by WebSocket."""

import os


def stream_url(build_id: str) -> str | None:
    """The address of a build's stream: STREAM_URL with the id for ``{build_id}``; None where there are no streams."""
    pattern = os.environ.get("STREAM_URL")
    return pattern.replace("{build_id}", build_id) if pattern else None
