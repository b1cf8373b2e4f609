"""A node's RPC: ``POST /`` with JSON, as Banano and Nano nodes take it."""

import ipaddress
import json
from typing import Any

import httpx

from slipway.deadline_client import DeadlineClient
from slipway.errors import EndpointHostRefusedError, ProbeNonsenseError, ProbeRefusedError
from slipway.network import is_public, resolved
from slipway.settings import allow_private_network
from slipway.stacks.rules import Endpoint

_MAX_BYTES = 64 * 1024


class NodeRpc:
    """Asks nodes who they are.

    Args:
        client: The HTTP client, used by this object alone.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = DeadlineClient(client)

    def ask(self, action: str, endpoint: Endpoint, addresses: list[str], seconds: float) -> Any:
        """Return what an endpoint answers to an action without parameters, such as ``version``.

        Args:
            action: The action.
            endpoint: Where the node is; named in the request.
            addresses: The IP addresses that were found good for it; nothing else is connected to.
            seconds: The deadline for each of them, from connecting to the answer's last byte.

        Raises:
            ProbeRefusedError: Nothing answers.
            ProbeNonsenseError: What answers is not JSON.
        """
        reason = "it has no address"
        for address in addresses:
            try:
                response = self._post(action, endpoint, address, seconds)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = type(error).__name__
                continue
            return _json(response)
        raise ProbeRefusedError(f"Nothing answers at {endpoint} ({reason})")

    def _post(self, action: str, endpoint: Endpoint, address: str, seconds: float) -> httpx.Response:
        host = f"[{address}]" if ipaddress.ip_address(address).version == 6 else address
        return self._client.request(
            "POST",
            f"http://{host}:{endpoint.port}/",
            seconds,
            most_bytes=_MAX_BYTES,
            headers={"host": str(endpoint), "accept-encoding": "identity"},
            json={"action": action},
        )


def node_rpc() -> NodeRpc:
    """Return an object that asks nodes over a client of its own."""
    return NodeRpc(httpx.AsyncClient(trust_env=False))


def addresses_of(endpoint: Endpoint) -> list[str]:
    """Return the addresses of an endpoint.

    Raises:
        EndpointHostRefusedError: It has none, or one that is not public.
    """
    try:
        found = resolved(endpoint.host, endpoint.port)
    except OSError as error:
        if allow_private_network():
            # On a laptop providers have names that exist nowhere; the probe shows it.
            return []
        raise EndpointHostRefusedError(f"The provider's host {endpoint.host} does not resolve") from error
    if not allow_private_network() and not all(is_public(address) for address in found):
        raise EndpointHostRefusedError(f"The provider's host {endpoint.host} is not a public one")
    return found


def _json(response: httpx.Response) -> Any:
    if response.status_code != 200:
        raise ProbeNonsenseError(f"What answers at the endpoint answers {response.status_code}")
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise ProbeNonsenseError("What answers at the endpoint does not answer JSON") from error
