"""What each function asks AWS for, noted while a local stack runs.

A stack takes part only when it is started with SLIPWAY_CALLS, a file; nothing of this is in the functions.
"""
