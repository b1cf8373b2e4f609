"""What serves the dashboard on this machine, reached by a Unix socket; and finding a browser for its tests."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, UnixConnector, web
from yarl import URL

from local import chromium
from local.dashboard import application
from local.failures import LaunchError
from local.paths import ROOT
from local.source_template import source_template


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Return a build, beside a file that is nobody's business, and what the dashboard is given."""
    directory = tmp_path / "build"
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text("<h1>Slipway</h1>", encoding="utf-8")
    (directory / "assets" / "page-1a2b.js").write_text("export {}", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "guide" / "akash").mkdir(parents=True)
    (tmp_path / "guide" / "akash" / "index.html").write_text("<script>go()</script>", encoding="utf-8")
    (tmp_path / "told.json").write_text('{"api": "http://localhost:1"}', encoding="utf-8")
    return directory


def get(build: Path, path: str) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of one answer."""

    async def run() -> tuple[int, str, dict[str, str]]:
        async with AsyncExitStack() as stack:
            runner = web.AppRunner(
                application(build, build.parent / "told.json", build.parent / "guide"), shutdown_timeout=0.1
            )
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            socket = str(build.parent / "socket")
            await web.UnixSite(runner, socket).start()
            session = await stack.enter_async_context(ClientSession("http://it", connector=UnixConnector(socket)))
            async with session.get(URL(f"http://it{path}", encoded=True)) as answer:
                return answer.status, await answer.text(), dict(answer.headers)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("told", "connects", "frames"),
    [
        ({}, [], "'none'"),
        (
            {"walletConnectProjectId": "0" * 32},
            ["wss://relay.walletconnect.org", "https://verify.walletconnect.org"],
            "https://verify.walletconnect.org",
        ),
        ({"coinbaseWallet": True}, ["https://www.walletlink.org", "wss://www.walletlink.org"], "'none'"),
    ],
)
def test_a_wallet_s_hosts_are_allowed_where_it_is_offered(
    build: Path, told: dict[str, Any], connects: list[str], frames: str
) -> None:
    (build.parent / "told.json").write_text(json.dumps(told), encoding="utf-8")
    parts = get(build, "/")[2]["Content-Security-Policy"].split("; ")
    policy = {name: sources for name, *sources in (part.split() for part in parts)}
    assert [source for source in policy["connect-src"] if "localhost" not in source and "127.0.0.1" not in source] == [
        "'self'", *connects
    ]  # fmt: skip
    assert policy["frame-src"] == [frames]
    hosted = json.loads((ROOT / "web" / "vercel.json").read_text(encoding="utf-8"))["headers"][1]["headers"][0]["value"]
    # Hosts of the API are known after the headers; the page itself says which of these frames it may have.
    assert "frame-src https://verify.walletconnect.org;" in hosted
    assert (
        hosted
        == source_template()["Resources"]["DashboardHeaders"]["Properties"]["ResponseHeadersPolicyConfig"][
            "SecurityHeadersConfig"
        ]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    )


@pytest.mark.parametrize("path", ["/", "/workers", "/deployments/3f0b9a52-6f0e-4a58-9d4c-2f1c5a7e8b90"])
def test_every_page_is_the_same_document_and_is_asked_for_anew(build: Path, path: str) -> None:
    status, text, headers = get(build, path)
    assert (status, text) == (200, "<h1>Slipway</h1>")
    assert headers["Cache-Control"] == "no-cache"
    assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_the_guide_runs_its_own_scripts_and_no_others(build: Path) -> None:
    status, text, headers = get(build, "/docs/guide/akash/")
    assert (status, text) == (200, "<script>go()</script>")
    digest = base64.b64encode(hashlib.sha256(b"go()").digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in headers["Content-Security-Policy"]
    assert get(build, "/docs/guide/akash")[0] == 200  # by a redirect, so that links within the page hold
    for path in ("/docs/guide/none/", "/docs/guide/../secret.txt", "/docs/guide/%2e%2e/secret.txt"):
        assert "secret" not in get(build, path)[1]
        assert get(build, path)[0] == 404 or "Slipway" in get(build, path)[1]


def test_assets_are_kept_for_good(build: Path) -> None:
    status, text, headers = get(build, "/assets/page-1a2b.js")
    assert (status, text) == (200, "export {}")
    assert "immutable" in headers["Cache-Control"]
    assert headers["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path", ["/assets/page-0000.js", "/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"]
)
def test_what_is_not_in_the_build_is_not_there(build: Path, path: str) -> None:
    status, text, _ = get(build, path)
    assert (status, "secret" in text) == (404, False)


def test_the_dashboard_knows_the_stack(build: Path) -> None:
    assert get(build, "/local-config.json")[:2] == (200, '{"api": "http://localhost:1"}')


def test_a_browser_is_found_by_its_name_or_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "google-chrome"
    program.write_text("", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chromium.find_chromium() == str(program)
    monkeypatch.setenv(chromium.VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(LaunchError, match="is no program"):
        chromium.find_chromium()


def test_without_a_browser_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="apt-get install chromium"):
        chromium.find_chromium()
    assert chromium.main() == 1
