"""Which addresses Slipway may call: public ones, unless the local build says otherwise."""

import ipaddress
import socket
from urllib.parse import urlsplit

from slipway.errors import UpstreamUnavailableError
from slipway.settings import allow_private_network


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
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UpstreamUnavailableError("A configured address does not resolve") from error
    for *_, resolved in found:
        address = ipaddress.ip_address(resolved[0])
        if not address.is_global or address.is_multicast:
            raise UpstreamUnavailableError("A configured address is not public")
