"""Which addresses Slipway may call: public ones, unless the local build says otherwise."""

import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from urllib.parse import urlsplit

import httpx

from slipway.errors import UpstreamUnavailableError
from slipway.request_budget import BudgetSpentError, waiting
from slipway.settings import allow_private_network

# Everything that is routed on the Internet. IPv4 addresses in other spellings (mapped, compatible, NAT64, SIIT) and
# site-local ones lie outside, whatever is inside them.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# A server of names that is silent would hold a call up without end.
_RESOLVE_SECONDS = 2.0
_resolvers = ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolve")


def resolved(host: str, port: int, seconds: float = _RESOLVE_SECONDS) -> list[str]:
    """Resolve a host to its IP addresses, in the order in which to try them.

    Raises:
        OSError: It has none, its name is none, or no answer came within the seconds.
    """
    asked = _resolvers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        with waiting(seconds) as left:
            found = asked.result(left)
    except UnicodeError as error:
        raise OSError("not a host name") from error
    except BudgetSpentError as error:
        raise OSError("no time is left") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to no loopback, private, link-local, multicast or otherwise special
    network."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        # Tunnels (6to4, Teredo) lead to the IPv4 address inside.
        inside = parsed in _GLOBAL_UNICAST and not (parsed.sixtofour or parsed.teredo)
        return inside and parsed.is_global
    return parsed.is_global and not parsed.is_multicast


def require_public_url(url: str) -> None:
    """Refuse addresses by which a configured URL could reach into our own network.

    Raises:
        UpstreamUnavailableError: Not HTTPS, no host, or a host that is or resolves to a loopback, private, link-local
            or multicast address.
    """
    if allow_private_network():
        return
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError as error:
        raise UpstreamUnavailableError("A configured address is not a URL") from error
    if parts.scheme != "https" or not host:
        raise UpstreamUnavailableError("A configured address is not an HTTPS URL")
    try:
        addresses = resolved(host, port)
    except OSError as error:
        raise UpstreamUnavailableError("A configured address does not resolve") from error
    if not all(is_public(address) for address in addresses):
        raise UpstreamUnavailableError("A configured address is not public")


@cache
def _found_public(origin: str) -> None:
    require_public_url(origin)


def _judge(request: httpx.Request) -> None:
    _found_public(f"{request.url.scheme}://{request.url.netloc.decode()}")


def public_client() -> httpx.Client:
    """Return an HTTP client for configured addresses that asks ``require_public_url`` before its first request to a
    host.

    Its requests raise ``UpstreamUnavailableError`` for an address that is refused.
    """
    return httpx.Client(event_hooks={"request": [_judge]})
