"""Serves the dashboard's local build on loopback, and a file that says where the stack's API and chain are."""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import logging
import re
import sys
from pathlib import Path

from aiohttp import web

from local.paths import DASHBOARD, GUIDE, ROOT
from local.serving import serve

# What each wallet that is not in the browser connects to and frames.
WALLET_HOSTS = ROOT / "web" / "src" / "wallet" / "hosts.json"
# As web/vercel.json has it, but for the local addresses, and with the hosts of the wallets that are offered.
_CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: https: http://localhost:* http://127.0.0.1:*; font-src 'self' data:; "
    "connect-src 'self' http://localhost:* http://127.0.0.1:* ws://localhost:* ws://127.0.0.1:*{connect}; "
    "frame-src {frame}; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
# The guide's theme has short scripts within its pages; they run by their digests.
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_FOR_GOOD = "public, max-age=31536000, immutable"


def content_security_policy(configuration: Path) -> str:
    """Return the policy of the dashboard's pages, which names the hosts of the wallets that it offers."""
    offers = json.loads(configuration.read_bytes())
    offered = {"walletConnect": offers.get("walletConnectProjectId"), "coinbaseWallet": offers.get("coinbaseWallet")}
    hosts = [entry for name, entry in json.loads(WALLET_HOSTS.read_bytes()).items() if offered[name]]
    connect = "".join(f" {host}" for entry in hosts for host in entry["connect"])
    frame = " ".join(host for entry in hosts for host in entry["frame"])
    return _CONTENT_SECURITY_POLICY.format(connect=connect, frame=frame or "'none'")


def application(directory: Path, configuration: Path, guide: Path = GUIDE) -> web.Application:
    """Return the server's application."""
    root = directory.resolve()

    async def serve_file(request: web.Request) -> web.StreamResponse:
        path = (root / request.match_info["path"]).resolve()
        if not path.is_relative_to(root):
            raise web.HTTPNotFound
        if path.is_file():
            return web.FileResponse(path)
        if "." in path.name:
            raise web.HTTPNotFound
        # A page that the browser's own router knows.
        return web.FileResponse(root / "index.html")

    async def configuration_file(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=configuration.read_bytes(), content_type="application/json")

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        if "content-security-policy" not in response.headers:
            response.headers["content-security-policy"] = content_security_policy(configuration)
        response.headers["x-content-type-options"] = "nosniff"
        response.headers["referrer-policy"] = "no-referrer"
        # Names of assets hold the hash of their content.
        response.headers["cache-control"] = _FOR_GOOD if request.path.startswith("/assets/") else "no-cache"

    app = web.Application()
    app.on_response_prepare.append(add_headers)
    app.router.add_get("/local-config.json", configuration_file)
    guide_routes(app, guide)
    app.router.add_get("/{path:.*}", serve_file)
    return app


def guide_routes(app: web.Application, directory: Path = GUIDE) -> None:
    """Serve the guide at `/docs/guide/`."""
    root = directory.resolve()

    async def serve_page(request: web.Request) -> web.StreamResponse:
        path = (root / request.match_info["path"]).resolve()
        if not path.is_relative_to(root):
            raise web.HTTPNotFound
        if path.is_dir() and not request.path.endswith("/"):
            raise web.HTTPMovedPermanently(f"{request.path}/")
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            raise web.HTTPNotFound
        response = web.FileResponse(path)
        if path.suffix == ".html":
            digests = {hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(path.read_bytes())}
            allowed = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in sorted(digests))
            policy = _CONTENT_SECURITY_POLICY.format(connect="", frame="'none'")
            policy = policy.replace("script-src 'self'", f"script-src 'self'{allowed}")
            response.headers["content-security-policy"] = policy
        return response

    app.router.add_get("/docs/guide{slash:/?}{path:.*}", serve_page)


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, default=DASHBOARD)
    parser.add_argument("--configuration", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stdout)
    app = application(options.directory, options.configuration)
    asyncio.run(serve(web.AppRunner(app, access_log=None, shutdown_timeout=1.0), options.port, ipv6=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
