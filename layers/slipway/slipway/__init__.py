"""Slipway: one control plane that launches things exactly once and keeps watch over them."""

__version__ = "0.1.0"
"""The one version of everything here; a test holds the other places that name it to this one."""
