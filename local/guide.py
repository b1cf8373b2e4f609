"""Builds the guide, a site of the repository's documents, and only when they have changed; `make docs` serves it."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

from aiohttp import web

from local.dashboard import guide_routes
from local.digests import digest, read_stamp
from local.paths import GUIDE, LOGS, ROOT, STAMPS
from local.processes import run
from local.progress import say, step
from local.serving import serve
from local.uv import environment, sync

_SOURCE = GUIDE.parent / "source"
_HOW = (ROOT / "mkdocs.yml", ROOT / "local" / "guide.py", ROOT / "local" / "guide_hooks.py", ROOT / "uv.lock")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s#]+)[^)]*\)")
# Colours with the contrast of WCAG AA, and links that differ by more than their colour.
_STYLE = """
[data-md-color-scheme=default][data-md-color-primary] { --md-typeset-a-color: #3546a8;
  --md-code-hl-comment-color: #595959; --md-default-fg-color--light: #595959; --md-default-fg-color--lighter: #6b6b6b; }
[data-md-color-scheme=slate][data-md-color-primary] { --md-typeset-a-color: #a9b6ff;
  --md-code-hl-comment-color: #b8bcc8;
  --md-default-fg-color--light: #c3c6d0; --md-default-fg-color--lighter: #a8acb8; --md-code-hl-number-color: #ffa8a8;
  --md-code-hl-constant-color: #c9b0ff; --md-code-hl-function-color: #b6c6ff; --md-code-hl-keyword-color: #a9c1ff;
  --md-code-hl-string-color: #8fdcb0; --md-code-hl-special-color: #ffb3c8; --md-code-hl-name-color: #dfe2ec; }
.md-typeset a:not(.headerlink) { text-decoration: underline; }
"""


def documents() -> list[Path]:
    """Return every document of the guide."""
    patterns = ("*.md", "docs/**/*.md", "web/*.md", "clients/*/*.md", "examples/*.md", "examples/*/*.md")
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


def files() -> list[Path]:
    """Return the documents, and the files of the repository that they link to."""
    found = set(documents())
    for document in documents():
        for target in _LINK.findall(_FENCE.sub("", document.read_text(encoding="utf-8"))):
            path = (document.parent / target).resolve()
            if ":" not in target and path.is_file() and path.is_relative_to(ROOT):
                found.add(path)
    return sorted(found)


def build_guide() -> None:
    """Build the guide into `paths.GUIDE`; hold `build.one_at_a_time`."""
    stamp, wanted = STAMPS / "guide", digest([*_HOW, *files()])
    if (GUIDE / "index.html").exists() and read_stamp(stamp) == wanted:
        return
    stamp.unlink(missing_ok=True)
    with step("Building the guide"):
        sync("site")
        shutil.rmtree(_SOURCE, ignore_errors=True)
        for file in files():
            copy = _SOURCE / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        (_SOURCE / "guide.css").write_text(_STYLE, encoding="utf-8")
        command = [str(environment("site") / "bin" / "mkdocs"), "build", "--strict", "--quiet"]
        # Its theme advertises on the output otherwise.
        variables = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        run(command, LOGS / "guide.log", cwd=ROOT, environment=variables, doing="mkdocs build")
    stamp.write_text(wanted, encoding="utf-8")


def main() -> int:
    """Build the guide, and serve it until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m local.guide", description=main.__doc__)
    parser.add_argument("--port", type=int, default=3080)
    port = parser.parse_args().port
    from local.build import one_at_a_time  # which builds the guide as well

    with one_at_a_time():
        build_guide()
    app = web.Application()
    guide_routes(app)
    say(f"The guide is at http://localhost:{port}/docs/guide/ until Ctrl-C; its files are in {GUIDE}.")
    asyncio.run(serve(web.AppRunner(app, access_log=None), port, ipv6=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
