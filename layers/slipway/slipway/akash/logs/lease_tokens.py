"""Tokens with which providers let us read a lease's logs, kept in this process until shortly before they end."""

import threading
import time
from collections.abc import Callable

from slipway.akash.console.client import ConsoleApi
from slipway.akash.logs.provider_proxy import LeaseAddress
from slipway.times import Clock

TOKEN_SECONDS = 1800
_ROTATED_BEFORE = 60
_ASKED_SECONDS = 1.5
_MAX_KEPT = 500


class LeaseTokens:
    """Tokens by lease."""

    def __init__(self, console: Callable[[], ConsoleApi], clock: Clock = time) -> None:
        self._console = console
        self._clock = clock
        self._kept: dict[LeaseAddress, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def token(self, lease: LeaseAddress, refused: str | None = None) -> str:
        """Return a token for the logs of a lease, and for nothing else.

        Args:
            lease: The lease.
            refused: A token that its provider does not take any more.

        Raises:
            SlipwayError: The Console API gives none.
        """
        with self._lock:
            until, token = self._kept.get(lease, (0.0, ""))
            if token and token != refused and self._clock.monotonic() < until:
                return token
            began = self._clock.monotonic()
            made = self._console().create_token(TOKEN_SECONDS, _permission(lease), _ASKED_SECONDS)
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[lease] = (began + TOKEN_SECONDS - _ROTATED_BEFORE, made)
            return made


def _permission(lease: LeaseAddress) -> dict[str, object]:
    """Return the permission that the token asks for (AEP-64)."""
    deployment = {"dseq": int(lease.dseq), "gseq": lease.gseq, "oseq": lease.oseq, "scope": ["logs"]}
    permission = {"provider": lease.provider, "access": "granular", "deployments": [deployment]}
    return {"access": "granular", "permissions": [permission]}
