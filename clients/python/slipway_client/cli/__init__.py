"""The command line `slipway`."""

from slipway_client.cli.main import main

__all__ = ["main"]
