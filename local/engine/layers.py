"""Keeps built layers as immutable versions, as Lambda does.

A running stack must not see its layers change when the next `sam build` replaces them, so each built layer is copied to
a directory that is named for its content, and used from there.

They come compiled, as they go to AWS (`layers/*/Makefile`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import yaml

from local.paths import BUILD, LAYERS

_INDEX = LAYERS / "current.json"


def publish_layers() -> None:
    """Make a version of every layer that `sam build` left, unless there is one with the same content already."""
    template = yaml.safe_load((BUILD / "template.yaml").read_text(encoding="utf-8"))
    current = {
        logical_id: _publish(logical_id, BUILD / resource["Properties"]["ContentUri"]).name
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::LayerVersion"
    }
    _INDEX.write_text(json.dumps(current, indent=2), encoding="utf-8")


def published() -> bool:
    """Return whether the current versions are all there."""
    return _INDEX.exists() and all(path.is_dir() for path in current_layers().values())


def current_layers() -> dict[str, Path]:
    """Return the newest version of each layer by logical id."""
    index: dict[str, str] = json.loads(_INDEX.read_text(encoding="utf-8"))
    return {logical_id: LAYERS / name for logical_id, name in index.items()}


def _publish(logical_id: str, built: Path) -> Path:
    version = LAYERS / f"{logical_id}-{_digest(built)[:16]}"
    if not version.is_dir():
        unfinished = version.with_name(f"{version.name}.{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(built, unfinished, symlinks=True)
        unfinished.rename(version)
    return version


def _digest(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        digest.update(str(path.relative_to(directory)).encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
