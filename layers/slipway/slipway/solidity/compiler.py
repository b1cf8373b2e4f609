"""The Solidity compiler, run in this process.

npm's `solc` package is one JavaScript file, `soljson.js`: the real compiler as WebAssembly. Here it runs in
V8 from PyPI's `mini-racer`. Input and output are the compiler's standard JSON, as
https://docs.soliditylang.org/en/latest/using-the-compiler.html#compiler-input-and-output-json-description
describes it; the three exported functions are those solc-js binds (`solidity_compile`, `solidity_reset`,
`solidity_version`).

The functions that build an input are pure apart from the resolver they are given. `mini-racer` is imported
when the first context is made, so that importing this module costs nothing.
"""

from __future__ import annotations

import asyncio
import json
import posixpath
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

type Resolver = Callable[[str], str | None]
"""Gives a source's text by its unit name (`@openzeppelin/contracts/…/ERC20.sol`), None if there is none."""

MAX_SOURCES = 500
"""How many source files one input may have, imports included."""

MAX_SOURCE_BYTES = 4 * 1024 * 1024
"""How many bytes of UTF-8 the sources of one input may have together, imports included."""

DEFAULT_OUTPUTS = ("abi", "evm.bytecode.object", "evm.deployedBytecode.object")

EVM_VERSION = "cancun"

MEBIBYTE = 1024 * 1024

CROWDED = 4
"""How many times its processor time a compilation may take by the clock, where others have the processor too."""

_POLL_INTERVAL_SECONDS = 0.05

_V8_FLAGS = ("--single-threaded", "--wasm-sync-tier-up", "--wasm-tiering-budget=500000000")
"""mini-racer runs V8 in one thread, so the threads that would optimize hot WebAssembly are missing: it would stay in
the baseline compiler's code, a third slower than in Node. This optimizes it in the same thread, only what is hottest.
"""


class CompilerError(Exception):
    """Anything that kept the compiler from giving bytecode."""


@dataclass(frozen=True, slots=True)
class CompilerMessage:
    """One entry of the compiler's `errors`.

    Attributes:
        severity: `error`, `warning` or `info`.
        kind: The compiler's class of it, such as `ParserError` or `TypeError`.
        code: The compiler's number for it, or an empty string.
        text: The message alone.
        formatted: The message with the file, the line and the excerpt it is about.
        file: The source unit it is about, or an empty string.
        start: Byte offset of the place in that source, or -1.
        end: Byte offset behind the place, or -1.
    """

    severity: str
    kind: str
    text: str
    formatted: str
    code: str = ""
    file: str = ""
    start: int = -1
    end: int = -1


class CompilationError(CompilerError):
    """The sources do not compile.

    Attributes:
        messages: The compiler's messages of severity `error`, in its order; at least one.
    """

    def __init__(self, messages: Sequence[CompilerMessage]) -> None:
        self.messages = tuple(messages)
        super().__init__("\n".join(message.formatted.strip() for message in self.messages))


class ImportNotFoundError(CompilationError):
    """A source imports a file that is not there, or that may not be read.

    Attributes:
        name: The source unit that is missing.
        importer: The source unit that imports it.
    """

    def __init__(self, name: str, importer: str) -> None:
        self.name = name
        self.importer = importer
        text = f'Source "{name}" not found: imported by {importer}.'
        super().__init__([CompilerMessage("error", "ParserError", text, f"ParserError: {text}", file=importer)])


class CompileTimeout(CompilerError):  # noqa: N818
    """The compiler was stopped because it took too long. The next compilation starts from a fresh context.

    Attributes:
        seconds: How long it was given, of the processor.
        starved: Whether the clock stopped it, on a machine so busy that it did not get its processor time.
    """

    def __init__(self, seconds: float, *, starved: bool = False) -> None:
        self.seconds = seconds
        self.starved = starved
        super().__init__(f"The compiler did not finish within {seconds:g} seconds")


class CompilerCrashError(CompilerError):
    """The compiler itself failed: out of memory, stack exhausted, or an answer that is no standard JSON.

    The next compilation starts from a fresh context.
    """


