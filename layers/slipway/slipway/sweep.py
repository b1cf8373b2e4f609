"""One run of a scheduled state machine: find what is due, do it while there is time, hand over the rest.

A step is the input of one task, ``{"state": <name>, …}``. Runs may overlap, because a schedule starts each at least
once and one may outlast the next: every step is idempotent and writes under conditions.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slipway.observability import logger, record
from slipway.tasks import State
from slipway.times import Clock

Step = dict[str, Any]


def found(state: str, names: Sequence[str], entries: Iterable[Any]) -> dict[str, list[Step]]:
    """Return a finder's answer: a step for each entry, which is a value, or one for each of several names."""
    rows = entries if len(names) > 1 else ((entry,) for entry in entries)
    return {"steps": [{"state": state, **dict(zip(names, row, strict=True))} for row in rows]}


def do_steps(
    steps: Iterable[Step], states: Mapping[str, State], until: float, clock: Clock = time
) -> tuple[list[Step], list[Step]]:
    """Do steps one after the other; one that fails does not stop the others.

    Args:
        steps: What to do.
        states: The workflow's states by name.
        until: When no further step is begun, by ``clock``.
        clock: Passes the time.

    Returns:
        The steps that are done, each with its answer, and those that the state machine has to do, each alone: begun too
        late, failed, or not finished (``again`` in the answer).
    """
    done, rest = [], []
    for step in steps:
        answer = attempt(step, states, until) if clock.monotonic() < until else None
        if answer is not None:
            done.append({**step, **answer})
        if answer is None or answer.get("again"):
            rest.append(step)
    return done, rest


def attempt(step: Step, states: Mapping[str, State], until: float) -> dict[str, Any] | None:
    """Return a step's answer; None if it failed, which is logged and counted."""
    logger.append_keys(state=step["state"])
    try:
        return states[step["state"]]({**step, "until": until}) or {}
    except Exception:
        logger.exception("step failed", step=step)
        record("StepsFailed", state=step["state"])
        return None


def find_and_do(
    finders: Iterable[str],
    states: Mapping[str, State],
    until: float,
    clock: Clock = time,
) -> dict[str, list[Any]]:
    """Ask each finder for its steps and do them, as ``do_steps`` does.

    Args:
        finders: Names of states that answer ``{"steps": [step…]}``.
        states: The workflow's states by name.
        until: When no further step is begun, by ``clock``.
        clock: Passes the time.

    Returns:
        ``done`` and ``rest`` of all steps, and ``failed``: the finders that failed.
    """
    sweep: dict[str, list[Any]] = {"done": [], "rest": [], "failed": []}
    for finder in finders:
        answer = attempt({"state": finder}, states, until)
        if answer is None:
            sweep["failed"].append(finder)
            continue
        done, rest = do_steps(answer["steps"], states, until, clock)
        sweep["done"] += done
        sweep["rest"] += rest
    return sweep
