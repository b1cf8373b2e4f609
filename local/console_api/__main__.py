"""Runs the simulator alone: ``python -m local.console_api``.

The account's key is AKASH_CONSOLE_API_KEY, or else a well-known one, which it prints.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pickle
import sys
from pathlib import Path

from aiohttp import web

from local.console_api.clock import Clock
from local.console_api.keys import DEFAULT_KEY
from local.console_api.market import Market
from local.console_api.server import application
from local.engine.server import LOOPBACK
from local.ports import Ports
from local.serving import serve

_MIN_SCALE = 0.001


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=None, help="by default SLIPWAY_CONSOLE_PORT, or 8600")
    parser.add_argument("--time-scale", type=float, default=1.0, help="real seconds that a simulated second takes")
    parser.add_argument("--state", type=Path, default=None, help="file to go on from, and to save in at the end")
    options = parser.parse_args()
    port = Ports.from_environment().console if options.port is None else options.port
    # Waits may be scaled to nothing, but a network without time makes no sense.
    market = Market(Clock(max(options.time_scale, _MIN_SCALE)))
    if options.state and options.state.exists():
        # A file of our own, in the developer's checkout.
        market = pickle.loads(options.state.read_bytes())  # noqa: S301
    given = os.environ.get("AKASH_CONSOLE_API_KEY")
    if given:
        market.add_account("given", given)
    key = "the key in AKASH_CONSOLE_API_KEY" if given else f"the key {DEFAULT_KEY}"
    print(f"http://{LOOPBACK}:{port} takes {key}", flush=True)
    asyncio.run(serve(web.AppRunner(application(market), access_log=None, shutdown_timeout=1.0), port))
    if options.state:
        options.state.write_bytes(pickle.dumps(market))
    return 0


if __name__ == "__main__":
    sys.exit(main())