# Strings and comments are matched first, so that neither hides or feigns an import. Both end where the
# compiler's scanner sees the end of a line.
_TOKEN = re.compile(
    r"""
    (?P<comment> //[^\n\v\f\r\u2028\u2029]* | /\*.*?(?:\*/|\Z) )
    | (?P<string> "(?:\\.|[^"\\\n\v\f\r\u2028\u2029])*" | '(?:\\.|[^'\\\n\v\f\r\u2028\u2029])*' )
    | (?P<word> [A-Za-z_$][A-Za-z0-9_$]* )
    | (?P<mark> [^\s] )
    """,
    re.VERBOSE | re.DOTALL,
)


def imports_of(source: str) -> list[str]:
    """Return the paths that a source imports, as written, in order, each once; the source need not be valid."""
    found: dict[str, None] = {}
    importing = False
    for token in _TOKEN.finditer(source):
        if token["comment"] is not None:
            continue
        if token["word"] == "import":
            importing = True
        elif token["mark"] == ";":
            importing = False
        elif token["string"] is not None and importing:
            found[token["string"][1:-1]] = None
            importing = False
    return list(found)


def words_of(source: str) -> Iterator[str]:
    """Yield names and keywords of a source, in order, without comments and strings; the source need not be valid."""
    return (token["word"] for token in _TOKEN.finditer(source) if token["word"] is not None)


def _unit_name(path: str, importer: str) -> str:
    """Return the source unit an import path means: relative to the importer if it starts with a dot."""
    if not path.startswith(("./", "../")):
        return path
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), path))


def source_closure(sources: Mapping[str, str], resolve: Resolver) -> dict[str, str]:
    """Add to the sources everything they import, directly or not, and nothing else.

    Returns:
        Source text by unit name, sorted by name.

    Raises:
        ImportNotFoundError: An import is neither among `sources` nor known to `resolve`.
        CompilationError: There are more than `MAX_SOURCES` files or `MAX_SOURCE_BYTES` bytes.
    """
    closure: dict[str, str] = {}
    size = 0
    # Each entry: unit name, text if it is known, and who imports it.
    pending: list[tuple[str, str | None, str]] = [(name, text, "") for name, text in sources.items()]
    while pending:
        name, text, importer = pending.pop()
        if name in closure:
            continue
        if text is None:
            text = sources[name] if name in sources else resolve(name)
        if text is None:
            raise ImportNotFoundError(name, importer)
        closure[name] = text
        size += len(text.encode("utf-8", "surrogatepass"))
        if len(closure) > MAX_SOURCES or size > MAX_SOURCE_BYTES:
            mebibytes = MAX_SOURCE_BYTES // MEBIBYTE
            limit = f"The sources exceed {MAX_SOURCES} files or {mebibytes} MiB, imports included."
            raise CompilationError([CompilerMessage("error", "InputError", limit, limit, file=name)])
        pending += [(_unit_name(path, name), None, name) for path in imports_of(text)]
    return dict(sorted(closure.items()))


def node_modules_resolver(folder: Path) -> Resolver:
    """Resolve imports of packages (`@openzeppelin/contracts/…`) from a `node_modules` folder.

    Sources may come from strangers, so only `.sol` files that really lie inside the folder are read.
    """
    root = folder.resolve()

    def resolve(name: str) -> str | None:
        if not name.endswith(".sol") or "\0" in name or "\\" in name:
            return None
        try:
            path = (root / name).resolve()
            if path.is_relative_to(root) and path.is_file():
                return path.read_text(encoding="utf-8")
        except OSError:
            # Such as a name that is too long for a file.
            return None
        return None

    return resolve


def build_input(
    sources: Mapping[str, str],
    resolve: Resolver,
    *,
    optimizer_runs: int = 200,
) -> dict[str, Any]:
    """Build the compiler's standard-JSON input.

    The bytecode ends in a hash of its metadata, which holds hashes of the sources: by it a verifier can say that they
    are the same to the letter. Equal sources of equal names give equal bytecode wherever they lie.

    Args:
        sources: Source text by unit name; what they import is added.
        resolve: Gives what is imported and not among `sources`.
        optimizer_runs: How often the code is expected to run; 0 turns the optimizer off.

    Returns:
        A standard-JSON input that is complete in itself.

    Raises:
        ImportNotFoundError: An import cannot be resolved.
        CompilationError: The sources are too large.
    """
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in source_closure(sources, resolve).items()},
        "settings": {
            "evmVersion": EVM_VERSION,
            "optimizer": {"enabled": optimizer_runs > 0, "runs": max(optimizer_runs, 1)},
            "metadata": {"bytecodeHash": "ipfs"},
            "outputSelection": {"*": {"*": list(DEFAULT_OUTPUTS)}},
        },
    }


