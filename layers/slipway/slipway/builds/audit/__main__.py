"""Audit Solidity files without a build: ``python -m slipway.builds.audit FILE.sol…``.

Prints the report as JSON. The exit status is 0 passed, 1 findings, 2 could not audit. ``--fix`` mends what it can
first, as a build does.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.builds.audit.auditor import Auditor, details_of
from slipway.builds.audit.deployable import require_contract
from slipway.builds.audit.models import AuditReport
from slipway.errors import AuditUnavailableError, SlipwayError


def read_sources(paths: Sequence[Path]) -> dict[str, str]:
    """Read source text by unit name: the path from the folder that all files share.

    Raises:
        OSError, UnicodeError: A file can't be read as text.
    """
    files = [path.resolve() for path in paths]
    shared = Path(os.path.commonpath([file.parent for file in files]))
    return {file.relative_to(shared).as_posix(): file.read_text(encoding="utf-8") for file in files}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m slipway.builds.audit", description="Audit Solidity sources.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.sol")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended, and audit again")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        with Auditor() as auditor:
            report = _report(auditor, read_sources(options.files), fix=options.fix)
    except Exception as error:
        # Whatever it was: there is no audit, and nothing passed.
        failure = error if isinstance(error, SlipwayError) else AuditUnavailableError(str(error))
        report = AuditReport(passed=False, duration=round(time.monotonic() - began, 3), error=details_of(failure))
    sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    return 2 if report.error else 0 if report.passed else 1


def _report(auditor: Auditor, sources: Mapping[str, str], *, fix: bool) -> AuditReport:
    if fix:
        outcome = auditor.audit_and_fix(sources)
        require_contract(outcome.compilation)
        return outcome.report
    compilation = auditor.compile(sources)
    require_contract(compilation)
    return auditor.audit(compilation)


if __name__ == "__main__":
    sys.exit(main())
