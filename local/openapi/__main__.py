"""`python -m local.openapi` writes docs/openapi.json; `--check` checks whether it is fresh (exit 1 if not)."""

from __future__ import annotations

import argparse
import os
import sys


def main() -> int:
    """Write or check the document. The status is 1 when the committed one is stale."""
    parser = argparse.ArgumentParser(prog="python -m local.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    # The library makes clients when it is imported; nothing of AWS is called.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    from local.openapi.document import DOCUMENT, text

    written = text()
    if not check:
        DOCUMENT.write_text(written, encoding="utf-8")
        return 0
    if DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == written:
        return 0
    print("docs/openapi.json is stale: run `make openapi`.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
