"""Whether what something was made from has changed since."""

from __future__ import annotations

import hashlib
from pathlib import Path

from local.paths import ROOT


def digest(paths: list[Path]) -> str:
    """Hash files and directories: names and content, without Python's caches."""
    total = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(f"{file.relative_to(ROOT)}\0{file.stat().st_mode & 0o111}\0".encode())
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def read_stamp(stamp: Path) -> str:
    """Read a stamp; None if there is none."""
    return stamp.read_text(encoding="utf-8") if stamp.exists() else ""
