"""Asks each address of a file what it is, before anything is sent to AWS."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx

from deploy.settings import Settings

_SECONDS = 10.0


def reachability(settings: Settings, client: httpx.Client | None = None) -> list[str]:
    """Return what is wrong with the addresses: RPC chain ids, the external issuer's keys, MLflow, the Console API."""
    with client or httpx.Client(timeout=_SECONDS, follow_redirects=False) as asked, ThreadPoolExecutor(8) as pool:
        checks: list[Callable[[], str | None]] = [
            _rpc(asked, chain, position)
            for chain in settings.chains
            for position in range(len(chain["rpc_urls"]))
        ]  # fmt: skip
        checks += [_answers(asked, name, url) for name, url in _addresses(settings.parameters).items()]
        return [problem for problem in pool.map(lambda check: check(), checks) if problem]


def _addresses(parameters: dict[str, str]) -> dict[str, str]:
    wanted = {name: parameters.get(name, "") for name in ("MlflowTrackingUri", "AkashConsoleApiUrl", "SourcifyUrl")}
    if issuer := parameters.get("OidcIssuer"):
        wanted["OidcIssuer"] = parameters.get("OidcJwksUrl") or issuer.rstrip("/") + "/.well-known/jwks.json"
    return {name: url for name, url in wanted.items() if url}


def _rpc(client: httpx.Client, chain: dict[str, Any], position: int) -> Callable[[], str | None]:
    url = chain["rpc_urls"][position]
    # Of an address only the host is named, because the rest often is a key.
    place = f"chains: {chain['name']}, {urlsplit(url).hostname}"

    def ask() -> str | None:
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        try:
            found = int(client.post(url, json=body).json()["result"], 16)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            return f"{place}: does not answer eth_chainId ({type(error).__name__})"
        return None if found == chain["chain_id"] else f"{place}: is chain {found}, not {chain['chain_id']}"

    return ask


def _answers(client: httpx.Client, name: str, url: str) -> Callable[[], str | None]:
    def ask() -> str | None:
        try:
            status = client.get(url).status_code
        except httpx.HTTPError as error:
            return f"parameters.{name}: {urlsplit(url).hostname} does not answer ({type(error).__name__})"
        return f"parameters.{name}: {urlsplit(url).hostname} answers {status}" if status >= 500 else None

    return ask
