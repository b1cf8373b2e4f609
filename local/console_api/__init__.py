"""A simulator of the Akash Console API and of the network behind it, for this machine alone.

It speaks the Console API over HTTP and the provider proxy's WebSocket, with prices, providers, clocks and failures that
are made up but behave like the real ones. What it was asked for is kept in a ledger, and tests steer it below
``/_simulator/`` (``controls``). Nothing here is ever deployed.

| module | what it holds |
|---|---|
| ``keys`` | the key that it takes |
| ``clock`` | time that can run faster |
| ``chain_sdk`` | Akash's own validator of SDLs |
| ``sdl`` | an SDL as a workload: groups, services, manifest |
| ``providers`` | who offers what, where, for how much |
| ``controls`` | what tests can make go wrong |
| ``market`` | accounts, deployments, bids, leases, escrow |
| ``answers`` | how the API writes those |
| ``api`` | its routes |
| ``tokens``, ``logs``, ``provider_proxy`` | log streams |
| ``endpoints`` | ports of workloads that really answer |
| ``steering`` | the routes for tests, and the ledger |
| ``server`` | all of it as one server |
"""
