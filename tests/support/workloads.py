"""SDLs for tests, and the state machine that deploys them in this process."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from slipway.akash.bidding.preferences import Bounds, Preferences
from slipway.akash.sdl.parser import parse_sdl
from slipway.akash.store import sdl_item
from slipway.akash.workloads import new_workload
from tests.support.state_machine import StateMachine

if TYPE_CHECKING:
    from tests.support.installation import Installation

PLAIN: dict[str, Any] = {
    "version": "2.0",
    "services": {"web": {"image": "nginx:1.27", "expose": [{"port": 80, "as": 80, "to": [{"global": True}]}]}},
    "profiles": {
        "compute": {
            "small": {
                "resources": {
                    "cpu": {"units": "500m"},
                    "memory": {"size": "512Mi"},
                    "storage": [{"size": "1Gi"}],
                }
            }
        },
        "placement": {"anywhere": {"pricing": {"small": {"denom": "uact", "amount": 10000}}}},
    },
    "deployment": {"web": {"anywhere": {"profile": "small", "count": 1}}},
}


def document(**changes: Any) -> dict[str, Any]:
    """Return the plain SDL as data; changes are by path, dots written as double underscores, lists by index."""
    made = copy.deepcopy(PLAIN)
    for path, value in changes.items():
        *steps, last = path.split("__")
        place: Any = made
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return made


def sdl(**changes: Any) -> str:
    """Return the plain SDL as text: JSON is YAML."""
    return json.dumps(document(**changes))


def sdl_with(scenario: dict[str, Any] | None = None, *env: str, **changes: Any) -> str:
    """Return the plain SDL with what the simulator of the Console API is to make of it."""
    lines = [*env, *([f"SIMULATOR={json.dumps(scenario)}"] if scenario is not None else [])]
    return sdl(**({"services__web__env": lines} if lines else {}), **changes)


# With these changes nobody can tell what manifest the Console API makes of an SDL.
UNCERTAIN: dict[str, Any] = {"services__web__params": {"permissions": {"read": ["events"]}}}


def put_workload(deployment_id: str, wallet: str, text: str = "") -> None:
    """Write a workload of a wallet that nobody works on."""
    text = text or sdl()
    bounds = Bounds(max_price=Decimal(5), audited_only=True)
    new_workload(deployment_id, wallet, text, parse_sdl(text), Preferences(), "5", bounds).save()
    sdl_item(deployment_id, text).save()


def workload_machine(slipway: Installation) -> StateMachine:
    """``akash_deploy`` over an installation's functions, in its clock's time."""

    def invoke(payload: dict[str, Any]) -> Any:
        return slipway.invoke("SignerFunction" if "operation" in payload else "AkashDeployTasks", payload)

    return StateMachine("akash_deploy", invoke, slipway.clock.advance)
