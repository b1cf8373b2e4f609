"""The bash script that makes a machine a worker: ``setup.sh`` with the daemon of ``daemon.sh`` inside."""

import re
import shlex
from functools import cache
from pathlib import Path

_PLACEHOLDER = re.compile(r"@(WALLET|API|DAEMON)@")


@cache
def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def setup_script(wallet: str, api: str) -> str:
    """Return the whole script.

    Args:
        wallet: A checked address in EIP-55 form.
        api: Slipway's own address, never one that a caller names.
    """
    values = {"WALLET": shlex.quote(wallet), "API": shlex.quote(api), "DAEMON": _text("daemon.sh").rstrip("\n")}
    return _PLACEHOLDER.sub(lambda found: values[found.group(1)], _text("setup.sh"))


def setup_command(wallet: str, api: str, enrolment_code: str) -> str:
    """Return the command that a worker's owner runs; the enrolment code is in it, so it is as secret as that."""
    url = shlex.quote(f"{api}/api/setup?wallet={wallet}")
    # Quoted always, so that a code that begins with a dash, or none, reads the same.
    return f"curl -fsSL {url} | SLIPWAY_ENROLMENT_CODE='{enrolment_code}' bash"
