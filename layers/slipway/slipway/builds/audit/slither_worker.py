"""The process that Slither runs in: reads compilations from standard input, writes findings to standard output.

Each request is answered in a fork, so that nothing of one contract is left for the next, and importing Slither is paid
once. `slipway.builds.audit.slither` is the other end; frames are four bytes of length (big-endian) and JSON.

A request is `{"directory", "own": [unit names], "sources": {unit name: text}, "output": standard-JSON output,
"settings": {"compiler_version", "optimizer_runs"}, "library"}`, an answer `{"results": [Slither's JSON], "detectors",
"slither_version"}` or `{"error"}`. The directory is empty, ours, and deleted by the caller.

`library` is null, or the JSON text of a request for the library's sources alone, and then the others are our own. A
process that has analysed them is kept, and our own are analysed in a fork of it.
"""

from __future__ import annotations

import gc
import hashlib
import inspect
import json
import logging
import os
import resource
import socket
import struct
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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

from slipway.builds.audit.library_analysis import add_sources, begin
from slipway.privileges import give_up_privileges
from slipway.solidity.toolchain import LIBRARY

MEMORY_BYTES = 1024 * 1024 * 1024
"""The most that the address space of one audit may grow to; it takes about 150 MB."""

PROCESSOR_SECONDS = 20
"""How long the processor may work on one audit; it takes a second or two."""

MAX_LIBRARIES = 2
"""How many analyses of library sources are kept; one takes up to 130 MB."""

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
            version=self._request["settings"]["compiler_version"].partition("+")[0],
            optimized=True,
            optimize_runs=self._request["settings"]["optimizer_runs"],
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


def analyse(request: dict[str, Any], library: Library | None = None) -> dict[str, Any]:
    """Run every detector over a compilation. Change the working directory.

    Args:
        request: See above.
        library: Has analysed the request's library.

    Raises:
        Exception: Whatever Slither raises; and RuntimeError if it logged an error and went on without a part.
    """
    if library and library.slither:
        try:
            with _no_complaints():
                _write(library.directory, request)
                add_sources(library.slither, request["output"], library.directory)
                return _detect(library.slither)
        except Exception as error:
            # Either the library depends on these sources, or the next says what is wrong.
            sys.stderr.write(f"analysed at once after {type(error).__name__}\n")
    with _no_complaints():
        return _detect(_analysed(_whole(request)))


def _whole(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request in which the library's sources are among the others."""
    if request["library"] is None:
        return request
    library = json.loads(request["library"])
    output = {part: library["output"][part] | request["output"][part] for part in ("sources", "contracts")}
    return {**request, "sources": library["sources"] | request["sources"], "output": output}


def _write(directory: str, request: dict[str, Any]) -> None:
    """Write a request's sources to a directory, and make it the working directory, where Crytic looks first."""
    for name, text in request["sources"].items():
        path = Path(directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    os.chdir(directory)
    for name in request["own"]:
        source = request["output"]["sources"][name]
        source["ast"] = without_annotations(source["ast"])


def _analysed(request: dict[str, Any], *, skip_analyze: bool = False) -> _Slither:
    _write(request["directory"], request)
    return _Slither(CryticCompile(_CompiledOutput(request)), show_ignored_findings=True, skip_analyze=skip_analyze)


def _detect(slither: _Slither) -> dict[str, Any]:
    classes = detectors()
    for detector in classes:
        slither.register_detector(detector)
    return {
        "results": [result for found in slither.run_detectors() for result in found],
        "detectors": [detector.ARGUMENT for detector in classes],
        "slither_version": version("slither-analyzer"),
    }


@contextmanager
def _no_complaints() -> Iterator[None]:
    """Raise RuntimeError at the end if Slither logged an error."""
    complaints = _Complaints()
    logging.getLogger().addHandler(complaints)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(complaints)
    if complaints.texts:
        raise RuntimeError(complaints.texts[0])


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


class Library:
    """Library sources that Slither has analysed, if it could.

    Attributes:
        slither: The analysis, None if it failed.
        directory: Where the sources lie.
    """

    def __init__(self, text: str, directory: str) -> None:
        self.directory = directory
        self.slither: _Slither | None = None
        request = {**json.loads(text), "directory": directory, "own": []}
        try:
            with _no_complaints():
                begun = _analysed(request, skip_analyze=True)
                begin(begun)
            self.slither = begun
        except Exception as error:
            sys.stderr.write(f"no analysis of the library: {type(error).__name__}\n")


def _answer(request: dict[str, Any], answers: BinaryIO, library: Library | None = None) -> None:
    """Answer in a fork, and never return."""
    status = 1
    try:
        _limit()
        try:
            content = analyse(request, library)
        except Exception as error:
            content = {"error": f"{type(error).__name__}: {error}"[:500]}
        answers.write(frame(content))
        answers.flush()
        status = 0
    finally:
        os._exit(status)


def _limit() -> None:
    # The process ends before collecting would be worth its time.
    gc.disable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))


def _answered(request: dict[str, Any], answers: BinaryIO, library: Library | None = None) -> bool:
    """Answer in a fork, and wait for it; return whether it ended well."""
    child = os.fork()
    if child == 0:
        _answer(request, answers, library)
    return os.waitpid(child, 0)[1] == 0


@dataclass(frozen=True, slots=True)
class _Process:
    """One that keeps a library's analysis; it ends when the connection does."""

    process_id: int
    connection: socket.socket

    def answered(self, request: dict[str, Any]) -> bool:
        """Have a request answered; return whether that went well."""
        try:
            self.connection.sendall(frame(request))
            return self.connection.recv(1) == b"1"
        except OSError:
            return False

    def end(self) -> None:
        self.connection.close()
        os.waitpid(self.process_id, 0)


class _Libraries:
    """Processes that keep analyses, by the hash of what was analysed, the latest used last."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._kept: OrderedDict[str, _Process] = OrderedDict()

    def of(self, text: str) -> _Process:
        """Return the process for a library, which is started if it is not there."""
        key = hashlib.sha256(text.encode()).hexdigest()
        if key not in self._kept:
            if len(self._kept) == MAX_LIBRARIES:
                self._kept.popitem(last=False)[1].end()
            self._kept[key] = self._start(text)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _start(self, text: str) -> _Process:
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            ours.close()
            for other in self._kept.values():
                other.connection.close()
            _serve_library(text, theirs, self._answers)
        theirs.close()
        return _Process(child, ours)


def _serve_library(text: str, connection: socket.socket, answers: BinaryIO) -> None:
    """Analyse a library and serve until the connection ends, in a fork, and never return."""
    status = 1
    try:
        _limit()
        # Below the working directory, which the caller deletes.
        library = Library(text, tempfile.mkdtemp(dir=Path.cwd()))
        gc.freeze()
        requests = connection.makefile("rb")
        while (request := read_frame(requests)) is not None:
            answered = _answered(request, answers, library)
            for name in request["sources"]:
                (Path(library.directory) / name).unlink(missing_ok=True)
            connection.sendall(b"1" if answered else b"0")
        status = 0
    finally:
        os._exit(status)


def main() -> int:
    """Serve until standard input ends, or an audit dies."""
    give_up_privileges()
    # Whatever prints must not come between the frames.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    libraries = _Libraries(answers)
    while (request := read_frame(sys.stdin.buffer)) is not None:
        text = request["library"]
        if not (_answered(request, answers) if text is None else libraries.of(text).answered(request)):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
