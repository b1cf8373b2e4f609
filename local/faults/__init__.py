"""Faults on purpose, for the stacks that test them: processes killed at a boundary, refusals of AWS services.

A stack takes part only when it is started with SLIPWAY_FAULTS, a directory; nothing of this is in the functions.
"""
