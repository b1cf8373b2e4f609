"""Pure decisions about stacks: names, endpoints, when to look for them, and what a node's answer has to be.

Source: specification 002; what providers report of forwarded ports is described at ``slipway.akash.console.models``.
"""

import ipaddress
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from slipway.errors import (
    EndpointAmbiguousError,
    EndpointHostMissingError,
    EndpointHostRefusedError,
    EndpointNotForwardedError,
    EndpointPortOutOfRangeError,
    ProbeNonsenseError,
    ValidationFailedError,
)

if TYPE_CHECKING:
    from slipway.akash.console.models import ForwardedPort, LeaseStatus, ServiceStatus

RPC_PORT, PEERING_PORT, WEBSOCKET_PORT = 7072, 7071, 7074
MIN_PORT, MAX_PORT = 1024, 65535
_ENVIRONMENT = re.compile(r"[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?")
_HOST = re.compile(r"[a-z0-9.-]{1,253}")
_NAMED = re.compile(r"[a-z-]")
_PINNED = re.compile(r".+@sha256:[0-9a-f]{64}|[^@]+:(?!latest$)\w[\w.-]{0,127}", re.ASCII)


def environment_named(text: str) -> str:
    """Return an environment's name: 1 to 32 lower-case letters, digits and hyphens, beginning with a letter, not
    ending in a hyphen.

    Raises:
        ValidationFailedError: It is none.
    """
    if not _ENVIRONMENT.fullmatch(text):
        reason = "must be 1 to 32 lower-case letters, digits and hyphens, begin with a letter and not end in a hyphen"
        raise ValidationFailedError.of_field("environment", reason)
    return text


def is_pinned(image: str) -> bool:
    """Return whether an image is named by a digest, or by a tag that is not ``latest``."""
    return bool(_PINNED.fullmatch(image))


# ── Endpoints ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Endpoint:
    """Where a node's RPC is reached; ``str`` gives ``host:port``."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def valid_endpoint(host: str, port: int, *, allow_loopback: bool = False) -> Endpoint:
    """Return an endpoint, if it may be published as far as its text shows.

    What the host resolves to is for ``slipway.network``.

    Args:
        host: Lower-case letters, digits, dots and hyphens, with at least one part between dots that has a letter or a
            hyphen: numbers alone are an address, not a name.
        port: 1024 to 65535.
        allow_loopback: Lets 127.0.0.0/8 and localhost pass as well, on a laptop.

    Raises:
        EndpointHostRefusedError: The host is none of that.
        EndpointPortOutOfRangeError: The port is out of range.
    """
    if not (_is_name(host) or (allow_loopback and _is_loopback(host))):
        raise EndpointHostRefusedError(f"The provider's host {_shown(host)} is not a host name")
    if not allow_loopback and (host == "localhost" or host.endswith(".localhost")):
        raise EndpointHostRefusedError("The provider's host is this machine")
    if not MIN_PORT <= port <= MAX_PORT:
        raise EndpointPortOutOfRangeError(f"The forwarded port {port} is not from {MIN_PORT} to {MAX_PORT}")
    return Endpoint(host, port)


def parse_endpoint(text: str, *, allow_loopback: bool = False) -> Endpoint:
    """Return the endpoint that ``host:port`` names; raises as ``valid_endpoint`` does."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and str(int(port)) == port):
        raise EndpointPortOutOfRangeError("The endpoint names no port")
    return valid_endpoint(host, int(port), allow_loopback=allow_loopback)


def _is_name(host: str) -> bool:
    return bool(_HOST.fullmatch(host)) and any(_NAMED.search(part) for part in host.split("."))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def _shown(host: str) -> str:
    return repr(host[:80])


def host_of_uri(uri: str) -> str:
    """Return the host that a provider's ``hostUri`` names; empty where it names none."""
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


def rpc_candidate(ports: "Mapping[str, Iterable[ForwardedPort]]") -> "ForwardedPort":
    """Return the forwarded port that leads to the node's RPC: its container's port is 7072, over TCP.

    Which port others use (``as``) says nothing, and peering and WebSocket are never meant.

    Args:
        ports: As the provider reports them, by service.

    Raises:
        EndpointNotForwardedError: There is none yet.
        EndpointAmbiguousError: There are several that differ.
    """
    found = {
        (port.host, port.external_port): port
        for service in ports.values()
        for port in service
        if port.port == RPC_PORT and port.proto.upper() == "TCP"
    }
    if not found:
        raise EndpointNotForwardedError(f"The provider forwards no port to the node's port {RPC_PORT}")
    if len(found) > 1:
        several = ", ".join(str(number) for _, number in sorted(found))
        raise EndpointAmbiguousError(f"The provider forwards several ports to the node's port {RPC_PORT}: {several}")
    return next(iter(found.values()))


