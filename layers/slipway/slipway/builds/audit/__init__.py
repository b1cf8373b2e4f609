"""Compiles, audits and mends generated contracts."""
