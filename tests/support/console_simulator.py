"""The Console API simulator for tests: SDLs, controls, and a client that is Slipway's own."""

from __future__ import annotations

import json
import ssl
from decimal import Decimal
from typing import Any

import httpx
import yaml

from local.console_api.keys import DEFAULT_KEY
from slipway.akash.console.client import ConsoleApi
from slipway.akash.console.models import CreatedDeployment, Deployment
from tests.support.clock import HastyClock

# Loopback needs none, but each client would load the certificates anew.
_TLS = ssl.create_default_context()


def sdl(
    scenario: dict[str, Any] | None = None,
    *,
    name: str = "web",
    exposes: list[dict[str, Any]] | None = None,
    gpu: str | None = None,
    amount: int = 100_000,
    attributes: dict[str, str] | None = None,
    env: list[str] | None = None,
    count: int = 1,
) -> str:
    """Return an SDL of one service; ``scenario`` is what the simulator makes of it (``local.console_api.controls``)."""
    marker = [f"SIMULATOR={json.dumps(scenario)}"] if scenario is not None else []
    resources: dict[str, Any] = {"cpu": {"units": 0.5}, "memory": {"size": "512Mi"}, "storage": {"size": "1Gi"}}
    if gpu:
        resources["gpu"] = {"units": 1, "attributes": {"vendor": {"nvidia": [{"model": gpu}]}}}
    document = {
        "version": "2.0",
        "services": {
            name: {
                "image": "nginx:1.27",
                "env": [*(env or []), *marker],
                "expose": exposes or [{"port": 8080, "as": 80, "to": [{"global": True}]}],
            }
        },
        "profiles": {
            "compute": {name: {"resources": resources}},
            "placement": {
                "dcloud": {
                    **({"attributes": attributes} if attributes else {}),
                    "pricing": {name: {"denom": "uakt", "amount": amount}},
                }
            },
        },
        "deployment": {name: {"dcloud": {"profile": name, "count": count}}},
    }
    return yaml.safe_dump(document)


RPC_PORT = [{"port": 7072, "as": 7072, "to": [{"global": True}]}]


class Simulator:
    """A running simulator as a test sees it.

    Attributes:
        url: Its address.
        api: Slipway's client with the default account's key.
        http: A plain client of its address.
    """

    def __init__(self, url: str, key: str = DEFAULT_KEY) -> None:
        self.url = url
        self.key = key
        self.api = ConsoleApi(url, lambda: self.key, httpx.AsyncClient(verify=_TLS), HastyClock())
        self.http = httpx.Client(base_url=url, timeout=10, verify=_TLS)

    def control(self, **controls: Any) -> None:
        """Replace the controls for everybody."""
        self.http.put("/_simulator/controls", json=controls).raise_for_status()

    def queue(self, **scenario: Any) -> None:
        """Queue a scenario for the next SDL that is created."""
        self.http.post("/_simulator/next", json=scenario).raise_for_status()

    def advance(self, seconds: float) -> None:
        """Skip simulated time."""
        self.http.post("/_simulator/advance", json={"seconds": seconds}).raise_for_status()

    def ledger(self) -> dict[str, Any]:
        """Return what was done."""
        found: dict[str, Any] = self.http.get("/_simulator/ledger").raise_for_status().json()
        return found

    def entry(self, dseq: str) -> dict[str, Any]:
        """One deployment's entry in the ledger."""
        return next(entry for entry in self.ledger()["deployments"] if entry["dseq"] == dseq)

    def set_online(self, address: str, online: bool) -> None:
        """Take a provider off the network, or put it back."""
        self.http.put(f"/_simulator/providers/{address}", json={"online": online}).raise_for_status()

    def write(self, dseq: str, service: str, *lines: str, every: float = 0) -> None:
        """Let a service write lines."""
        body = {"service": service, "lines": lines, "every": every}
        self.http.post(f"/_simulator/deployments/{dseq}/logs", json=body).raise_for_status()

    # ── Shortcuts ───────────────────────────────────────────────────────────────────────────────

    def created(self, text: str | None = None) -> CreatedDeployment:
        """Return a new deployment."""
        return self.api.create_deployment(text or sdl(), Decimal(5))

    def leased(self, text: str | None = None) -> Deployment:
        """Return a deployment whose first bid was taken, which may not be ready yet."""
        created = self.created(text)
        self.advance(5)
        bid = self.api.bids(created.dseq)[0]
        return self.api.create_leases(created.manifest, [bid.id])

    def ready(self, text: str | None = None) -> Deployment:
        """Return a deployment whose services are available."""
        found = self.leased(text)
        self.advance(5)
        return self.api.deployment(found.dseq)
