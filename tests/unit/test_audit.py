"""Known-vulnerable contracts are refused, clean ones pass, and an audit that did not happen is never passed."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from slipway.builds.audit import __main__ as command
from slipway.builds.audit import auditor as audit
from slipway.builds.audit import slither, slither_worker
from slipway.builds.audit.auditor import Auditor, Outcome
from slipway.builds.audit.compilation import MAX_OWN_BYTES, compile_sources, new_compiler
from slipway.builds.audit.findings import own_findings, passed
from slipway.builds.audit.fixes import mend
from slipway.builds.audit.models import AuditReport, Compilation
from slipway.builds.audit.slither import Slither
from slipway.errors import CompilationFailedError, CompilerBusyError, CompileTimeoutError, SlipwayError
from slipway.solidity import compiler
from slipway.solidity.compiler import Compiler, CompileTimeout
from slipway.solidity.toolchain import find_toolchain
from tests.support.clock import patient_seconds

CONTRACTS = Path(__file__).parent / "solidity"
HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.27;\n"
# Each with the detector that has to speak up, and whether a fixer has an answer.
VULNERABLE = {
    "ArbitraryFrom": ("arbitrary-send-erc20", False),
    "ArbitrarySend": ("arbitrary-send-eth", False),
    "ControlledDelegatecall": ("controlled-delegatecall", False),
    "DivideBeforeMultiply": ("divide-before-multiply", True),
    "IncorrectEquality": ("incorrect-equality", False),
    "LockedEther": ("locked-ether", True),
    "PackedCollision": ("encode-packed-collision", False),
    "Reentrancy": ("reentrancy-eth", True),
    "ReentrancyNoEther": ("reentrancy-no-eth", True),
    "ShadowingAbstract": ("shadowing-state", False),
    "Suppressed": ("reentrancy-eth", True),
    "TxOrigin": ("tx-origin", True),
    "UncheckedCall": ("unchecked-lowlevel", True),
    "UncheckedTransfer": ("unchecked-transfer", True),
    "UninitializedLocal": ("uninitialized-local", True),
    "UninitializedState": ("uninitialized-state", False),
    "UnprotectedSelfdestruct": ("suicidal", False),
    "UnprotectedUpgrade": ("unprotected-upgrade", False),
    "ValueInLoop": ("msg-value-loop", False),
    "WeakRandomness": ("weak-prng", False),
}
CLEAN = sorted(path.stem for path in (CONTRACTS / "clean").glob("*.sol"))


def source(kind: str, name: str) -> dict[str, str]:
    return {f"contracts/{name}.sol": (CONTRACTS / kind / f"{name}.sol").read_text(encoding="utf-8")}


@pytest.fixture(scope="module")
def auditor() -> Iterator[Auditor]:
    with Auditor() as shared:
        yield shared


@pytest.fixture(scope="module")
def small(auditor: Auditor) -> Compilation:
    return auditor.compile(source("vulnerable", "TxOrigin"))


@pytest.fixture(scope="module")
def outcomes(auditor: Auditor) -> Any:
    """First report and mended outcome by name, each made once."""

    @cache
    def outcome(name: str) -> tuple[AuditReport, Outcome]:
        compilation = auditor.compile(source("vulnerable", name))
        report = auditor.audit(compilation)
        return report, auditor.fix(compilation, report)

    return outcome


def test_the_table_has_every_vulnerable_contract() -> None:
    assert sorted(VULNERABLE) == sorted(path.stem for path in (CONTRACTS / "vulnerable").glob("*.sol"))
    assert len({detector for detector, _ in VULNERABLE.values()}) >= 12
    assert len(CLEAN) >= 12


@pytest.mark.parametrize("name", VULNERABLE)
def test_a_vulnerable_contract_is_refused(outcomes: Any, name: str) -> None:
    report, _ = outcomes(name)
    detector, _ = VULNERABLE[name]
    assert not report.passed
    assert report.error is None
    found = next(finding for finding in report.findings if finding.detector == detector)
    assert found.impact in ("High", "Medium")
    assert (found.file, found.contract) == (f"contracts/{name}.sol", name)
    assert found.lines
    assert found.description
    assert detector in report.detectors


@pytest.mark.parametrize("name", VULNERABLE)
def test_what_can_be_mended_is_and_the_rest_stays_refused(outcomes: Any, name: str) -> None:
    before, mended = outcomes(name)
    detector, answered = VULNERABLE[name]
    if not answered:
        assert mended.report == before
        assert mended.compilation.sources == source("vulnerable", name)
        return
    assert mended.report.passed
    (done,) = mended.report.rounds
    assert done.kept
    assert done.number == 1
    assert detector in {fix.detector for fix in done.fixes}
    assert done.findings == before.findings
    assert done.diff.startswith(f"--- a/contracts/{name}.sol\n+++ b/contracts/{name}.sol\n@@")
    assert "+pragma solidity 0.8." in done.diff
    assert mended.report.duration > before.duration


@pytest.fixture(scope="module")
def clean() -> tuple[Compilation, AuditReport]:
    """All clean contracts at once: apart, each would compile and analyse the library anew, which takes a minute."""
    toolchain = find_toolchain()
    together = {file: text for name in CLEAN for file, text in source("clean", name).items()}
    with Auditor(
        toolchain, compiler=Compiler(toolchain.soljson, timeout_seconds=240), slither=Slither(timeout_seconds=240)
    ) as patient:
        compilation = patient.compile(together)
        return compilation, patient.audit(compilation)


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_contract_passes(clean: tuple[Compilation, AuditReport], name: str) -> None:
    compilation, report = clean
    file = f"contracts/{name}.sol"
    touched = [
        finding
        for finding in report.findings
        if finding.impact in ("High", "Medium") and file in {finding.file, *(part.file for part in finding.elements)}
    ]
    assert touched == []
    assert compilation.standard_json_output["contracts"][file][name]["evm"]["bytecode"]["object"]


def test_clean_contracts_pass_with_every_detector(auditor: Auditor, clean: tuple[Compilation, AuditReport]) -> None:
    alone = auditor.compile(source("clean", "Token"))
    for compilation, report in (clean, (alone, auditor.audit(alone))):
        assert report.passed
        assert report.error is None
        assert len(report.detectors) > 90
        assert report.slither_version
        assert report.compiler_version == compilation.compiler_version


def test_a_second_round_answers_what_the_first_uncovered_and_a_passed_one_is_left(auditor: Auditor) -> None:
    text = source("vulnerable", "Reentrancy")["contracts/Reentrancy.sol"]
    both = text.replace('require(sent, "not sent");\n', "").replace("(bool sent, ) = ", "")
    outcome = auditor.audit_and_fix({"contracts/Both.sol": both.replace("contract Reentrancy", "contract Both")})
    assert outcome.report.passed
    assert 1 <= len(outcome.report.rounds) <= audit.MAX_ROUNDS
    assert auditor.fix(outcome.compilation, outcome.report) == outcome


def test_a_round_that_does_not_compile_is_given_up(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(sources: Mapping[str, str], *rest: Any) -> Any:
        mended, done = real(sources, *rest)
        return {name: text + "}" for name, text in mended.items()}, done

    real = mend
    monkeypatch.setattr(audit, "mend", broken)
    outcome = auditor.audit_and_fix(source("vulnerable", "TxOrigin"))
    assert not outcome.report.passed
    assert [done.kept for done in outcome.report.rounds] == [False]
    assert outcome.compilation.sources == source("vulnerable", "TxOrigin")


def test_rounds_are_bounded(auditor: Auditor, monkeypatch: pytest.MonkeyPatch, outcomes: Any) -> None:
    failed, mended = outcomes("TxOrigin")
    worse = iter(range(9, 0, -1))

    def audited(_: Compilation) -> AuditReport:
        found: AuditReport = failed.model_copy(update={"findings": list(failed.findings) * next(worse)})
        return found

    monkeypatch.setattr(auditor, "audit", audited)
    monkeypatch.setattr(auditor, "compile", lambda _: mended.compilation)
    original = Compilation.model_validate(
        mended.compilation.model_dump() | {"sources": source("vulnerable", "TxOrigin")}
    )
    monkeypatch.setattr(audit, "mend", lambda *_: (dict(original.sources), mended.report.rounds[0].fixes))
    outcome = auditor.audit_and_fix(source("vulnerable", "TxOrigin"))
    assert not outcome.report.passed
    assert [done.number for done in outcome.report.rounds] == [1, 2, 3]


def answering(body: str) -> tuple[str, ...]:
    return (sys.executable, "-c", "import sys, time, struct, json, os\n" + body)


FRAME = "out = sys.stdout.buffer; out.write(struct.pack('>I', len(body)) + body); out.flush(); time.sleep(60)"


@pytest.mark.parametrize(
    "body",
    [
        "sys.exit(0)",
        "sys.exit(255)",
        "os.kill(os.getpid(), 9)",
        "time.sleep(60)",
        "sys.stdin.buffer.read(1); time.sleep(60)",
        "body = b''; " + FRAME,
        "body = b'{}'; " + FRAME,
        "body = b'[]'; " + FRAME,
        "body = b'not JSON'; " + FRAME,
        "body = b'{\"results\": []'; " + FRAME,
        "body = json.dumps({'error': 'broken'}).encode(); " + FRAME,
        # No detector ran.
        "body = json.dumps({'results': [], 'detectors': [], 'slither_version': '1'}).encode(); " + FRAME,
        "body = json.dumps({'results': [{}], 'detectors': ['a'], 'slither_version': '1'}).encode(); " + FRAME,
        "body = json.dumps({'results': None, 'detectors': ['a'], 'slither_version': '1'}).encode(); " + FRAME,
        "sys.stdout.buffer.write(b'\\xff' * 64); sys.stdout.flush(); time.sleep(60)",
        "sys.stdout.buffer.write(b'\\0\\0'); sys.stdout.flush()",
    ],
)
def test_an_audit_that_did_not_happen_is_not_passed(small: Compilation, body: str) -> None:
    limit = 1.0
    with (
        Slither(timeout_seconds=limit, command=answering(body)) as broken,
        Auditor(compiler=new_compiler(find_toolchain()), slither=broken) as auditor,
    ):
        began = patient_seconds()
        report = auditor.audit(small)
        assert patient_seconds() - began < limit + 4
    assert not report.passed
    assert report.error is not None
    assert report.error["code"] == "AUDIT_UNAVAILABLE"
    assert auditor.fix(small, report) == Outcome(small, report)
    assert not audit.can_mend(report)


def test_a_lost_process_is_started_again(auditor: Auditor, small: Compilation) -> None:
    adapter = auditor._slither
    adapter.start()
    first = adapter.process_id
    assert first is not None
    os.kill(first, 9)
    for _ in range(3):
        report = auditor.audit(small)
        if report.error is None:
            break
    assert report.error is None
    assert adapter.process_id not in (first, None)


def test_what_slither_can_not_analyse_is_no_pass(auditor: Auditor) -> None:
    # The name is reserved for Slither's own use.
    text = HEAD + "contract SlitherInternalTopLevelContract { uint256 public x = 1; }"
    report = auditor.audit(auditor.compile({"contracts/A.sol": text}))
    assert not report.passed
    assert report.error is not None
    assert "reserved" in report.error["message"]


def test_an_error_that_slither_only_logs_is_no_pass(
    small: Compilation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def logs(self: Any) -> list[Any]:
        logging.getLogger("Slither").error("left something out")
        return []

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(slither_worker._Slither, "run_detectors", logs)
    request = json.loads(json.dumps(slither._request(small, str(tmp_path))))
    with pytest.raises(RuntimeError, match="left something out"):
        slither_worker.analyse(request)


def test_the_worker_says_in_this_process_what_it_says_in_its_own(
    auditor: Auditor, small: Compilation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    request = json.loads(json.dumps(slither._request(small, str(tmp_path))))
    here = slither_worker.analyse(request)
    findings, dependencies = own_findings(here["results"])
    report = auditor.audit(small)
    assert (findings, dependencies) == (report.findings, report.dependency_findings)
    assert not passed(findings)


def test_the_process_knows_no_secret(small: Compilation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    body = "body = json.dumps({'error': ' '.join(sorted(os.environ))}).encode(); " + FRAME
    with Slither(command=answering(body)) as spy, Auditor(slither=spy) as auditor:
        report = auditor.audit(small)
    assert report.error is not None
    assert "PYTHONPATH" in report.error["message"]
    assert "AWS" not in report.error["message"]


def test_the_process_can_not_read_ours(small: Compilation, monkeypatch: pytest.MonkeyPatch) -> None:
    # As Lambda does it: in the environment since the start, where /proc shows it.
    script = "; ".join(
        (
            "import sys, time",
            "from slipway.builds.audit.slither import Slither",
            "adapter = Slither(command=(sys.executable, '-c', sys.argv[1]))",
            "adapter.start()",
            "print(adapter._process.stdout.read().decode())",
            "adapter.close()",
        )
    )
    tries = """