# WebAssembly memory lies outside the V8 heap, so V8's own limit does not hold it. The compiler takes a
# refused growth as being out of memory. `print` is muted: V8 alone has none.
_PRELUDE = """
var Module = { print: function () {}, printErr: function () {} };
(function (limit) {
  const grow = WebAssembly.Memory.prototype.grow;
  WebAssembly.Memory.prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * 65536 > limit) throw new RangeError("memory limit reached");
    return grow.call(this, pages);
  };
})(%d);
"""

_BINDINGS = """
var slipwayVersion = Module.cwrap("solidity_version", "string", []);
// Kept here until the next one: Python reads it where it lies, and mini-racer does not keep it from being collected.
var slipwayOutput;
var slipwayCompile = (function () {
  const compile = Module.cwrap("solidity_compile", "number", ["string", "number", "number"]);
  const reset = Module.cwrap("solidity_reset", null, []);
  return function (input) {
    const start = compile(input, 0, 0);
    slipwayOutput = Module.HEAPU8.slice(start, Module.HEAPU8.indexOf(0, start)).buffer;
    reset();
    return slipwayOutput;
  };
})();
"""


class Compiler:
    """One compiler, kept warm between compilations.

    The V8 context is made by the first use and closed by `close`, by the end of a `with` block, when the
    object is dropped, and at the latest when the interpreter exits, which would hang otherwise. After a
    timeout or a crash it is thrown away, and the next use makes another. Threads may share a compiler; they
    take turns.

    A context takes about 0.3 s to make and, with OpenZeppelin's ERC-20, about 210 MB.
    """

    def __init__(
        self,
        soljson_path: Path,
        *,
        timeout_seconds: float = 30.0,
        heap_bytes: int = 512 * MEBIBYTE,
        memory_bytes: int = 512 * MEBIBYTE,
    ) -> None:
        """Remember the settings; start nothing.

        Args:
            soljson_path: `soljson.js` of npm's `solc` package.
            timeout_seconds: How long loading the compiler may take, and each compilation unless it says
                otherwise, in seconds of the processor; by the clock it is `CROWDED` times as long.
            heap_bytes: The most that V8's heap may grow to (code, JavaScript objects).
            memory_bytes: The most that the compiler's own memory may grow to (its initial size is 32 MiB).
        """
        self._soljson_path = soljson_path
        self._timeout_seconds = timeout_seconds
        self._heap_bytes = heap_bytes
        self._memory_bytes = memory_bytes
        self._turn = threading.RLock()
        self._context: _Engine | None = None
        self._close_context: weakref.finalize[..., Compiler] | None = None

    def __enter__(self) -> Compiler:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the V8 context. The compiler stays usable; its next use makes another."""
        with self._turn:
            self._context = None
            if self._close_context is not None:
                self._close_context()
                self._close_context = None

    @property
    def version(self) -> str:
        """The compiler's version as explorers know it, such as `0.8.30+commit.73712a01`.

        Raises:
            CompilerCrashError: The compiler cannot be loaded.
        """
        with self._turn, self._guarded():
            full = str(self._loaded().evaluate("slipwayVersion()", self._timeout_seconds))
        return full.removesuffix(".Emscripten.clang")

    def compile(
        self, standard_json_input: Mapping[str, Any], *, timeout_seconds: float | None = None
    ) -> dict[str, Any]:
        """Compile a standard-JSON input.

        Args:
            standard_json_input: What `build_input` returns, or any complete standard-JSON input. Imports that
                it does not hold are not fetched: they are errors.
            timeout_seconds: How much of the processor it may take, instead of the compiler's own limit.

        Returns:
            The standard-JSON output: `contracts` by source and name, `sources`, and warnings as `errors`.

        Raises:
            CompilationError: The sources do not compile; the messages say why.
            CompileTimeout: It took too long.
            CompilerCrashError: The compiler ran out of memory or stack, or could not be loaded.
        """
        limit = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        call = f"slipwayCompile({json.dumps(json.dumps(standard_json_input))})"
        with self._turn, self._guarded():
            answer = self._loaded().evaluate(call, limit)
            try:
                output = json.loads(bytes(answer))
            except ValueError as error:
                raise CompilerCrashError("The compiler's answer is not JSON") from error
        if not isinstance(output, dict):
            raise CompilerCrashError("The compiler's answer is not an object")
        errors = [_message(entry) for entry in output.get("errors", []) if entry.get("severity") == "error"]
        if errors:
            if any(error.kind in _CRASHES for error in errors):
                self.close()
                raise CompilerCrashError("; ".join(error.text for error in errors))
            raise CompilationError(errors)
        return output

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Throw the context away after anything but success, and translate V8's errors."""
        from py_mini_racer import JSEvalException, JSOOMException

        try:
            yield
        except JSOOMException as error:
            self.close()
            raise CompilerCrashError("The compiler ran out of memory") from error
        except JSEvalException as error:
            self.close()
            raise CompilerCrashError(f"The compiler failed: {str(error).splitlines()[0]}") from error
        except BaseException:
            self.close()
            raise

    def _loaded(self) -> _Engine:
        if self._context is not None:
            return self._context
        try:
            script = self._soljson_path.read_text(encoding="utf-8")
        except OSError as error:
            raise CompilerCrashError(f"There is no compiler at {self._soljson_path}") from error
        context = _Engine(self._heap_bytes)
        # Registered before anything is run in it: whatever happens now, the context is closed at exit.
        self._close_context = weakref.finalize(self, context.close)
        for part in (_PRELUDE % self._memory_bytes, script, _BINDINGS):
            context.evaluate(part, self._timeout_seconds)
        self._context = context
        return context


