"""Figures as all benches tell them: a path that names metric, function and comparison, then value, target and unit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured value.

    Attributes:
        path: Such as ``warm.heartbeat.over_raw``.
        value: What was measured.
        target: The most that it may be; None where there is no promise.
        unit: Of both.
    """

    path: str
    value: float
    target: float | None
    unit: str

    @property
    def met(self) -> bool:
        """Whether the promise holds."""
        return self.target is None or self.value <= self.target


def show(figures: Sequence[Figure]) -> None:
    """Print a table."""
    print(f"{'figure':<54}{'value':>12}{'target':>10}  unit")
    for figure in figures:
        target = "" if figure.target is None else f"{figure.target:g}"
        print(f"{figure.path:<54}{figure.value:>12.4g}{target:>10}  {figure.unit}{'' if figure.met else '  MISSED'}")


def report(figures: Sequence[Figure], file: Path | None = None) -> bool:
    """Print a table, and put the figures into a JSON file if one is given, whose other figures stay.

    Returns:
        Whether every promise holds.
    """
    show(figures)
    if file:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        for figure in figures:
            *parents, name = figure.path.split(".")
            place = content
            for parent in parents:
                place = place.setdefault(parent, {})
            place[name] = {"value": figure.value, "target": figure.target, "unit": figure.unit}
        file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return all(figure.met for figure in figures)


def figures_of(content: dict[str, Any], parents: tuple[str, ...] = ()) -> list[Figure]:
    """All figures in what ``report`` wrote, by their paths."""
    if set(content) == {"value", "target", "unit"}:
        return [Figure(".".join(parents), content["value"], content["target"], content["unit"])]
    return [figure for name in sorted(content) for figure in figures_of(content[name], (*parents, name))]
