"""A jail for functions, as strict as Lambda is where the engine forgives: for stacks started with SLIPWAY_JAIL.

The root is read-only, `/tmp` has 512 MB, there is no `/dev/shm` and no home, the user is nobody in particular, and
Python's own library is found by LD_LIBRARY_PATH alone, as in Lambda's image. Between two invocations all processes in
it are stopped (`freezer`). They have the host's network, by which they reach the engine.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from local.paths import ROOT
from local.uv import environment, python_of

_TMP_BYTES = 512 * 1024 * 1024
_USER = ("--unshare-user", "--uid", "993", "--gid", "990")
_DEVICES = ("null", "zero", "random", "urandom")
_SYSTEM = ("/usr", "/etc", "/lib", "/lib64", "/bin", "/sbin")
_VARIABLES = {
    "LD_LIBRARY_PATH": "/var/lang/lib",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}


def is_possible() -> bool:
    """Return whether bubblewrap is installed and this machine lets it make a jail."""
    if not shutil.which("bwrap"):
        return False
    probe = ["bwrap", *_USER, "--ro-bind", "/", "/", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def jailed(layers: list[Path]) -> str:
    """Return the shell's words that run Python in a jail, instead of Python itself; its arguments follow.

    Args:
        layers: A function's, in order.
    """
    python = python_of("runtime").resolve()
    packages = next((environment("runtime") / "lib").glob("python3*")) / "site-packages"
    words: list[str] = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "local.engine.freezer", "bwrap", *_USER]
    for path in _SYSTEM:
        words += ["--ro-bind-try", path, path]
    words += ["--proc", "/proc", "--dir", "/dev"]
    for device in _DEVICES:
        words += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    words += ["--size", str(_TMP_BYTES), "--tmpfs", "/tmp"]  # noqa: S108 (the function's own)
    words += ["--ro-bind", str(python.parent.parent), "/var/lang", "--ro-bind", str(packages), "/var/runtime"]
    held: list[str] = []
    for number, layer in enumerate(layers):
        words += ["--ro-bind", str(layer), f"/opt/{number}"]
        held.insert(0, f"/opt/{number}/python")
    variables = {**_VARIABLES, "PYTHONPATH": ":".join(["/var/task", *held, "/var/runtime"])}
    for name, value in variables.items():
        words += ["--setenv", name, value]
    words += ["--unsetenv", "HOME", "--unsetenv", "PWD", "--chdir", "/var/task"]
    quoted = " ".join(map(shlex.quote, words))
    # Everything is bound by now, so the root can be made read-only.
    return f'{quoted} --ro-bind "$LAMBDA_TASK_ROOT" /var/task --remount-ro / /var/lang/bin/{python.name}'