import os
from slipway.privileges import give_up_privileges
give_up_privileges()
for name in ("environ", "mem", "maps"):
    try:
        with open(f"/proc/{os.getppid()}/{name}", "rb") as file:
            print(name, file.read(4096))
    except OSError as error:
        print(name, type(error).__name__)
"""
    environment = {**os.environ, "AWS_SECRET_ACCESS_KEY": "a secret", "PYTHONPATH": os.pathsep.join(sys.path)}
    command_line = [sys.executable, "-c", script, tries]
    done = subprocess.run(command_line, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "a secret" not in done.stdout
    assert done.stdout.split() == ["environ", "PermissionError", "mem", "PermissionError", "maps", "PermissionError"]


def test_the_worker_gives_up_its_privileges_before_it_reads_anything(auditor: Auditor, small: Compilation) -> None:
    assert auditor.audit(small).error is None
    status = Path(f"/proc/{auditor._slither.process_id}/status").read_text()
    capabilities = {line.split()[0]: line.split()[1] for line in status.splitlines() if line.startswith("Cap")}
    assert {int(capabilities[name], 16) for name in ("CapEff:", "CapPrm:", "CapInh:")} == {0}
    assert "NoNewPrivs:\t1" in status


def test_what_the_process_says_before_it_dies_is_logged(small: Compilation, caplog: pytest.LogCaptureFixture) -> None:
    body = "sys.stderr.write('libpython3.13.so.1.0: cannot open shared object file'); sys.exit(127)"
    with Slither(command=answering(body)) as broken, Auditor(slither=broken) as auditor:
        report = auditor.audit(small)
    assert report.error
    (logged,) = [vars(record)["stderr"] for record in caplog.records if "stderr" in vars(record)]
    assert logged == "libpython3.13.so.1.0: cannot open shared object file"
    assert "cannot open" not in str(report.error)


def _works_for_ever(*_: Any) -> dict[str, Any]:
    while True:
        pass


def test_an_audit_has_so_much_of_the_processor(small: Compilation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slither_worker, "PROCESSOR_SECONDS", 1)
    monkeypatch.setattr(slither_worker, "analyse", _works_for_ever)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        slither_worker._answer({}, os.fdopen(writer, "wb"))
    os.close(writer)
    status = os.waitpid(child, 0)[1]
    os.close(reader)
    assert os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)


def test_errors_of_the_source_have_lines(auditor: Auditor) -> None:
    # A wide character: the compiler counts bytes.
    text = HEAD + "/* ≠ */ contract A {\n    uint256 x = true;\n    /* ≠ */ Missing y;\n}\n"
    with pytest.raises(CompilationFailedError) as raised:
        auditor.compile({"contracts/A.sol": text})
    assert raised.value.details is not None
    problems = raised.value.details["problems"]
    assert [(problem["file"], problem["line"]) for problem in problems] == [("contracts/A.sol", 5)]
    assert "Missing" in raised.value.message or "not found" in raised.value.message
    with pytest.raises(CompilationFailedError) as raised:
        auditor.compile({"contracts/A.sol": text.replace("/* ≠ */ Missing y;", "")})
    assert raised.value.details is not None
    assert [(problem["line"], problem["column"]) for problem in raised.value.details["problems"]] == [(4, 17)]


@pytest.mark.parametrize(
    "path",
    ["hardhat/console.sol", "/etc/passwd", "solc/soljson.js", "@other/contracts/A.sol", "https://example.org/A.sol"],
)
def test_nothing_but_the_library_is_imported(auditor: Auditor, path: str) -> None:
    with pytest.raises(CompilationFailedError) as raised:
        auditor.compile({"contracts/A.sol": HEAD + f'import "{path}";\ncontract A {{}}'})
    assert raised.value.details is not None
    assert raised.value.details["problems"][0]["line"] == 3
    assert path in raised.value.message


@pytest.mark.parametrize("path", ["../../etc/passwd.sol", "./Missing.sol", "@openzeppelin/contracts/Missing.sol"])
def test_imports_that_lead_nowhere_fail(auditor: Auditor, path: str) -> None:
    with pytest.raises(CompilationFailedError):
        auditor.compile({"contracts/A.sol": HEAD + f'import "{path}";\ncontract A {{}}'})


@pytest.mark.parametrize(
    "name", ["@openzeppelin/A.sol", "../A.sol", "/A.sol", "A.txt", "a b.sol", "a//b.sol", "./A.sol", ""]
)
def test_a_source_can_not_pass_for_the_library_or_leave_its_folder(auditor: Auditor, name: str) -> None:
    with pytest.raises(CompilationFailedError):
        auditor.compile({name: HEAD + "contract A {}"})


def test_too_much_source_is_refused(auditor: Auditor) -> None:
    with pytest.raises(CompilationFailedError, match="limit"):
        auditor.compile({"contracts/A.sol": "/" * (MAX_OWN_BYTES + 1)})
    with pytest.raises(CompilationFailedError, match="no source"):
        auditor.compile({})


# Takes the optimizer minutes.
HANGS = (
    HEAD
    + "contract Hangs { function f(uint256 a) external pure returns (uint256) { unchecked {"
    + "".join(f"a = a * {k} + (a >> {k % 200});" for k in range(3, 6000))
    + "} return a; } }"
)


def test_a_source_that_hangs_the_compiler_is_stopped_in_time_and_the_next_one_compiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # However busy this machine is, the processor's time decides.
    monkeypatch.setattr(compiler, "CROWDED", 1000)
    with Auditor(compiler=new_compiler(find_toolchain(), timeout_seconds=3.0)) as auditor:
        auditor.compile({"contracts/A.sol": HEAD + "contract A {}"})
        began = time.process_time()
        with pytest.raises(CompileTimeoutError) as raised:
            auditor.compile({"contracts/Hangs.sol": HANGS})
        assert time.process_time() - began < 3.0 + 1
        assert raised.value.details == {"limit": "time"}
        assert raised.value.code == "COMPILE_TIMEOUT"
        assert auditor.compile({"contracts/A.sol": HEAD + "contract A {}"}).compiler_version.startswith("0.8.")


class Starved:
    """A compiler that is stopped by its limit of time, of the clock's or of the processor's."""

    version = "0.8.37+commit.1"

    def __init__(self, *, starved: bool) -> None:
        self.starved, self.calls = starved, 0

    def compile(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self.calls += 1
        raise CompileTimeout(0.15, starved=self.starved)


@pytest.mark.parametrize(("starved", "error"), [(True, CompilerBusyError), (False, CompileTimeoutError)])
def test_only_a_compilation_that_was_kept_from_working_may_be_tried_again(
    starved: bool, error: type[SlipwayError]
) -> None:
    stopped: Any = Starved(starved=starved)
    with pytest.raises(error) as raised:
        compile_sources(stopped, find_toolchain(), {"contracts/A.sol": HEAD + "contract A {}"})
    assert (raised.value.code, raised.value.permanent) == ("COMPILE_TIMEOUT", not starved)
    assert stopped.calls == 1


def test_a_source_that_takes_too_much_memory_is_stopped() -> None:
    toolchain = find_toolchain()
    mebibyte = 1024 * 1024
    with Auditor(compiler=Compiler(toolchain.soljson, memory_bytes=36 * mebibyte)) as auditor:
        with pytest.raises(CompileTimeoutError) as raised:
            auditor.compile({"contracts/Hangs.sol": HANGS})
        assert raised.value.details == {"limit": "memory"}


def test_the_input_is_complete_in_itself_and_gives_the_same_bytecode(auditor: Auditor) -> None:
    compilation = auditor.compile(source("clean", "Token"))
    names = list(compilation.standard_json_input["sources"])
    assert "@openzeppelin/contracts/token/ERC20/ERC20.sol" in names
    again = auditor._compiler.compile(json.loads(json.dumps(compilation.standard_json_input)))
    assert again["contracts"] == compilation.standard_json_output["contracts"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = command.main(arguments)
    return status, json.loads(capsys.readouterr().out)


def test_the_command_line_reports_by_its_status(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # One compiler for all; its users close it, and it starts again.
    monkeypatch.setattr(audit, "Auditor", lambda: auditor)
    monkeypatch.setattr(auditor, "close", lambda: None)
    clean = CONTRACTS / "clean" / "Token.sol"
    vulnerable = CONTRACTS / "vulnerable" / "TxOrigin.sol"
    for number, nothing in enumerate(
        (
            "",
            "interface Only { function f() external; }",
            "abstract contract Only { uint256 public x; }",
            "library Only { function f() external pure returns (uint256) { return 1; } }",
        )
    ):
        (empty := tmp_path / f"Empty{number}.sol").write_text(f"pragma solidity 0.8.37;\n{nothing}\n", encoding="utf-8")
        status, report = run(capsys, str(empty))
        assert (status, report["passed"], report["error"]["code"]) == (2, False, "COMPILATION_FAILED")
    status, report = run(capsys, str(clean))
    assert (status, report["passed"]) == (0, True)
    assert {"passed", "findings", "detectors", "rounds", "compiler_version", "slither_version"} <= set(report)
    status, report = run(capsys, str(clean), str(vulnerable))
    assert (status, report["passed"]) == (1, False)
    assert report["findings"][0]["file"] == "vulnerable/TxOrigin.sol"
    status, report = run(capsys, "--fix", str(vulnerable))
    assert (status, len(report["rounds"])) == (0, 1)
    (tmp_path / "Broken.sol").write_text("contract {", encoding="utf-8")
    status, report = run(capsys, str(tmp_path / "Broken.sol"))
    assert (status, report["passed"], report["error"]["code"]) == (2, False, "COMPILATION_FAILED")
    assert report["error"]["details"]["problems"][0]["line"] == 1
    status, report = run(capsys, str(tmp_path / "Missing.sol"))
    assert (status, report["passed"], report["error"]["code"]) == (2, False, "AUDIT_UNAVAILABLE")
