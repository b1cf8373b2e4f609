"""MiniStack, the local engine, and what covers the gaps between it and AWS.

One gap, one module: `http_api` (routes), `runtime` (Lambda's runtime client), `cors` (preflights), `server` (loopback;
`local.front_door` gives it a plain address), `forks` (processes that start on few processors) and `waits` (processes
that wait).
tests/stack/test_local_engine.py shows every gap on the engine itself and fails when an upgrade has closed one, so that
its cover can go.
"""
