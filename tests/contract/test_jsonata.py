"""Every expression of every state machine, judged by the reference JSONata beside the engine's own.

AWS evaluates them with an implementation of its own that follows the reference. An expression that finds nothing fails
a state there (States.QueryEvaluationError), so none may, for any input that its state can have.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from local.paths import ROOT
from local.state_machines import state_machines
from local.uv import python_of

HERE = ROOT / "tests" / "contract"
_EXPRESSION = re.compile(r"^\{%\s*(.*?)\s*%\}$", re.DOTALL)
# What a value may be in an execution: the usual, and what trips an evaluator (one entry, none, text like JSON).
LISTS: list[list[Any]] = [[], [{"state": "Close", "error": "E"}], [1, 2], [[]], ["a", ["b"]]]
WORDS = ["sign", "broadcast", "begin", "done", "deploy", "closing", "bump", "cancel", "stuck", "pending", "it's", ""]
NUMBERS = [0, 1, 10, 10**12]
TEXTS = ['{"errorMessage": "x"}', "plain", "", "ünïcødé 船"]


def _expressions() -> dict[str, set[str]]:
    """Expressions by machine."""

    def found(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for entry in value.values():
                yield from found(entry)
        elif isinstance(value, list):
            for entry in value:
                yield from found(entry)
        elif isinstance(value, str) and (match := _EXPRESSION.match(value)):
            yield match[1]

    return {name: set(found(machine.definition)) for name, machine in state_machines().items()}


EXPRESSIONS = _expressions()


def _worlds() -> Iterator[dict[str, Any]]:
    """Bindings with everything that any expression names."""
    for entries, word, number in product(LISTS, WORDS, NUMBERS):
        text = TEXTS[(number + len(word)) % len(TEXTS)]
        payload = {"pause_seconds": number, "step": word, "failed": entries, "job_id": "j"}
        given = {
            "deployment_id": "d", "job_id": "j", "build_id": "b", "environment": "e", "address": "0x1", "nonce": number,
            "chain_id": number, "chains": entries, "failed": entries, "left": entries, "moved": entries,
            "polls": number, "flushed": entries, "rest": entries, "nonces": entries, "step": word, "state": word,
            "stage": word,
            "progress": word, "pause_seconds": number, "error": word, "cause": text,
        }  # fmt: skip
        if number:
            given |= {"failed": number, "flushed": number, "left": number, "moved": number}
        result = {"Payload": payload, "failed": entries, "moved": NUMBERS, "left": NUMBERS, "flushed": NUMBERS}
        context = {"Execution": {"Id": "x"}, "State": {"RetryCount": number}, "Map": {"Item": {"Value": entries}}}
        error = {"Error": word, "Cause": text}
        yield {
            "states": {"input": given, "result": result, "errorOutput": error, "context": context},
            "job_id": "j", "build_id": "b", "chain_id": number, "rounds": number, "polls": number, "error": word,
            "cause": text, "pause_seconds": number, "chain_error": word, "chain_cause": text,
        }  # fmt: skip


CASES = [(text, world) for text in sorted(set().union(*EXPRESSIONS.values())) for world in _worlds()]


def _judged(command: list[str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        command, input=json.dumps(CASES), capture_output=True, text=True, cwd=ROOT, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(answers) == len(CASES)
    return answers


@pytest.fixture(scope="module")
def reference() -> list[dict[str, Any]]:
    return _judged(["node", str(HERE / "jsonata.cjs")])


@pytest.fixture(scope="module")
def engine() -> list[dict[str, Any]]:
    return _judged([str(python_of("ministack")), str(HERE / "jsonata_engine.py")])


def test_there_are_expressions_of_every_machine() -> None:
    assert {name for name, found in EXPRESSIONS.items() if not found} == set()
    assert len(CASES) > 10_000


def _same(theirs: dict[str, Any], ours: dict[str, Any]) -> bool:
    """Whether two answers are one; JSON in a text may be written in two ways."""
    if theirs == ours or "error" in theirs:
        return True
    try:
        return bool(json.loads(theirs["value"]) == json.loads(ours["value"]))
    except (KeyError, TypeError, ValueError):
        return False


def test_the_reference_understands_each_and_each_finds_something(reference: list[dict[str, Any]]) -> None:
    bad = {case[0] for case, answer in zip(CASES, reference, strict=True) if "value" not in answer}
    good = {case[0] for case, answer in zip(CASES, reference, strict=True) if "value" in answer}
    # They count: of a list that has no numbers they say so, and no state has one.
    assert {text for text in bad if not re.match(r"\$sum\(|\$states\.input\.failed > 0$", text)} == set()
    assert bad <= good


def test_the_engine_and_the_reference_agree(reference: list[dict[str, Any]], engine: list[dict[str, Any]]) -> None:
    judged = zip(CASES, reference, engine, strict=True)
    assert {case[0]: (theirs, ours) for case, theirs, ours in judged if not _same(theirs, ours)} == {}


def test_the_judges_can_distinguish() -> None:
    """A judge that finds everything good is none."""
    done = subprocess.run(
        ["node", str(HERE / "jsonata.cjs")], input='[["$nowhere", {}], ["1 +", {}], ["1 + 1", {}]]',
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=True,
    )  # fmt: skip
    missing, broken, two = json.loads(done.stdout)
    assert (missing, two) == ({"missing": True}, {"value": 2})
    assert "error" in broken
