"""How much an address on the internet may ask in a minute, where nobody has signed in.

Key in the control table: ``ADDRESS#<what>#<address>`` / ``<minute>``. One write counts and judges; an address that has
used its minute up costs this process nothing more until the next.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from pynamodb.attributes import NumberAttribute

from slipway.errors import RateLimitExceededError
from slipway.store import ControlItem, update_if
from slipway.times import epoch_seconds

_MINUTE = 60
_MAX_KEPT = 10_000
# One customer of a provider has at least so many addresses to choose from (RFC 6177).
_IPV6_PREFIX = 64


class AddressCount(ControlItem):
    """What an address asked in one minute."""

    asked = NumberAttribute(default=0)
    expires_at = NumberAttribute(null=True)


_full: dict[tuple[str, str], int] = {}


def counted_address(text: str) -> str:
    """Return what is counted for an address: itself, or the network of an IPv6 customer."""
    try:
        address = ip_address(text)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((int(address), _IPV6_PREFIX), strict=False))
    return str(address)


def count_address(what: str, source_ip: str | None, most: int) -> None:
    """Count a request of an address.

    Args:
        what: What it asks for.
        source_ip: The caller's address as API Gateway saw it.
        most: How much it may ask in a minute.

    Raises:
        RateLimitExceededError: It has asked so much in this minute.
        UpstreamUnavailableError: The table did not answer.
    """
    now = epoch_seconds()
    minute, address = now // _MINUTE, counted_address(source_ip or "")
    if _full.get((what, address)) != minute:
        item = AddressCount(f"ADDRESS#{what}#{address}", str(minute))
        room = AddressCount.asked.does_not_exist() | (AddressCount.asked < most)
        if update_if(item, room, [AddressCount.asked.add(1), AddressCount.expires_at.set((minute + 2) * _MINUTE)]):
            return
        if len(_full) >= _MAX_KEPT:
            _full.clear()
        _full[what, address] = minute
    seconds = (minute + 1) * _MINUTE - now
    raise RateLimitExceededError(
        f"No more than {most} a minute are allowed; try again in {seconds} s",
        retry_after=seconds,
        headers={"ratelimit-limit": str(most), "ratelimit-remaining": "0", "ratelimit-reset": str(seconds)},
    )
