"""Signs in with the wallet of a browser.

The installation has a page, `/docs/sign-in`. It brings the wallet's address to this process, comes back with the text
to sign, and brings the signature. The text and the session are made here: no token passes through the browser.
"""

from __future__ import annotations

import re
import secrets
import threading
import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from slipway_client import Slipway
from slipway_client.cli.context import UNDER_WAY, Failed

_DONE = b"<!doctype html><title>Slipway</title><p>You can close this page: the command line goes on."
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class _Exchange:
    """What the page brings, and where it is sent next."""

    def __init__(self, client: Slipway, page: str) -> None:
        self.client, self.page = client, page
        self.state = secrets.token_urlsafe(24)
        self.port, self.wallet, self.message, self.signature = 0, "", "", ""
        self.arrived = threading.Event()

    def address(self, **more: str) -> str:
        """Return the page's address; what follows the # is sent to no server."""
        return f"{self.page}#{urlencode({'port': self.port, 'state': self.state, **more})}"

    def bring(self, path: str, given: dict[str, str]) -> str | None:
        """Take what the page brings; return where it is sent, or None when that was all.

        Raises:
            LookupError: It is not from our page.
        """
        # Other pages may try this port; they do not know the state.
        if not secrets.compare_digest(given.get("state", "").encode(), self.state.encode()):
            raise LookupError
        if path == "/wallet" and _ADDRESS.fullmatch(given.get("address", "")):
            from eth_utils.address import to_checksum_address

            self.wallet = to_checksum_address(given["address"])
            self.message = self.client.sign_in_message(self.wallet)
            return self.address(address=self.wallet, message=self.message)
        if path == "/signed" and self.message:
            self.signature = given.get("signature", "")
            self.arrived.set()
            return None
        raise LookupError


def signed_in_browser(client: Slipway, api: str, *, opens: bool, timeout: float, note: Callable[[str], None]) -> str:
    """Wait for a signature from the browser, and begin the client's session with it.

    Returns:
        The wallet.

    Raises:
        Failed: None came in time.
        SlipwayError: The API does not take it.
    """
    exchange = _Exchange(client, f"{api}/docs/sign-in")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            given = {name: values[0] for name, values in parse_qs(address.query).items()}
            try:
                onwards = exchange.bring(address.path, given)
            except LookupError:
                self.send_error(404)
                return
            self.send_response(302 if onwards else 200)
            self.send_header(*(("location", onwards) if onwards else ("content-type", "text/html; charset=utf-8")))
            self.end_headers()
            if not onwards:
                self.wfile.write(_DONE)

        def log_message(self, format: str, *arguments: object) -> None:
            """Write nothing: the address has the signature."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    exchange.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    try:
        if opens and webbrowser.open(exchange.address()):
            note("Sign in your browser …")
        else:
            note(f"Open in the browser that has your wallet:\n  {exchange.address()}")
        if not exchange.arrived.wait(timeout):
            raise Failed(f"No signature came within {timeout:.0f} s", UNDER_WAY)
        client.complete_sign_in(exchange.message, exchange.signature)
        return exchange.wallet
    finally:
        server.shutdown()
        server.server_close()
