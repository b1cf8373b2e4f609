"""Compiles generated sources against OpenZeppelin's contracts, within limits of time and memory."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from slipway.builds.audit.library_trees import LibraryTrees, key_of, with_trees
from slipway.builds.audit.models import Compilation, Problem
from slipway.errors import CompilationFailedError, CompilerBusyError, CompileTimeoutError
from slipway.observability import logger
from slipway.solidity.compiler import (
    DEFAULT_OUTPUTS,
    MEBIBYTE,
    CompilationError,
    Compiler,
    CompilerCrashError,
    CompilerMessage,
    CompileTimeout,
    Resolver,
    build_input,
    imports_of,
    node_modules_resolver,
)
from slipway.solidity.toolchain import LIBRARY, Toolchain

COMPILE_SECONDS = 15.0
"""How much of the processor one compilation may take; OpenZeppelin's governor, the largest of them, takes three."""

COMPILER_BYTES = 256 * MEBIBYTE
"""How much the compiler's own memory, and V8's heap, may each grow to."""

MAX_OWN_BYTES = 256 * 1024
"""How many bytes of UTF-8 our own sources may have together."""

MAX_PROBLEMS = 50

_NAME = re.compile(r"(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+\.sol", re.ASCII)


def new_compiler(toolchain: Toolchain, *, timeout_seconds: float = COMPILE_SECONDS) -> Compiler:
    """Return the compiler with the limits of a build; keep it, because it stays warm."""
    return Compiler(
        toolchain.soljson,
        timeout_seconds=timeout_seconds,
        heap_bytes=COMPILER_BYTES,
        memory_bytes=COMPILER_BYTES,
    )


def compile_sources(
    compiler: Compiler, toolchain: Toolchain, sources: Mapping[str, str], trees: LibraryTrees | None = None
) -> Compilation:
    """Compile sources, with the library's syntax trees from ``trees`` where they are kept.

    Raises:
        CompilationFailedError: The sources have errors; ``details.problems`` has them with their lines.
        CompileTimeoutError: The compiler was stopped by its limit of time or memory, or broke down over the sources.
        CompilerBusyError: It did not get its time, because the machine is busy; the same sources may compile later.
    """
    began = time.monotonic()
    problems = refusals(sources)
    if problems:
        raise _failed(problems)
    try:
        standard_json_input = compiler_input(sources, toolchain)
        version = compiler.version
        output = _compile(compiler, version, standard_json_input, sources, trees)
    except CompilationError as error:
        raise _failed(problems_of(error.messages, sources)) from error
    except CompileTimeout as error:
        if error.starved:
            raise CompilerBusyError("The compiler did not get the processor time that it needs") from error
        raise CompileTimeoutError(
            f"The compiler did not finish within {error.seconds:g} seconds", details={"limit": "time"}
        ) from error
    except CompilerCrashError as error:
        # What a stranger's source makes of the compiler is not a mistake of ours, and comes again with the same source.
        raise CompileTimeoutError(
            "The compiler was stopped: it ran out of memory over this source, or broke down",
            details={"limit": "memory"},
        ) from error
    return Compilation(
        sources=dict(sources),
        compiler_version=version,
        standard_json_input=standard_json_input,
        standard_json_output=output,
        seconds=time.monotonic() - began,
    )


def _compile(
    compiler: Compiler,
    version: str,
    standard_json_input: dict[str, Any],
    sources: Mapping[str, str],
    trees: LibraryTrees | None,
) -> dict[str, Any]:
    key = key_of(standard_json_input, sources, version) if trees else None
    if trees is None or key is None:
        return compiler.compile(standard_json_input)
    if known := trees.find(key):
        selection = {**standard_json_input["settings"]["outputSelection"], "*": {"*": ["abi"]}}
        settings = {**standard_json_input["settings"], "outputSelection": selection}
        output = compiler.compile({**standard_json_input, "settings": settings})
        if whole := with_trees(output, known):
            return whole
        logger.error("the library's syntax trees are not those that were kept")
    output = compiler.compile(standard_json_input)
    trees.keep(key, output, sources)
    return output


def compiler_input(sources: Mapping[str, str], toolchain: Toolchain) -> dict[str, Any]:
    """Build the standard-JSON input: bytecode for our own contracts only, which saves time, and all syntax trees.

    Raises:
        CompilationError: An import is missing, or the sources are too large.
    """
    content = build_input(sources, library_resolver(toolchain))
    own = {"": ["ast"], "*": list(DEFAULT_OUTPUTS)}
    content["settings"]["outputSelection"] = {"*": {"": ["ast"], "*": ["abi"]}} | dict.fromkeys(sources, own)
    return content


def library_resolver(toolchain: Toolchain) -> Resolver:
    """Resolve imports of the library contracts and of nothing else."""
    resolve = node_modules_resolver(toolchain.node_modules)
    return lambda name: resolve(name) if name.startswith(LIBRARY) else None


def refusals(sources: Mapping[str, str]) -> list[Problem]:
    """Return why sources are not given to the compiler at all.

    Names are plain relative paths, so that none can pass for a library contract or lead out of its folder; imports are
    of the library or of each other.
    """
    found = [
        _problem(name, "A source is named like contracts/Token.sol") for name in sources if not _NAME.fullmatch(name)
    ]
    if not sources:
        found.append(_problem("", "There is no source"))
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in sources.values())
    if size > MAX_OWN_BYTES:
        return [*found, _problem("", f"The sources have {size} bytes, over the limit of {MAX_OWN_BYTES}")]
    for name, text in sources.items():
        found += [
            _problem(name, f'"{path}" can\'t be imported: only {LIBRARY} can', line=_line_of(text, path))
            for path in imports_of(text)
            if not (path.startswith((LIBRARY, "./", "../")) or path in sources)
        ]
    return found[:MAX_PROBLEMS]


def problems_of(messages: Sequence[CompilerMessage], sources: Mapping[str, str]) -> list[Problem]:
    """Return the compiler's errors with lines and columns; it gives byte offsets."""
    problems = []
    for message in messages[:MAX_PROBLEMS]:
        line = column = None
        if message.start >= 0 and message.file in sources:
            before = sources[message.file].encode("utf-8", "surrogatepass")[: message.start]
            line = before.count(b"\n") + 1
            column = message.start - (before.rfind(b"\n") + 1) + 1
        text = message.text[:1000]
        problems.append(Problem(file=message.file, line=line, column=column, kind=message.kind, message=text))
    return problems


def _problem(file: str, message: str, line: int | None = None) -> Problem:
    return Problem(file=file[:200], line=line, column=None, kind="InputError", message=message[:1000])


def _line_of(text: str, path: str) -> int | None:
    place = text.find(path)
    return text.count("\n", 0, place) + 1 if place >= 0 else None


def _failed(problems: Sequence[Problem]) -> CompilationFailedError:
    first = problems[0]
    place = f"{first.file}:{first.line}: " if first.line else f"{first.file}: " if first.file else ""
    return CompilationFailedError(
        f"{place}{first.message}", details={"problems": [problem.model_dump() for problem in problems]}
    )
