"""What every command shares: the installation, who asks, how answers are shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from slipway_client import PrivateKey, Slipway, SlipwayError, TransactionError, Wallet
from slipway_client.cli.credentials import Credentials, KeptSession
from slipway_client.sessions import MemoryStore, SessionStore

ENDED_BADLY, USAGE, SIGNED_OUT, REFUSED, UNAVAILABLE, UNDER_WAY = 1, 2, 3, 4, 5, 6
_OTHERS = 0o077
_LONG = {"live", "leases", "preferences", "code", "audit_report", "usage"}


class Failed(click.ClickException):
    """An end that is no success, with its exit code."""

    def __init__(self, message: str, exit_code: int, error: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.error = dict(error or {"message": message})


def failure_of(error: SlipwayError) -> Failed:
    """Return an error of the API as the end of a command."""
    if error.status in (401, 403):
        code = SIGNED_OUT
    elif isinstance(error, TransactionError) and error.unsure:
        code = UNDER_WAY
    elif error.passes:
        code = UNAVAILABLE
    else:
        code = REFUSED
    lines = [str(error)]
    lines += [f"  {field.get('field')}: {field.get('message')}" for field in error.details.get("fields", ())]
    if error.retry_after:
        lines.append(f"  Try again in {error.retry_after:.0f} s.")
    if error.status == 401:
        lines.append("  Sign in: slipway login")
    if error.request_id:
        lines.append(f"  Request {error.request_id}")
    shown = {
        "code": error.code, "message": error.message, "status": error.status, "details": error.details,
        "request_id": error.request_id, "retry_after": error.retry_after,
    }  # fmt: skip
    return Failed("\n".join(lines), code, shown)


class Context:
    """One call of the command line."""

    def __init__(self) -> None:
        self.as_json = False
        self.api: str | None = os.environ.get("SLIPWAY_API") or None
        self.key_file: str | None = os.environ.get("SLIPWAY_KEY_FILE") or None
        self.rpc_url: str | None = os.environ.get("SLIPWAY_RPC_URL") or None
        self.credentials = Credentials()
        self._client: Slipway | None = None
        self._signer: PrivateKey | None = None

    # ── Who asks ─────────────────────────────────────────────────────────────────────────────────────
    def address(self) -> str:
        """Return the installation's address.

        Raises:
            Failed: None is known.
        """
        api = self.api or self.credentials.default_api()
        if not api:
            raise Failed("Which installation? slipway login --api https://…, or SLIPWAY_API", USAGE)
        return api.rstrip("/")

    @property
    def client(self) -> Slipway:
        """A client: by an API key or a key file of the environment, or as it was signed in."""
        if self._client is None:
            api = self.address()
            known = self.credentials.of(api)
            api_key = os.environ.get("SLIPWAY_API_KEY") or (None if self.key_file else known.get("api_key"))
            # A key that is named for this call alone has a session for this call alone.
            store: SessionStore = MemoryStore() if self.key_file else KeptSession(self.credentials, api)
            signer = self.signer() if not api_key and (self.key_file or known.get("key_file")) else None
            self._client = Slipway(api, signer=signer, api_key=api_key, session_store=store, domain=_domain())
        return self._client

    def signer(self) -> PrivateKey | None:
        """Return the wallet of the key file, if there is one.

        Raises:
            Failed: There is no key in the file.
        """
        named = self.key_file or self.credentials.of(self.address()).get("key_file")
        if self._signer is None and named:
            self._signer = read_key(Path(named))
        return self._signer

    def wallet(self) -> Wallet | None:
        """Return the wallet with a node of its chain, if both are known."""
        signer = self.signer()
        return Wallet(signer, self.rpc_url) if signer and self.rpc_url else None

    def close(self) -> None:
        """Close the connections."""
        if self._client:
            self._client.close()

    # ── What is shown ────────────────────────────────────────────────────────────────────────────────
    def show(self, data: Any, text: str | Callable[[Any], str] | None = None) -> None:
        """Write an answer: JSON where that was asked for, otherwise text; by default its fields."""
        if self.as_json:
            click.echo(json.dumps(data, ensure_ascii=False))
        elif text is None:
            click.echo(fields(data))
        else:
            click.echo(text if isinstance(text, str) else text(data))

    def rows(self, entries: Iterable[Mapping[str, Any]], columns: Sequence[str], limit: int | None = None) -> None:
        """Write a list: JSON, or a table of some of its fields."""
        found = []
        for entry in entries:
            found.append(entry)
            if limit and len(found) >= limit:
                break
        if self.as_json:
            click.echo(json.dumps(found, ensure_ascii=False))
        elif found:
            click.echo(table([{name: _cell(entry.get(name)) for name in columns} for entry in found], columns))
        else:
            self.note("None.")

    def note(self, text: str) -> None:
        """Say something that is no answer, so on the error output; nothing where JSON was asked for."""
        if not self.as_json:
            click.echo(text, err=True)


def _domain() -> str | None:
    return os.environ.get("SLIPWAY_SIGN_IN_DOMAIN") or None


def read_key(path: Path) -> PrivateKey:
    """Read a key file; a keystore's password is in SLIPWAY_KEY_PASSWORD or is asked for.

    Raises:
        Failed: There is no key in it.
    """
    try:
        text = path.read_text(encoding="utf-8").lstrip()
        if path.stat().st_mode & _OTHERS and not path.is_fifo():
            click.echo(f"Warning: others may read {path}; chmod 600 it", err=True)
        password = os.environ.get("SLIPWAY_KEY_PASSWORD")
        if text.startswith("{") and password is None and sys.stdin.isatty():
            password = click.prompt(f"Password of {path}", hide_input=True, err=True)
        return PrivateKey.from_file(path, password)
    except (OSError, ValueError) as error:
        raise Failed(f"{path}: {error.strerror if isinstance(error, OSError) else error}", USAGE) from None


def confirm(question: str, yes: bool) -> None:
    """Ask, unless the answer was given.

    Raises:
        Failed: Nobody is there who could answer.
        click.Abort: The answer is no.
    """
    if not yes:
        if not sys.stdin.isatty():
            raise Failed(f"{question} Give --yes", USAGE)
        click.confirm(question, abort=True, err=True)


def fields(data: Mapping[str, Any]) -> str:
    """Return what is there, one field a line; what is long is in the JSON alone."""
    shown = {name: value for name, value in data.items() if value not in (None, [], {}, "") and name not in _LONG}
    happened = data.get("events") or []
    events = [f"{it['created_at']}  {it['message']}" for it in happened if isinstance(it, dict)]
    if events:
        del shown["events"]
    width = max(map(len, shown), default=0)
    return "\n".join([*(f"{name:<{width}}  {_cell(value)}" for name, value in shown.items()), *events])


def table(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> str:
    """Return rows under their columns' names."""
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in columns}
    lines = ["  ".join(f"{name.upper():<{widths[name]}}" for name in columns)]
    lines += ["  ".join(f"{row[name]:<{widths[name]}}" for name in columns) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(entry, str | int) for entry in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# ── Options that every command has ───────────────────────────────────────────────────────────────────
def _kept(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            setattr(context.ensure_object(Context), name, value)

    return keep


def _common() -> list[click.Parameter]:
    def option(*names: str, keeps: str, **more: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=_kept(keeps), **more)

    return [
        option("--json", keeps="as_json", is_flag=True, help="Write JSON."),
        option("--api", keeps="api", metavar="URL", help="The installation; else SLIPWAY_API, else the last login's."),
        option(
            "--key-file", keeps="key_file", type=click.Path(exists=True, dir_okay=False),
            help="A wallet's private key, for this call; else SLIPWAY_KEY_FILE, else the login's.",
        ),
        option("--rpc-url", keeps="rpc_url", metavar="URL", help="A node of the wallet's chain; else SLIPWAY_RPC_URL."),
    ]  # fmt: skip


class Command(click.Command):
    """A command with the options that every command has."""

    def __init__(self, name: str | None, *, params: list[click.Parameter] | None = None, **more: Any) -> None:
        super().__init__(name, params=[*(params or ()), *_common()], **more)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type

    def __init__(self, name: str | None = None, *, params: list[click.Parameter] | None = None, **more: Any) -> None:
        super().__init__(name, params=[*(params or ()), *_common()], **more)


given = click.make_pass_decorator(Context, ensure=True)
