"""The compiler as a library: inputs, imports, refusals, limits, and what happens after one was reached."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.solidity import compiler
from slipway.solidity.compiler import (
    CompilationError,
    Compiler,
    CompilerCrashError,
    CompileTimeout,
    ImportNotFoundError,
    build_input,
    imports_of,
    node_modules_resolver,
    source_closure,
)

ROOT = Path(__file__).resolve().parents[2]
NODE_MODULES = ROOT / "node_modules"
SOLJSON = NODE_MODULES / "solc" / "soljson.js"
HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.27;\n"
NOTHING = dict[str, str]().get
SIMPLE = build_input({"A.sol": HEAD + "contract A { uint256 public x = 7; }"}, NOTHING)
# Takes the optimizer well over a second.
SLOW = build_input(
    {
        "Slow.sol": HEAD
        + "contract Slow { function f(uint256 a) external pure returns (uint256) { unchecked {"
        + "".join(f"a = a * {k} + (a >> {k % 200});" for k in range(3, 4000))
        + "} return a; } }"
    },
    NOTHING,
)


@pytest.fixture(scope="module", autouse=True)
def node_modules() -> Path:
    if not SOLJSON.is_file():
        pytest.fail("These tests run node_modules/solc/soljson.js: run `npm ci` first")
    return NODE_MODULES


@pytest.fixture(scope="module")
def warm() -> Iterator[Compiler]:
    with Compiler(SOLJSON) as shared:
        yield shared


def _code(output: dict[str, object], source: str = "A.sol", name: str = "A") -> str:
    return output["contracts"][source][name]["evm"]["bytecode"]["object"]  # type: ignore[index,no-any-return]


# --- imports ---


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('import "a.sol";', ["a.sol"]),
        ("import 'a.sol';", ["a.sol"]),
        ('import {A, B as C} from "a.sol";', ["a.sol"]),
        ('import * as x from "a.sol";', ["a.sol"]),
        ('import "a.sol" as x;', ["a.sol"]),
        ('import\n{\n  A\n}\nfrom\n"./b.sol";', ["./b.sol"]),
        ('import "a.sol"; import "b.sol"; import "a.sol";', ["a.sol", "b.sol"]),
        ('// import "a.sol";\n/* import "b.sol"; */', []),
        ('import /* "x.sol" */ "a.sol"; // "y.sol"', ["a.sol"]),
        ('string constant S = "// no comment"; import "a.sol";', ["a.sol"]),
        ("string constant S = 'import \"a.sol\";';", []),
        ('string constant S = "\\"; import \'a.sol\';";', []),
        ('important "a.sol"; uint256 import_ = 1; s = "b.sol";', []),
        ('/* never closed import "a.sol";', []),
        ('// a comment ends here\u2028import "a.sol";', ["a.sol"]),
        ("", []),
    ],
)
def test_imports_are_found_where_the_language_has_them(source: str, expected: list[str]) -> None:
    assert imports_of(source) == expected


@given(st.text())
def test_any_text_can_be_searched_for_imports(text: str) -> None:
    assert isinstance(imports_of(text), list)


def test_closure_holds_what_is_imported_and_nothing_else() -> None:
    library = {
        "p/a.sol": 'import "./deep/b.sol";',
        "p/deep/b.sol": 'import "../c.sol";',
        "p/c.sol": "",
        "p/d.sol": "",
    }
    closure = source_closure({"Main.sol": 'import "p/a.sol";'}, library.get)
    assert list(closure) == ["Main.sol", "p/a.sol", "p/c.sol", "p/deep/b.sol"]


def test_sources_may_import_each_other_in_a_circle() -> None:
    circle = {"a.sol": 'import "./b.sol";', "b.sol": 'import "./a.sol";'}
    assert source_closure(circle, NOTHING) == circle


def test_missing_import_names_itself_and_its_importer() -> None:
    with pytest.raises(ImportNotFoundError) as caught:
        build_input({"A.sol": 'import "nowhere/B.sol";'}, NOTHING)
    assert (caught.value.name, caught.value.importer) == ("nowhere/B.sol", "A.sol")
    (message,) = caught.value.messages
    assert "nowhere/B.sol" in message.text
    assert message.file == "A.sol"


@pytest.mark.parametrize(
    "name",
    [
        "../package.json",
        "../contracts/HokusaiToken.sol",
        "@openzeppelin/../../contracts/HokusaiToken.sol",
        "/etc/passwd",
        "/etc/passwd.sol",
        "solc/package.json",
        "@openzeppelin/contracts",
        "x\0.sol",
        "x" * 5000 + ".sol",
        "..\\contracts\\HokusaiToken.sol",
        "",
    ],
)
def test_nothing_outside_the_packages_is_read(name: str, node_modules: Path) -> None:
    assert node_modules_resolver(node_modules)(name) is None


def test_links_do_not_lead_out_of_the_packages(tmp_path: Path) -> None:
    outside = tmp_path / "outside.sol"
    outside.write_text("secret")
    folder = tmp_path / "node_modules"
    folder.mkdir()
    (folder / "link.sol").symlink_to(outside)
    assert node_modules_resolver(folder)("link.sol") is None


def test_too_many_and_too_large_sources_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "MAX_SOURCES", 2)
    with pytest.raises(CompilationError, match="exceed 2 files"):
        source_closure({"a": "", "b": "", "c": ""}, NOTHING)
    monkeypatch.setattr(compiler, "MAX_SOURCE_BYTES", 10)
    with pytest.raises(CompilationError, match="exceed"):
        source_closure({"a": "x" * 11}, NOTHING)


# --- compiling ---


def test_version_is_the_locked_one(warm: Compiler) -> None:
    locked = (NODE_MODULES / "solc" / "package.json").read_text()
    assert f'"version": "{warm.version.partition("+")[0]}"' in locked


def test_openzeppelin_token_compiles_without_warnings(warm: Compiler, node_modules: Path) -> None:
    source = HEAD + (
        'import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";\n'
        'contract A is ERC20 { constructor() ERC20("A", "A") { _mint(msg.sender, 1); } }'
    )
    output = warm.compile(build_input({"A.sol": source}, node_modules_resolver(node_modules)))
    assert len(bytes.fromhex(_code(output))) > 1000
    assert output.get("errors", []) == []


def test_warnings_are_part_of_the_output(warm: Compiler) -> None:
    source = HEAD + "contract A { function f() external returns (uint256) { return 1; } }"
    (warning,) = warm.compile(build_input({"A.sol": source}, NOTHING))["errors"]
    assert warning["severity"] == "warning"


def test_same_input_gives_same_output_warm_or_cold(warm: Compiler) -> None:
    with Compiler(SOLJSON) as cold:
        assert cold.compile(SIMPLE) == warm.compile(SIMPLE) == warm.compile(SIMPLE)


def test_syntax_tree_comes_on_request(warm: Compiler) -> None:
    wanted = build_input({"A.sol": HEAD + "contract A {}"}, NOTHING)
    wanted["settings"]["outputSelection"]["*"][""] = ["ast"]
    assert warm.compile(wanted)["sources"]["A.sol"]["ast"]["nodeType"] == "SourceUnit"
    assert "ast" not in warm.compile(SIMPLE)["sources"]["A.sol"]


def test_optimizer_can_be_turned_off(warm: Compiler) -> None:
    sources = {"A.sol": HEAD + "contract A { uint256 public x = 7; }"}
    assert _code(warm.compile(build_input(sources, NOTHING, optimizer_runs=0))) != _code(warm.compile(SIMPLE))


def test_syntax_error_says_what_and_where(warm: Compiler) -> None:
    source = HEAD + "contract A { uint256 x = ; }"
    with pytest.raises(CompilationError) as caught:
        warm.compile(build_input({"A.sol": source}, NOTHING))
    (message,) = caught.value.messages
    assert (message.severity, message.kind, message.file) == ("error", "ParserError", "A.sol")
    assert source[message.start] == ";"
    assert "A.sol:3:" in str(caught.value)


def test_all_errors_are_reported_and_warnings_are_not_among_them(warm: Compiler) -> None:
    source = HEAD + "contract A { function f() external { uint256 u; g(); h(); } }"
    with pytest.raises(CompilationError) as caught:
        warm.compile(build_input({"A.sol": source}, NOTHING))
    assert [message.kind for message in caught.value.messages] == ["DeclarationError"] * 2


def test_import_that_the_input_lacks_is_an_error(warm: Compiler) -> None:
    lacking = {**SIMPLE, "sources": {"A.sol": {"content": HEAD + 'import "b.sol"; contract A {}'}}}
    with pytest.raises(CompilationError, match=r"b\.sol"):
        warm.compile(lacking)


@pytest.mark.parametrize("wrong", [{}, {"language": "Cobol", "sources": {}}, {"language": "Solidity"}])
def test_what_is_no_standard_json_input_is_refused(warm: Compiler, wrong: dict[str, object]) -> None:
    with pytest.raises(CompilationError):
        warm.compile(wrong)


def test_any_text_passes_through_unharmed(warm: Compiler) -> None:
    source = HEAD + '// `${x}` \\ " \' </script> é 漢 🚢\ncontract A { string public s = unicode"🚢 é"; }'
    assert "🚢 é".encode().hex() in _code(warm.compile(build_input({"A.sol": source}, NOTHING)))


def test_errors_leave_the_context_in_use() -> None:
    with Compiler(SOLJSON) as one:
        one.compile(SIMPLE)
        context = one._context
        with pytest.raises(CompilationError):
            one.compile(build_input({"A.sol": "contract"}, NOTHING))
        assert one._context is context
        assert _code(one.compile(SIMPLE))


# --- limits ---


def test_an_answer_outlives_a_collection_of_garbage() -> None:
    with Compiler(SOLJSON) as one:
        one.compile(SIMPLE)
        engine = one._context
        assert engine
        answer = engine.evaluate(f"slipwayCompile({json.dumps(json.dumps(SIMPLE))})", 30)
        for _ in range(3):
            engine.evaluate("for (let i = 0; i < 200; i++) new Uint8Array(100000).fill(i); 0", 30)
            engine._racer.low_memory_notification()
        assert json.loads(bytes(answer))["contracts"]


def test_after_a_timeout_another_context_takes_over() -> None:
    with Compiler(SOLJSON) as one:
        one.compile(SIMPLE)
        context = one._context
        with pytest.raises(CompileTimeout) as caught:
            one.compile(SLOW, timeout_seconds=0.2)
        assert caught.value.seconds == 0.2
        assert one._context is None
        assert _code(one.compile(SIMPLE))
        assert one._context is not context


def test_after_memory_runs_out_another_context_takes_over() -> None:
    with Compiler(SOLJSON, memory_bytes=33 * 1024 * 1024) as one:
        with pytest.raises(CompilerCrashError):
            one.compile(SLOW)
        assert one._context is None
        assert _code(one.compile(SIMPLE))


def test_after_a_stack_overflow_another_context_takes_over() -> None:
    deep = build_input({"A.sol": HEAD + "contract A { uint256 x = " + "1+" * 200_000 + "1; }"}, NOTHING)
    with Compiler(SOLJSON) as one:
        with pytest.raises(CompilerCrashError):
            one.compile(deep)
        assert one._context is None
        assert _code(one.compile(SIMPLE))


def test_compiler_that_is_not_there_or_not_one(tmp_path: Path) -> None:
    with pytest.raises(CompilerCrashError, match="no compiler"):
        Compiler(tmp_path / "soljson.js").compile(SIMPLE)
    (tmp_path / "soljson.js").write_text("this is not a compiler")
    with pytest.raises(CompilerCrashError):
        Compiler(tmp_path / "soljson.js").compile(SIMPLE)


def test_closed_compiler_opens_again() -> None:
    one = Compiler(SOLJSON)
    one.close()
    assert _code(one.compile(SIMPLE))
    one.close()
    one.close()
    assert _code(one.compile(SIMPLE))
    one.close()


def test_threads_take_turns(warm: Compiler) -> None:
    before = threading.active_count()
    with ThreadPoolExecutor(max_workers=4) as pool:
        codes = {_code(output) for output in pool.map(warm.compile, [SIMPLE] * 8)}
    assert len(codes) == 1
    assert threading.active_count() <= before


def test_works_and_times_out_inside_an_event_loop() -> None:
    async def inside() -> None:
        with Compiler(SOLJSON) as one:
            assert _code(one.compile(SIMPLE))
            with pytest.raises(CompileTimeout):
                one.compile(SLOW, timeout_seconds=0.2)

    asyncio.run(inside())


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "raise SystemExit"])
def test_interpreter_exits_with_an_open_context(ending: str) -> None:
    script = (
        "import sys; from pathlib import Path; from slipway.solidity.compiler import Compiler\n"
        f"one = Compiler(Path({str(SOLJSON)!r})); print(one.version)\n{ending}"
    )
    path = str(ROOT / "layers" / "slipway")
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "+commit." in result.stdout
    assert result.stderr == ""


def test_importing_the_package_does_not_load_v8() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import sys, slipway.solidity; print('py_mini_racer' in sys.modules)"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "layers" / "slipway")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stdout.strip() == "False"