def host_for(candidate: "ForwardedPort", provider_uri: str) -> str:
    """Return the host of a forwarded port: as reported with it, else the provider's own.

    Raises:
        EndpointHostMissingError: Neither is known.
    """
    host = candidate.host or host_of_uri(provider_uri)
    if not host:
        raise EndpointHostMissingError("The provider names no host for the node's port")
    return host


# ── When to look ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Schedule:
    """Tries with growing gaps between their beginnings, in seconds.

    Attributes:
        gaps: From the beginning of each try to that of the next; there is one try more than gaps.
    """

    gaps: tuple[int, ...]

    @property
    def tries(self) -> int:
        """How many tries there are."""
        return len(self.gaps) + 1

    def pause(self, tries: int, elapsed: float) -> int | None:
        """Whole seconds to wait before the next try; None when there is none any more.

        Args:
            tries: How many tries there were.
            elapsed: Seconds since the first began. Time that tries took is not waited for again.
        """
        if tries > len(self.gaps):
            return None
        due = sum(self.gaps[:tries])
        return min(self.gaps[tries - 1], max(0, math.ceil(due - elapsed)))


# Specification 002: exponential, about 75 s in all.
DISCOVERY = Schedule((5, 10, 20, 40))
# The deadline of each poll: Akash asks the provider, which takes about ten seconds on average.
POLL_TIMEOUT_SECONDS = 15.0
# A container counts as available when it runs; the node then opens its ledger before it listens.
PROBE = Schedule((2, 4, 8, 16, 30))


# ── What a node answers ─────────────────────────────────────────────────────────────────────────


def node_version(answer: Any) -> str:
    """Return the vendor and version of the node that gave this answer to ``{"action": "version"}``.

    Raises:
        ProbeNonsenseError: No node of this family answers so.
    """
    fields = answer if isinstance(answer, dict) else {}
    vendor, rpc = fields.get("node_vendor"), fields.get("rpc_version")
    if not isinstance(vendor, str) or not vendor or not str(rpc if rpc is not None else "").isdigit():
        raise ProbeNonsenseError("What answers at the endpoint is no Banano node")
    return " ".join(vendor.split())[:80]


def block_count(answer: Any) -> int:
    """Return the height in a node's answer to ``{"action": "block_count"}``.

    Raises:
        ProbeNonsenseError: It has none.
    """
    count = str(answer.get("count", "")) if isinstance(answer, dict) else ""
    if not (count.isascii() and count.isdigit() and len(count) <= 18):
        raise ProbeNonsenseError("What answers at the endpoint names no block count")
    return int(count)


def peer_count(answer: Any) -> int | None:
    """Return how many peers a node's answer to ``{"action": "peers"}`` names; None where it names none."""
    peers = answer.get("peers") if isinstance(answer, dict) else None
    # A node without any writes an empty text.
    return len(peers) if isinstance(peers, dict | list) or peers == "" else None


# ── Updates ─────────────────────────────────────────────────────────────────────────────────────


def generations_of(statuses: "Iterable[LeaseStatus]") -> dict[str, int]:
    """Which generation of each service its provider runs, 0 where it reports none."""
    return {name: service.observed_generation for status in statuses for name, service in status.services.items()}


def is_updated(statuses: "Iterable[LeaseStatus]", services: Iterable[str], before: Mapping[str, int]) -> bool:
    """Whether every service runs what it was updated to, and nothing else.

    Args:
        statuses: What the providers report.
        services: The services' names.
        before: Their generations before the update.
    """
    reported = {name: service for status in statuses for name, service in status.services.items()}
    return all(name in reported and _runs_anew(reported[name], before.get(name, 0)) for name in services)


def _runs_anew(service: "ServiceStatus", before: int) -> bool:
    """Counters that a provider does not report are 0; while an old container still runs, replicas are too many."""
    moved_on = not before or not service.observed_generation or service.observed_generation > before
    replaced = not service.replicas or service.replicas <= service.updated_replicas
    return moved_on and replaced and service.available >= max(1, service.total)
