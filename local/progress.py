"""Short lines that say what is going on and how long it took."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_STILL_AFTER_SECONDS = 10.0


def say(text: str) -> None:
    """Print one line at once; on the error stream, for some commands' output is meant for other programs."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Tell when something starts, every ten seconds that it goes on, and how long it took."""
    say(f"· {title}")
    started = time.monotonic()
    over = threading.Event()

    def remind() -> None:
        while not over.wait(_STILL_AFTER_SECONDS):
            say(f"  … {title}: {time.monotonic() - started:.0f} s")

    threading.Thread(target=remind, daemon=True).start()
    try:
        yield
    finally:
        over.set()
    say(f"  {time.monotonic() - started:.1f} s")
