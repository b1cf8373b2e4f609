"""What the command line knows between two calls: installations, with a session or an API key for each.

One file, 0600 in a folder 0700; whoever can read it is signed in as its owner. A private key is never in it, only the
path of its file.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slipway_client.sessions import Session

_LOCK_SECONDS = 60.0
_OTHERS = 0o077


class Credentials:
    """The file, by default `~/.config/slipway/credentials.json`."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or _default_path()

    def read(self) -> dict[str, Any]:
        """Return what is in it; others may read it no longer."""
        try:
            if self.path.stat().st_mode & _OTHERS:
                self.path.chmod(0o600)
            found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            raise ValueError(f"{self.path} is no JSON: repair or delete it, then sign in again") from None
        return found

    def default_api(self) -> str | None:
        """Return the installation that was signed in to last."""
        return self.read().get("default")

    def of(self, api: str) -> dict[str, Any]:
        """Return what is known of an installation."""
        found: dict[str, Any] = self.read().get("installations", {}).get(api, {})
        return found

    def keep(self, api: str, **entry: Any) -> None:
        """Replace what is known of an installation, and make it the default; without an entry, forget it."""
        with self.locked():
            known = self.read()
            installations = known.setdefault("installations", {})
            if entry:
                installations[api] = entry
                known["default"] = api
            else:
                installations.pop(api, None)
                if known.get("default") == api:
                    known["default"] = next(iter(installations), None)
            self._write(known)

    def _write(self, known: dict[str, Any]) -> None:
        """Write another file in its place, so that none is ever half written."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".credentials-")  # mkstemp makes it 0600.
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(known, file, indent=1)
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextmanager
    def locked(self, suffix: str = "") -> Iterator[None]:
        """Hold the file against other processes.

        Raises:
            TimeoutError: Another process has held it for a minute.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = self.path.with_name(f"{self.path.name}{suffix}.lock")
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            ends_at = time.monotonic() + _LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > ends_at:
                        raise TimeoutError(f"Another process holds {lock}") from None
                    time.sleep(0.05)
            yield
        finally:
            os.close(handle)


class KeptSession:
    """The session of one installation in the file."""

    def __init__(self, credentials: Credentials, api: str) -> None:
        self._credentials, self._api = credentials, api

    def load(self) -> Session | None:
        """Return what is kept."""
        kept = self._credentials.of(self._api).get("session")
        return Session(**kept) if kept else None

    def save(self, session: Session | None) -> None:
        """Keep a session beside what else is known of the installation, unless somebody signed out meanwhile."""
        if entry := self._credentials.of(self._api):
            self._credentials.keep(self._api, **{**entry, "session": asdict(session) if session else None})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the right to renew, which may take a request or two."""
        with self._credentials.locked("-renewal"):
            yield


def _default_path() -> Path:
    if named := os.environ.get("SLIPWAY_CREDENTIALS"):
        return Path(named)
    folder = os.environ.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "slipway" / "credentials.json"
