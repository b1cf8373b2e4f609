"""Installs and builds what a stack needs, and only what has changed since."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.digests import digest, read_stamp
from local.engine.layers import publish_layers, published
from local.guide import build_guide
from local.paths import BUILD, LOGS, ROOT, SHARED, STAMPS
from local.prerequisites import layer_platform
from local.processes import run
from local.progress import step
from local.uv import environment, find_uv, sync
from local.web import build_dashboard

SAM_STATE = SHARED / "sam"
_BUILD_INPUTS = ("template.yaml", "samconfig.toml", "functions", "layers", "statemachines")


def prepare() -> None:
    """Build template, layers, dashboard and guide, with what they need; hold `one_at_a_time`."""
    _install_npm_packages()
    make_environments("runtime", "ministack", "sam")
    _build()
    build_dashboard()
    build_guide()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep other starts of this checkout from building, while this one builds and reads what was built."""
    SHARED.mkdir(exist_ok=True)
    STAMPS.mkdir(exist_ok=True)
    with (SHARED / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install_npm_packages() -> None:
    stamp = STAMPS / "npm"
    wanted = digest([ROOT / "package.json", ROOT / "package-lock.json"])
    if (ROOT / "node_modules" / ".package-lock.json").exists() and read_stamp(stamp) == wanted:
        return
    with step("Installing npm packages"):
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        run(command, LOGS / "npm.log", cwd=ROOT, environment=dict(os.environ), doing="npm ci")
    stamp.write_text(wanted, encoding="utf-8")


def make_environments(*groups: str) -> None:
    """Make or update the environments of dependency groups."""
    missing = [group for group in groups if not environment(group).exists()]
    for group in missing:
        with step(f"Installing {group} in its own environment"):
            sync(group)
    # The others take a tenth of a second when nothing has changed.
    for group in set(groups) - set(missing):
        sync(group)


def _build() -> None:
    stamp = STAMPS / "build"
    wanted = digest([ROOT / name for name in _BUILD_INPUTS])
    if (BUILD / "template.yaml").exists() and published() and read_stamp(stamp) == wanted:
        return
    stamp.unlink(missing_ok=True)
    with step("Building with SAM"):
        command = [str(environment("sam") / "bin" / "sam"), "build"]
        variables = {**sam_environment(), "SLIPWAY_LAYER_PLATFORM": layer_platform()}
        run(command, LOGS / "build.log", cwd=ROOT, environment=variables, doing="sam build")
        publish_layers()
    stamp.write_text(wanted, encoding="utf-8")


def sam_environment() -> dict[str, str]:
    """Return the environment for the SAM command line: it finds its tools, and makes no calls of its own."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "AWS_"))}
    SAM_STATE.mkdir(parents=True, exist_ok=True)
    # Its weekly question whether there is a newer SAM counts as asked.
    asked = {"telemetryEnabled": False, "lastVersionCheck": time.time()}
    (SAM_STATE / "metadata.json").write_text(json.dumps(asked), encoding="utf-8")
    # python3.13 for the functions is the one of SAM's own environment; uv installs the layers.
    tools = [str(environment("sam") / "bin"), str(Path(find_uv()).parent)]
    return {
        **variables,
        "PATH": os.pathsep.join([*tools, os.environ.get("PATH", os.defpath)]),
        "SAM_CLI_TELEMETRY": "0",
        "UV_SYSTEM_CERTS": "true",
        "UV_NATIVE_TLS": "true",
        "__SAM_CLI_APP_DIR": str(SAM_STATE),
    }
