"""An installation in this process over a local engine of its own: the functions behind their routes, and exact counts.

Unlike moto's, the engine's tables tell the units that a call would be billed.
"""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO

import pytest

import bench.environment  # noqa: F401 (before the library)
from bench.engine import engine
from bench.metering import Meter
from slipway import store
from tests.support import grants, installation
from tests.support.chains import CHAIN
from tests.support.installation import Installation, install
from tests.support.loopback_node import served
from tests.support.nodes import FakeNode


@dataclass
class Installed:
    """What a bench uses.

    Attributes:
        slipway: The functions.
        meter: Counts what the library asks of DynamoDB.
        endpoint: Of the engine.
        patches: Undone at the end.
    """

    slipway: Installation
    meter: Meter
    endpoint: str
    patches: pytest.MonkeyPatch


@contextmanager
def installed(rpc_url: str | None = None) -> Iterator[Installed]:
    """Start an engine and install Slipway into it; what the functions print is dropped.

    Args:
        rpc_url: Of the chain's node; None for one that answers what tests need and does nothing.
    """
    node = FakeNode()
    with engine() as endpoint, served(node) as url, pytest.MonkeyPatch.context() as patches:
        patches.setenv("AWS_ENDPOINT_URL", endpoint)
        # Clients that are older than this engine know another one, or none.
        installation._client.cache_clear()
        installation._fresh_clients.clear()
        # The engine looks through all it holds, so with much data on a busy machine it is slower than DynamoDB ever is.
        patches.setattr(store.connection, "_read_timeout_seconds", 60)
        # What policies allow is the functional tests' to judge.
        patches.setattr(grants, "allowed", lambda *_: True)
        slipway = install(patches, node, rpc_url or url, CHAIN)
        with redirect_stdout(StringIO()):
            yield Installed(slipway, Meter(store.connection.client), endpoint, patches)
