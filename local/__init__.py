"""Slipway on a laptop: what builds, starts, adapts and ends the local stack. Nothing in here is deployed."""
