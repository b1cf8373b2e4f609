"""How soon a node's forwarded port is found, over a simulated distribution of how long providers take to tell it.

``python -m bench.discovery [--nodes N] [--seed S] [--json FILE]`` needs nothing that runs. The polls are those of
``stack_node``: the same schedule, the same choice among what the provider tells, on a clock of its own. What is made
up, and stated in what is printed, are the delays: a provider tells nothing for some seconds after a lease (Akash then
says null), most tell their ports soon after, a few are slow, some never do; and each poll takes as long as Akash needs
to ask the provider, about ten seconds on average, with a deadline.
"""

import argparse
import math
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, report
from slipway.akash.console.models import ForwardedPort
from slipway.control.rules import percentile
from slipway.errors import EndpointNotForwardedError
from slipway.stacks.rules import DISCOVERY, POLL_TIMEOUT_SECONDS, rpc_candidate

PROMISE, WITHIN_SECONDS = 0.95, 45.0
_BETWEEN_STATES_SECONDS = 0.2


@dataclass(frozen=True)
class Delays:
    """What is made up: medians and spreads of lognormal delays in seconds, and shares of nodes.

    Attributes:
        forward: From the first poll until the provider tells the port.
        poll: How long a poll takes.
        slow: Share of providers that take 30 to 90 s instead.
        silent: Share of providers that never tell.
    """

    forward: tuple[float, float] = (4.0, 0.9)
    poll: tuple[float, float] = (9.0, 0.45)
    slow: float = 0.02
    silent: float = 0.005


def _lognormal(chance: random.Random, shape: tuple[float, float]) -> float:
    return chance.lognormvariate(math.log(shape[0]), shape[1])


def found_after(chance: random.Random, delays: Delays) -> tuple[float, int] | None:
    """Seconds and polls until the port of one node is found; None if it is not."""
    draw = chance.random()
    if draw < delays.silent:
        told_at = math.inf
    else:
        is_slow = draw < delays.silent + delays.slow
        told_at = chance.uniform(30, 90) if is_slow else _lognormal(chance, delays.forward)
    clock, polls = 0.0, 0
    while True:
        polls += 1
        taken = _lognormal(chance, delays.poll)
        clock += min(taken, POLL_TIMEOUT_SECONDS)
        # What a poll sees is what was so when the provider was asked, halfway.
        seen_at = clock - taken / 2
        told = [ForwardedPort(port=7072, external_port=31572, host="provider.example")] if seen_at >= told_at else []
        try:
            if taken > POLL_TIMEOUT_SECONDS:
                raise EndpointNotForwardedError("Akash did not answer in time")
            rpc_candidate({"node": told})
        except EndpointNotForwardedError:
            pause = DISCOVERY.pause(polls, clock)
            if pause is None:
                return None
            clock += pause + _BETWEEN_STATES_SECONDS
        else:
            return clock, polls


def main() -> int:
    """Print the figures; 1 when the promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7072)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    chance, delays = random.Random(given.seed), Delays()
    outcomes = [found_after(chance, delays) for _ in range(given.nodes)]
    # A port that is never found took for ever.
    seconds = [outcome[0] if outcome else math.inf for outcome in outcomes]
    polls = [outcome[1] if outcome else None for outcome in outcomes]
    print(f"{given.nodes} nodes, seed {given.seed}; made up: {delays}, deadline of a poll {POLL_TIMEOUT_SECONDS:g} s")
    for count in range(1, DISCOVERY.tries + 1):
        print(f"found by poll {count}: {polls.count(count) / given.nodes:7.2%}")
    print(f"never found:     {polls.count(None) / given.nodes:7.2%}")
    within = sum(found <= WITHIN_SECONDS for found in seconds) / given.nodes
    print(f"within {WITHIN_SECONDS:g} s:     {within:7.2%} (promise: {PROMISE:.0%})")
    figures = [
        Figure("discovery.port.p50_seconds", percentile(seconds, 50) or 0, None, "seconds from the first poll"),
        Figure("discovery.port.p95_seconds", percentile(seconds, 95) or 0, WITHIN_SECONDS, "seconds, all nodes"),
        Figure("discovery.port.later_than_45_s", 1 - within, 1 - PROMISE, "share of all nodes"),
    ]
    return 0 if report(figures, given.json) else 1


if __name__ == "__main__":
    sys.exit(main())
