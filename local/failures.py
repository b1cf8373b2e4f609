"""What goes wrong in ways that a person can do something about."""

from __future__ import annotations


class LaunchError(RuntimeError):
    """One clear sentence that says what is wrong and what to do; shown without a traceback."""
