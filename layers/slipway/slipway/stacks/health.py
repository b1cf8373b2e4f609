"""Whether a published node still answers: what a probe found, and what follows from it."""

from dataclasses import dataclass
from typing import Any

from slipway.errors import SlipwayError
from slipway.settings import allow_private_network
from slipway.stacks.node_rpc import NodeRpc, addresses_of
from slipway.stacks.rules import block_count, node_version, parse_endpoint, peer_count

# A probe is due before the run of reconcile in the next minute.
PROBE_EVERY_SECONDS = 45.0
_PROBE_SECONDS = 4.0
# Failures in a row.
WITHDRAWN_AFTER, RESTARTED_AFTER = 2, 3


@dataclass(frozen=True)
class Probe:
    """What a probe found: a version, a height and, where the node names them, its peers; or why there is none."""

    version: str | None = None
    block_count: int | None = None
    peers: int | None = None
    reason: str | None = None

    @property
    def answers(self) -> bool:
        """Whether the node answered as one."""
        return self.reason is None


def probe(rpc: NodeRpc, endpoint: str) -> Probe:
    """Ask a published endpoint for version, height and peers, for at most a few seconds each; never raises."""
    try:
        parsed = parse_endpoint(endpoint, allow_loopback=allow_private_network())
        addresses = addresses_of(parsed)
        version = node_version(rpc.ask("version", parsed, addresses, _PROBE_SECONDS))
        height = block_count(rpc.ask("block_count", parsed, addresses, _PROBE_SECONDS))
    except SlipwayError as error:
        return Probe(reason=error.message)
    try:
        return Probe(version, height, peer_count(rpc.ask("peers", parsed, addresses, _PROBE_SECONDS)))
    except SlipwayError:
        # A node need not name them.
        return Probe(version, height)


def health_after(before: dict[str, Any] | None, found: Probe, at: str) -> dict[str, Any]:
    """Return a node's health (``models.Health``) after a probe at a time.

    Two failures in a row withdraw its endpoint, until it answers again.
    """
    known = before or {}
    if found.answers:
        return {"probed_at": at, "answers": True, "failures": 0, "block_count": found.block_count, "peers": found.peers}
    failures = int(known.get("failures", 0)) + 1
    withdrawn_at = known.get("withdrawn_at") or (at if failures >= WITHDRAWN_AFTER else None)
    return {
        "probed_at": at,
        "answers": False,
        "failures": failures,
        "block_count": known.get("block_count"),
        "peers": known.get("peers"),
        "reason": found.reason,
        "withdrawn_at": withdrawn_at,
    }
