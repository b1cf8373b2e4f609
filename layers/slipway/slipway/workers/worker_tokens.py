"""Worker tokens: opaque, 256 random bits, of one worker. Only their SHA-256 is stored (design §1.4)."""

import hashlib
import re
import secrets

_TOKEN = re.compile(r"slw_[A-Za-z0-9_-]{43}")


def new_worker_token() -> str:
    """Make a token, ``slw_`` and 43 characters of base64url; it is shown once and kept nowhere."""
    return f"slw_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> bytes | None:
    """Return the SHA-256 of a worker token; None for text that is none, such as a user's access token."""
    return hashlib.sha256(token.encode()).digest() if _TOKEN.fullmatch(token) else None
