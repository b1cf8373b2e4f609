"""The setup script as it is handed out: what is put in is quoted, nothing else is, and ShellCheck finds no fault."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.workers import heartbeat_request as beats
from slipway.workers import setup_script as module
from slipway.workers.setup_script import setup_script

WALLET = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
API = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
DAEMON = Path(module.__file__).parent / "daemon.sh"


def _check(text: str) -> str:
    shellcheck = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run([shellcheck, "--shell=bash", "-"], input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("text", [setup_script(WALLET, API), DAEMON.read_text()], ids=["setup", "daemon"])
def test_shellcheck_is_content(text: str) -> None:
    assert _check(text) == ""


def test_shellcheck_finds_what_is_not_quoted() -> None:
    assert "SC2086" in _check("#!/usr/bin/env bash\nrm $1\n")


def test_the_script_holds_the_wallet_the_address_and_the_daemon_and_no_placeholder() -> None:
    script = setup_script(WALLET, API)
    assert f"\nreadonly wallet={WALLET}\nreadonly api={API}\n" in script
    assert DAEMON.read_text() in script
    assert not [word for word in ("@WALLET@", "@API@", "@DAEMON@") if word in script]
    assert script.startswith("#!/usr/bin/env bash\n")
    assert script.endswith('\nmain "$@"\n')


def test_the_daemon_keeps_to_the_limits_of_a_heartbeat() -> None:
    found = dict(re.findall(r"(MAX_CONTAINERS|MAX_NAME|MAX_PORT)=(\d+)", DAEMON.read_text()))
    assert {name: int(value) for name, value in found.items()} == {
        "MAX_CONTAINERS": beats.MAX_CONTAINERS,
        "MAX_NAME": beats.MAX_NAME_CHARACTERS,
        "MAX_PORT": beats.MAX_PORT_CHARACTERS,
    }


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40))
def test_whatever_the_address_is_it_stays_one_word(api: str) -> None:
    lines = setup_script(WALLET, api).split("readonly api=", 1)[1]
    assert shlex.split(lines.split("\n# Where the system begins", 1)[0], posix=True) == [api]
