"""Slipway: one control plane that launches things exactly once and keeps watch over them."""
