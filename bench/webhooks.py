"""How long a transition takes to reach a webhook, through the deployed template, one after the other in a warm stack.

``python -m bench.webhooks [--transitions N] [--stack .local/stack.json] [--json FILE]`` needs a running stack.
"""

import argparse
import json
import sys
import time
from datetime import datetime
from pathlib import Path

import httpx

from bench.figures import Figure, report
from local.accounts import LocalAccount
from local.sign_in import sign_in
from slipway.control.rules import percentile
from tests.support.receiver import Receiver, receiving, verified

_STATUSES = ("processing", "success")
_MAX_SECONDS = 2.0


def _seconds(receiver: Receiver, secret: str, number: int) -> float:
    receiver.wait_for(number)
    arrived = time.time()
    message = verified(secret, receiver.requests[number - 1])
    return arrived - datetime.fromisoformat(message["timestamp"]).timestamp()


def main() -> int:
    """Return exit status 0 when 95 of 100 transitions reach the receiver in time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transitions", type=int, default=60)
    parser.add_argument("--stack", type=Path, default=Path(".local/stack.json"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    described = json.loads(given.stack.read_text(encoding="utf-8"))
    user = next(LocalAccount(**entry) for entry in described["accounts"] if entry["role"] == "user")
    headers = {"authorization": f"Bearer {sign_in(described['api'], user)}"}
    with httpx.Client(base_url=described["api"], headers=headers, timeout=30) as http, receiving() as receiver:
        wanted = {"url": receiver.url, "events": ["project.*"]}
        hook = http.post("/api/webhooks", json=wanted).raise_for_status().json()
        took: list[float] = []
        while len(took) < given.transitions:
            name = f"w{time.time_ns() % 10**15}"
            http.post("/deployments", json={"name": name, "github": "o/r"}).raise_for_status()
            took.append(_seconds(receiver, hook["secret"], len(took) + 1))
            for status in _STATUSES:
                http.patch(f"/deployments/{name}/status", json={"status": status}).raise_for_status()
                took.append(_seconds(receiver, hook["secret"], len(took) + 1))
        http.delete(f"/api/webhooks/{hook['id']}").raise_for_status()
    # The first one starts the function.
    warm = took[1:]
    figures = [
        Figure("webhooks.transition.p50", percentile(warm, 50) or 0, None, "seconds"),
        Figure("webhooks.transition.p95", percentile(warm, 95) or 0, _MAX_SECONDS, "seconds"),
        Figure("webhooks.transition.first", took[0], None, "seconds"),
        Figure("webhooks.messages_twice", len(receiver.requests) - len(took), 0, f"of {len(took)}"),
    ]
    return 0 if report(figures, given.json) else 1


if __name__ == "__main__":
    sys.exit(main())
