"""Signing in and out."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from slipway_client import MemoryStore, Slipway, SlipwayError
from slipway_client.cli.browser import signed_in_browser
from slipway_client.cli.context import SIGNED_OUT, USAGE, Command, Context, Failed, given, read_key
from slipway_client.cli.credentials import KeptSession

_BROWSER_SECONDS = 300.0


@click.command(cls=Command)
@click.option("--api-key", "by_key", is_flag=True, help="Ask for an API key, or read it from standard input.")
@click.option("--browser", "by_browser", is_flag=True, help="Sign with the browser's wallet (the default).")
@click.option("--no-open", is_flag=True, help="Write the browser's address instead of opening it.")
@click.option("--timeout", type=float, default=_BROWSER_SECONDS, show_default=True, help="Seconds to sign in.")
@given
def login(context: Context, by_key: bool, by_browser: bool, no_open: bool, timeout: float) -> None:
    """Sign in to an installation: by --key-file, --api-key or a wallet in the browser."""
    api = context.address()
    if by_key and (by_browser or context.key_file):
        raise Failed("Choose one: --api-key, --browser or --key-file", USAGE)
    if by_key:
        key = _api_key()
        with Slipway(api, api_key=key) as client:
            _check(client)
        context.credentials.keep(api, api_key=key)
        context.show({"api": api, "by": "api_key"}, f"Signed in to {api} with an API key")
        return
    store, more = MemoryStore(), {}
    if context.key_file and not by_browser:
        signer = read_key(Path(context.key_file))
        with Slipway(api, signer=signer, session_store=store, domain=_domain()) as client:
            client.sign_in()
        wallet, more = signer.address, {"key_file": str(Path(context.key_file).absolute())}
    else:
        with Slipway(api, session_store=store) as client:
            wallet = signed_in_browser(client, api, opens=not no_open, timeout=timeout, note=context.note)
    session = store.load()
    context.credentials.keep(api, session=asdict(session) if session else None, **more)
    context.show({"api": api, "wallet": wallet}, f"Signed in to {api} as {wallet}")


@click.command(cls=Command)
@click.option("--everywhere", is_flag=True, help="End all sessions of the wallet.")
@given
def logout(context: Context, everywhere: bool) -> None:
    """End the session, and forget the installation's credentials."""
    api = context.address()
    kept = KeptSession(context.credentials, api)
    with Slipway(api, session_store=kept) as client, contextlib.suppress(SlipwayError):
        client.sign_out(everywhere=everywhere)
    context.credentials.keep(api)
    context.show({"api": api}, f"Signed out of {api}")


@click.command(cls=Command)
@given
def whoami(context: Context) -> None:
    """Show the installation and the wallet, with roles and tier."""
    api = context.address()
    if os.environ.get("SLIPWAY_API_KEY") or (context.credentials.of(api).get("api_key") and not context.key_file):
        _check(context.client)
        context.show({"api": api, "by": "api_key"})
        return
    token = context.client._api.bearer()
    if token is None:
        raise Failed(f"Not signed in to {api}: slipway login", SIGNED_OUT)
    claims = _claims(token)
    context.show({"api": api, **{name: claims.get(name) for name in ("wallet", "roles", "tier")}})


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _api_key() -> str:
    """Ask for a key where somebody sits, else read it: it is never an argument, which other processes see."""
    key = click.prompt("API key", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    key = str(key).strip()
    if not key.startswith("slk_"):
        raise Failed("This is no API key: they begin with slk_", USAGE)
    return key


def _check(client: Slipway) -> None:
    """Ask something, to see whether the key is known; its scopes may be for something else."""
    try:
        next(iter(client.deployments.list(limit=1)), None)
    except SlipwayError as error:
        if error.status != 403:
            raise


def _domain() -> str | None:
    return os.environ.get("SLIPWAY_SIGN_IN_DOMAIN") or None


def add_to(group: click.Group) -> None:
    """Add these commands to the command line."""
    for command in (login, logout, whoami):
        group.add_command(command)
