"""What a browser loads for the first page, and what no production build may hold."""

from __future__ import annotations

import gzip
import html
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.paths import DASHBOARD
from local.web import WEB

MAX_BYTES = 220_000
ANVIL_KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a build as Vercel makes it."""
    directory = tmp_path_factory.mktemp("dashboard")
    subprocess.run(
        [WEB / "node_modules" / ".bin" / "vite", "build", "--outDir", directory, "--emptyOutDir"],
        cwd=WEB, env={**os.environ, "VITE_API_URL": "https://api.slipway.test/"}, check=True, capture_output=True,
    )  # fmt: skip
    return directory


def scripts(directory: Path, *entries: str) -> set[Path]:
    """Files of JavaScript that these modules load at once."""
    manifest: dict[str, Any] = json.loads((directory / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    found: set[str] = set()
    waiting = list(entries)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += manifest[key].get("imports", [])
    return {directory / manifest[key]["file"] for key in found}


@pytest.mark.parametrize("directory", ["production", "stack"])
def test_the_first_page_is_light(directory: str, production: Path) -> None:
    built = production if directory == "production" else DASHBOARD
    files = scripts(built, "index.html")
    assert any("What you launched" in file.read_text(encoding="utf-8") for file in files), "the dashboard is among them"
    if built is DASHBOARD:
        files |= scripts(built, "src/wallet/development-wallet.ts")
    total = sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)
    print(f"JavaScript of the first page of {directory}: {total} bytes gzipped in {len(files)} files")
    assert total <= MAX_BYTES


def test_a_production_build_connects_to_what_it_names(production: Path) -> None:
    page = (production / "index.html").read_text(encoding="utf-8")
    policy = re.search(r'<meta http-equiv="content-security-policy" content="([^"]+)"', page)
    assert policy, "before any script"
    assert page.index(policy[0]) < page.index("<script")
    assert (
        html.unescape(policy[1])
        == "connect-src 'self' https://api.slipway.test wss://api.slipway.test https://rpc.sepolia.org"
        " https://www.walletlink.org wss://www.walletlink.org; frame-src 'none'"
    )
    assert "content-security-policy" not in (DASHBOARD / "index.html").read_text(encoding="utf-8")


def test_a_production_build_holds_nothing_of_the_local_one(production: Path) -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in production.rglob("*") if file.is_file())
    assert "https://api.slipway.test" in text
    for word in ("Development wallet", "development-account", "local-config.json", "private_key", ANVIL_KEY):
        assert word not in text
    assert "Development wallet" in "".join(file.read_text(encoding="utf-8") for file in DASHBOARD.rglob("*.js"))
