"""Which addresses Slipway may call: public ones, unless the local build says otherwise."""

import ipaddress
import socket
from functools import cache
from urllib.parse import urlsplit

import httpx

from slipway.errors import UpstreamUnavailableError
from slipway.settings import allow_private_network

# Leads to any IPv4 address, private ones too.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def resolved(host: str, port: int) -> list[str]:
    """Resolve a host to its IP addresses, in the order in which to try them.

    Raises:
        OSError: It has none, or its name is none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError("not a host name") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to no loopback, private, link-local, multicast or otherwise special
    network."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.is_site_local or parsed in _NAT64:
            return False
        # An IPv4 address in another spelling is judged as what it is.
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo or (None,))[0]
        if inner is not None and not (inner.is_global and not inner.is_multicast):
            return False
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
