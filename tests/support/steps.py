"""What workflows do in this process, step by step, and what a test does in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from slipway.jobs import steps

Hook = Callable[[], object]


@dataclass
class Steps:
    """The steps that were performed, as ``<workflow>:<step>``, in order.

    Attributes:
        performed: Their names.
        hooks: What happens once, before or after a step, by the step's name and ``before`` or ``after``.
    """

    performed: list[str] = field(default_factory=list)
    hooks: dict[tuple[str, str], Hook] = field(default_factory=dict)

    def _happens(self, boundary: str, when: str) -> None:
        if hook := self.hooks.pop((boundary, when), None):
            hook()

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> Steps:
        """Look at every step from now on."""
        original = steps.perform

        def perform(boundary: str, job_id: str, step: Callable[[], Any]) -> Any:
            self._happens(boundary, "before")
            self.performed.append(boundary)
            try:
                return original(boundary, job_id, step)
            finally:
                self._happens(boundary, "after")

        monkeypatch.setattr(steps, "perform", perform)
        return self
