"""The browser of the dashboard's tests: finds a Chromium, or installs Debian's where that is possible.

`python -m local.chromium` is a step of `make test`, so that the tests never have to skip.
"""

from __future__ import annotations

import os
import shutil
import sys

from local.debian import install
from local.failures import LaunchError
from local.progress import say

VARIABLE = "SLIPWAY_CHROMIUM"
# Debian's own program for this; the others draw a whole browser around the page, which takes half as long again.
_SHELL = "chromium-headless-shell"
_NAMES = (_SHELL, "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ADVICE = (
    "The dashboard's tests drive a Chromium, and there is none: install one (Debian: `apt-get install chromium`), "
    f"or name its program with {VARIABLE}=… ."
)


def find_chromium() -> str:
    """Find the program: SLIPWAY_CHROMIUM, or the first of the usual names on the path.

    Raises:
        LaunchError: There is none; says what to install.
    """
    named = os.environ.get(VARIABLE)
    if named and not shutil.which(named):
        raise LaunchError(f"{VARIABLE} is {named!r}, which is no program.")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        raise LaunchError(_ADVICE)
    return found


def main() -> int:
    """Make sure that there is one; the status is 1 if there is not, with what to do about it."""
    if not os.environ.get(VARIABLE) and not shutil.which(_SHELL):
        install("Installing Debian's Chromium for the dashboard's tests", _SHELL)
    try:
        find_chromium()
    except LaunchError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
