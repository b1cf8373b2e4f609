"""Which addresses Slipway may call: public ones, unless the local build says otherwise."""

import ipaddress
import socket
from urllib.parse import urlsplit

from slipway.errors import UpstreamUnavailableError
from slipway.settings import allow_private_network


def require_public_url(url: str) -> None:
    """Refuse addresses by which a configured URL could reach into our own network.

    Raises:
        UpstreamUnavailableError: Not HTTPS, no host, or a host that is or resolves to a loopback, private or link-local
            address.
    """
    if allow_private_network():
        return
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise UpstreamUnavailableError("A configured address is not an HTTPS URL")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UpstreamUnavailableError("A configured address does not resolve") from error
    for *_, address in found:
        if not ipaddress.ip_address(address[0]).is_global:
            raise UpstreamUnavailableError("A configured address is not public")