_CRASHES = frozenset({"Exception", "FatalError", "InternalCompilerError"})
"""Kinds of message that report the compiler's own failure; being out of memory is an `Exception`."""


class _Engine:
    """A V8 context with an event loop of its own, in which each evaluation is bounded by the processor's time.

    mini-racer would adopt the loop that a thread runs already, where neither limits nor synchronous calls would work.
    """

    def __init__(self, heap_bytes: int) -> None:
        from py_mini_racer import init_mini_racer, mini_racer

        # Only the first call in a process has an effect.
        init_mini_racer(flags=_V8_FLAGS, ignore_duplicate_init=True)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._stack = ExitStack()
        self._stack.callback(self._end_loop)
        self._racer = self._stack.enter_context(mini_racer(self._loop))
        self._racer.set_hard_memory_limit(heap_bytes)

    def close(self) -> None:
        """Free the context."""
        self._stack.close()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def evaluate(self, code: str, seconds: float) -> Any:
        """Evaluate JavaScript.

        Raises:
            CompileTimeout: It took so many seconds of the processor, or `CROWDED` times as many by the clock.
        """
        return asyncio.run_coroutine_threadsafe(self._bounded(code, seconds), self._loop).result()

    async def _bounded(self, code: str, seconds: float) -> Any:
        ends_at, gives_up_at = time.process_time() + seconds, time.monotonic() + CROWDED * seconds
        task = asyncio.ensure_future(self._racer.eval_cancelable(code))
        while not (await asyncio.wait({task}, timeout=_POLL_INTERVAL_SECONDS))[0]:
            worked = time.process_time() >= ends_at
            if worked or time.monotonic() >= gives_up_at:
                task.cancel()
                await asyncio.wait({task})
                raise CompileTimeout(seconds, starved=not worked)
        return task.result()


def _message(entry: Mapping[str, Any]) -> CompilerMessage:
    place = entry.get("sourceLocation") or {}
    text = str(entry.get("message", ""))
    return CompilerMessage(
        severity=str(entry.get("severity", "error")),
        kind=str(entry.get("type", "")),
        text=text,
        formatted=str(entry.get("formattedMessage") or text),
        code=str(entry.get("errorCode", "")),
        file=str(place.get("file", "")),
        start=int(place.get("start", -1)),
        end=int(place.get("end", -1)),
    )
