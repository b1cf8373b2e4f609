"""The addresses of a chain's nodes, and what this process has seen of their health.

Kept for the life of the process, so that an address that fails, or lags behind the others, is not the first to be asked
at every call.
"""

import random
from collections.abc import Callable

from slipway.chain.head import Head
from slipway.chains import Chain

_MAX_REST_SECONDS = 60.0
# How long a reported block counts as the chain's height.
_HEAD_SECONDS = 60.0
# How long an address need not be asked for its block again only to compare others with it.
_SEEN_SECONDS = 10.0
# Blocks reach nodes one after the other; this much is no lag.
_LAG_SECONDS = 10.0
# For which part of a block, and how long at most, a head that was read counts as the present.
_HEAD_PART, _MAX_SHARED_SECONDS = 0.25, 2.0


class Node:
    """One address.

    Attributes:
        url: The address; it often carries a key.
        position: Its place in the configuration, from 1.
        head: The last block number that it reported.
        is_verified: Whether it said that it is of the right chain.
        is_foreign: Whether it said that it is of another chain; it is never asked again.
    """

    def __init__(self, url: str, position: int) -> None:
        self.url = url
        self.position = position
        self.head: int | None = None
        self.seen_at = 0.0
        self.is_verified = False
        self.is_foreign = False
        self.failures = 0
        self.rests_until = 0.0

    def answered(self) -> None:
        """Note that it works."""
        self.failures, self.rests_until = 0, 0.0

    def failed(self, moment: float) -> None:
        """Note that it does not work now: it rests for 1 second, and twice as long each time, 60 at most."""
        self.failures += 1
        rest = min(_MAX_REST_SECONDS, 2.0 ** min(self.failures - 1, 6))
        self.rests_until = moment + rest * random.uniform(0.5, 1.5)  # noqa: S311 (jitter, not a secret)

    def reported(self, head: int, moment: float) -> None:
        """Note its latest block."""
        self.head, self.seen_at = head, moment


class Nodes:
    """The addresses of one chain; moments are seconds of a monotonic clock."""

    def __init__(self, chain: Chain) -> None:
        self._block_seconds = chain.block_seconds
        self._nodes = [Node(url, position) for position, url in enumerate(chain.rpc_urls, start=1)]

    def in_order(self, moment: float) -> list[Node]:
        """Return the addresses as they are to be asked: as configured, then those that lag, then those that rest."""
        highest = self.highest(moment)
        lag = max(2, int(_LAG_SECONDS / self._block_seconds))

        def place(node: Node) -> tuple[bool, bool]:
            lags = highest is not None and node.head is not None and node.head < highest - lag
            return node.rests_until > moment, lags

        return sorted((node for node in self._nodes if not node.is_foreign), key=place)

    def highest(self, moment: float) -> int | None:
        """Return the highest block that an address reported lately."""
        heads = [
            node.head
            for node in self._nodes
            if node.head is not None and not node.is_foreign and moment - node.seen_at < _HEAD_SECONDS
        ]
        return max(heads, default=None)

    def not_seen(self, node: Node, moment: float) -> list[Node]:
        """Return the other addresses in order that have not reported a block lately and do not rest."""
        return [
            other
            for other in self._nodes
            if other is not node
            and not other.is_foreign
            and other.rests_until <= moment
            and (other.head is None or moment - other.seen_at >= _SEEN_SECONDS)
        ]


_known: dict[tuple[int, tuple[str, ...]], Nodes] = {}
_heads: dict[tuple[int, tuple[str, ...]], tuple[float, Head]] = {}


def nodes_of(chain: Chain) -> Nodes:
    """Return this process's knowledge of a chain's nodes."""
    return _known.setdefault((chain.chain_id, chain.rpc_urls), Nodes(chain))


def head_of(chain: Chain, moment: float, read: Callable[[], Head]) -> Head:
    """Return this process's last read head of a chain, or read it anew if that is of the past."""
    key, shared = (chain.chain_id, chain.rpc_urls), min(chain.block_seconds * _HEAD_PART, _MAX_SHARED_SECONDS)
    began, head = _heads.get(key, (moment, None))
    if head is None or moment - began >= shared:
        head = read()
        _heads[key] = moment, head
    return head


def forget_nodes() -> None:
    """Begin anew, as a new process does."""
    _known.clear()
    forget_heads()


def forget_heads() -> None:
    """Read the head of each chain anew."""
    _heads.clear()
