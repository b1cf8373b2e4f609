"""What the servers have in common that stand for others on loopback."""

from http.server import BaseHTTPRequestHandler


class LoopbackHandler(BaseHTTPRequestHandler):
    """Keeps connections, answers at once, and logs nothing."""

    protocol_version = "HTTP/1.1"
    # Else headers and body wait for each other, 40 ms an answer.
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""
