"""There is one version: ``slipway.__version__``. Every other place that names it agrees."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest

import slipway_client
from local.openapi.document import committed
from local.paths import ROOT
from local.source_template import source_template
from slipway import __version__
from slipway.store import connection

FOLDERS = (".", "web", "layers/solidity", "functions/api/documents", "clients/typescript", "examples/next")
NPM = [f"{folder}/{name}" for folder in FOLDERS for name in ("package.json", "package-lock.json")]


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def test_python() -> None:
    assert _toml("pyproject.toml")["project"]["version"] == __version__
    locked = [package["version"] for package in _toml("uv.lock")["package"] if package["name"] == "slipway"]
    assert locked == [__version__]
    assert _toml("clients/python/pyproject.toml")["project"]["version"] == __version__
    assert slipway_client.__version__ == __version__


def test_typescript() -> None:
    source = (ROOT / "clients" / "typescript" / "src" / "version.ts").read_text(encoding="utf-8")
    assert f'VERSION = "{__version__}"' in source


@pytest.mark.parametrize("name", NPM)
def test_npm(name: str) -> None:
    document = json.loads((ROOT / name).read_text(encoding="utf-8"))
    assert document["version"] == __version__
    if "packages" in document:
        assert document["packages"][""]["version"] == __version__


def test_openapi() -> None:
    assert committed()["info"]["version"] == __version__


def test_template() -> None:
    assert source_template()["Metadata"]["Slipway"]["Version"] == __version__


def test_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)
    assert released[0] == __version__


def test_requests_to_aws_name_it() -> None:
    config: Any = connection.client.meta.config  # Its stubs lack what every configuration has.
    assert config.user_agent == f"slipway/{__version__}"
