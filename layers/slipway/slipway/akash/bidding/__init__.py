"""Bids: which providers will do, and which bid is best."""
