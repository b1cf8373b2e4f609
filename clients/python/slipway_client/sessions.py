"""What a sign-in gave, and where it is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from slipway_client.types import VerifyAnswer

# A token that ends on the way is of no use.
MARGIN_SECONDS = 60


@dataclass(frozen=True)
class Session:
    """An access token and the refresh token that renews it; the times are seconds since 1970, by this machine."""

    access_token: str
    expires_at: float
    refresh_token: str
    refresh_expires_at: float

    @classmethod
    def received(cls, answer: VerifyAnswer, asked_at: float) -> Session:
        """Return what the API answered; its times count from the request on, never by the server's clock."""
        return cls(
            answer["access_token"],
            asked_at + answer["expires_in"],
            answer["refresh_token"],
            asked_at + answer["refresh_expires_in"],
        )

    def fresh(self, now: float) -> bool:
        """Return whether the access token outlives a request."""
        return self.expires_at - MARGIN_SECONDS > now

    def __repr__(self) -> str:
        return f"Session(expires_at={self.expires_at:.0f})"


class SessionStore(Protocol):
    """Keeps one session. Processes that share it renew one at a time: a refresh token is good once."""

    def load(self) -> Session | None:
        """Return what is kept."""

    def save(self, session: Session | None) -> None:
        """Keep a session, or nothing, before anybody uses it."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the right to renew."""
        yield


class MemoryStore:
    """A session of this process."""

    def __init__(self, session: Session | None = None) -> None:
        self._session = session
        self._lock = threading.Lock()

    def load(self) -> Session | None:
        """Return what is kept."""
        return self._session

    def save(self, session: Session | None) -> None:
        """Keep a session."""
        self._session = session

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Do nothing: the client itself renews one at a time."""
        yield
