"""Programs of Debian's that some tests need: installs them where that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess

from local.progress import step


def install(title: str, *packages: str) -> None:
    """Install packages with apt, as root on Debian; do nothing elsewhere."""
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        return
    with step(title):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            subprocess.run(
                [apt, "-qq", *arguments],
                check=False,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
