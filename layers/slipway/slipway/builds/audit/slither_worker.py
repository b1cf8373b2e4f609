"""The process that Slither runs in: reads compilations from standard input, writes findings to standard output.

Each request is answered in a fork, so that nothing of one contract is left for the next, and importing Slither is paid
once. `slipway.builds.audit.slither` is the other end; frames are four bytes of length (big-endian) and JSON.

A request is `{"directory", "own": [unit names], "sources": {unit name: text}, "output": standard-JSON output,
"compiler_version", "optimizer_runs"}`, an answer `{"results": [Slither's JSON], "detectors", "slither_version"}` or
`{"error"}`. The directory is empty, ours, and deleted by the caller.
"""

from __future__ import annotations

import gc
import inspect
import json
import logging
import os
import resource
import struct
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, cast

from crytic_compile import CryticCompile
from crytic_compile.compilation_unit import CompilationUnit
from crytic_compile.compiler.compiler import CompilerVersion
from crytic_compile.platform.solc_standard_json import SolcStandardJson, parse_standard_json_output
from slither import Slither
from slither.detectors import all_detectors
from slither.detectors.abstract_detector import AbstractDetector

from slipway.privileges import give_up_privileges
from slipway.solidity.toolchain import LIBRARY

MEMORY_BYTES = 1024 * 1024 * 1024
"""The most that the address space of one audit may grow to; it takes about 150 MB."""

PROCESSOR_SECONDS = 20
"""How long the processor may work on one audit; it takes a second or two."""

ERROR_BYTES = 1024 * 1024
"""The most that a file may grow to, standard error among them."""

LENGTH = struct.Struct(">I")


class _CompiledOutput(SolcStandardJson):
    """Crytic's platform over an output that is there already."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__({})
        self._request = request
        self._library = os.path.join(os.path.realpath(request["directory"]), LIBRARY)  # noqa: PTH118

    def compile(self, crytic_compile: CryticCompile, **_: str) -> None:
        unit = CompilationUnit(crytic_compile, "slipway")
        unit.compiler_version = CompilerVersion(
            compiler="solc",
            version=self._request["compiler_version"].partition("+")[0],
            optimized=True,
            optimize_runs=self._request["optimizer_runs"],
        )
        parse_standard_json_output(self._request["output"], unit, solc_working_dir=self._request["directory"])

    def is_dependency(self, path: str) -> bool:
        return os.path.realpath(path).startswith(self._library)


class _Slither(Slither):  # type: ignore[misc]
    """Slither that takes no orders from the code it audits."""

    def parse_ignore_comments(self, file: str) -> None:
        """Ignore comments like `slither-disable-start`, which would switch detectors off."""


def detectors() -> list[type[AbstractDetector]]:
    """Return every detector that Slither has."""
    members = vars(all_detectors).values()
    found = [item for item in members if inspect.isclass(item) and issubclass(item, AbstractDetector)]
    return sorted(found, key=lambda detector: str(detector.ARGUMENT))


def without_annotations(node: Any) -> Any:
    """Remove a syntax tree's documentation: `@custom:security non-reentrant` would switch detectors off."""
    if isinstance(node, dict):
        return {key: without_annotations(value) for key, value in node.items() if key != "documentation"}
    if isinstance(node, list):
        return [without_annotations(item) for item in node]
    return node


def analyse(request: dict[str, Any]) -> dict[str, Any]:
    """Run every detector over a compilation. Change the working directory.

    Raises:
        Exception: Whatever Slither raises; and RuntimeError if it logged an error and went on without a part.
    """
    directory = Path(request["directory"])
    for name, text in request["sources"].items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    # Crytic looks for sources here first.
    os.chdir(directory)
    for name in request["own"]:
        source = request["output"]["sources"][name]
        source["ast"] = without_annotations(source["ast"])
    complaints = _Complaints()
    logging.getLogger().addHandler(complaints)
    try:
        slither = _Slither(CryticCompile(_CompiledOutput(request)), show_ignored_findings=True)
        classes = detectors()
        for detector in classes:
            slither.register_detector(detector)
        results = [result for found in slither.run_detectors() for result in found]
    finally:
        logging.getLogger().removeHandler(complaints)
    if complaints.texts:
        raise RuntimeError(complaints.texts[0])
    return {
        "results": results,
        "detectors": [detector.ARGUMENT for detector in classes],
        "slither_version": version("slither-analyzer"),
    }


class _Complaints(logging.Handler):
    """Collects what is logged as an error: Slither sometimes logs what it could not analyse, and goes on."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage()[:500])


def read_frame(stream: BinaryIO) -> dict[str, Any] | None:
    """Read the next frame; None at the end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    return cast(dict[str, Any], json.loads(stream.read(size)))


def frame(content: dict[str, Any]) -> bytes:
    """Return a frame that holds the content."""
    body = json.dumps(content).encode()
    return LENGTH.pack(len(body)) + body


def _answer(request: dict[str, Any], answers: BinaryIO) -> None:
    """Answer in a fork, and never return."""
    status = 1
    try:
        # The process ends before collecting would be worth its time.
        gc.disable()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
        try:
            content = analyse(request)
        except Exception as error:
            content = {"error": f"{type(error).__name__}: {error}"[:500]}
        answers.write(frame(content))
        answers.flush()
        status = 0
    finally:
        os._exit(status)


def main() -> int:
    """Serve until standard input ends, or an audit dies."""
    give_up_privileges()
    # Whatever prints must not come between the frames.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while (request := read_frame(sys.stdin.buffer)) is not None:
        child = os.fork()
        if child == 0:
            _answer(request, answers)
        if os.waitpid(child, 0)[1] != 0:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
