"""Runs the simulator alone: ``python -m local.console_api``.

The account's key is AKASH_CONSOLE_API_KEY, or else a well-known one; it prints both address and key.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from local.console_api.clock import Clock
from local.console_api.market import DEFAULT_KEY, Market
from local.console_api.server import serve
from local.engine.server import LOOPBACK
from local.ports import Ports


def main() -> int:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=None, help="by default SLIPWAY_CONSOLE_PORT, or 8600")
    parser.add_argument("--time-scale", type=float, default=1.0, help="real seconds that a simulated second takes")
    options = parser.parse_args()
    port = Ports.from_environment().console if options.port is None else options.port
    market = Market(Clock(options.time_scale))
    key = os.environ.get("AKASH_CONSOLE_API_KEY") or DEFAULT_KEY
    market.add_account("default", key)
    print(f"http://{LOOPBACK}:{port} takes the key {key}", flush=True)
    asyncio.run(serve(market, port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
