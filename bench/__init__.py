"""Figures by commands: each a ratio within one run, or a count, because machines are noisy."""
