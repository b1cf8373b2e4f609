"""What tests can make of the simulator: for all, for the next create, or for one SDL alone.

A scenario comes from three places, each overriding the one before: the controls of the whole simulator
(``PUT /_simulator/controls``), the scenario queued for the next create (``POST /_simulator/next``), and the SDL itself,
by an environment variable ``SIMULATOR=<scenario as JSON>`` of any service. The last is for tests that run beside
others. Faults of all three add up, the most particular first.

Times are simulated seconds, but for latency and hanging, which are real.
"""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Call = Literal[
    "*", "create", "list", "detail", "bids", "lease", "manifest", "update", "close", "providers", "provider",
    "prices", "balances", "token", "other",
]  # fmt: skip
Action = Literal[
    "drop", "hang", "payment_required", "wallet_provisioning", "rate_limited", "unavailable", "error",
    "database_timeout", "gateway_timeout", "not_settled", "bid_closed", "unauthorized", "challenge", "malformed",
]  # fmt: skip


class _Control(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Fault(_Control):
    """One way for a call to fail.

    Attributes:
        call: Which call; ``manifest`` is the second half of a lease, after its transaction.
        action: ``drop`` closes the connection, ``hang`` never answers; the others are answers.
        performed: Do what was asked before failing. With ``drop`` or ``hang`` that is an ambiguous outcome.
        late: What is performed happens only so many real seconds after the failure, as in a server that goes on with a
            request that its caller, or a gateway before it, has given up.
        times: How often, without end if None.
        probability: How likely each time, from the simulator's seeded source of chance.
        retry_after: The header of the same name, seconds.
    """

    call: Call = "*"
    action: Action
    performed: bool = False
    late: float = 0.0
    times: int | None = None
    probability: float = Field(1.0, ge=0, le=1)
    retry_after: int | None = None


class Bids(_Control):
    """How bids come: the first after ``delay``, the others within ``spread`` after it; gone ``timeout`` later.

    ``from`` names who bids: ``any`` provider (of which upstream lists the audited ones), or only ``unaudited`` or
    ``offline`` ones, which are listed then. ``withdraw_after`` counts from each bid.
    """

    delay: float = 2.0
    spread: float = 2.0
    none: bool = False
    who: Literal["any", "unaudited", "offline"] = Field("any", alias="from")
    withdraw_after: float | None = None
    timeout: float = 300.0
    price_factor: Decimal = Decimal(1)


class Start(_Control):
    """A lease's beginning: its status is null for ``silent_for``, its services are available after ``ready_after``."""

    silent_for: float = 2.0
    ready_after: float = 4.0
    never_ready: bool = False


class Ports(_Control):
    """What the provider reports of forwarded ports.

    Attributes:
        kind: As ``usual``; ``null``, which providers really send where there are none, with uris and ips null as well;
            ``empty``; entries without a host; or ``two_candidates``, a second entry for each port.
        host: Given instead of the provider's name.
        external: External port by container port, instead of a random one.
        serve: Let every forwarded TCP port of the lease really answer on loopback: as a Banano node, with nonsense, or
            with silence. Where nothing is said of ports, those of a Banano image answer as a node.
    """

    kind: Literal["usual", "null", "empty", "no_host", "two_candidates"] = "usual"
    host: str | None = None
    external: dict[int, int] = {}
    serve: Literal["banano", "nonsense", "silence"] | None = None


class Logs(_Control):
    """Log streams.

    Attributes:
        lines_every: Pause between the lines that each service writes by itself; 0 for none.
        idle_after: A socket over which the client has sent nothing for so long dies, by its last stream.
        token_seconds: A token counts as expired so many real seconds after it was made.
        cut_after: Every stream's socket dies so long after it began.
    """

    lines_every: float = 10.0
    idle_after: float = 240.0
    token_seconds: float | None = None
    cut_after: float | None = None


class Scenario(_Control):
    """What happens to a deployment.

    Attributes:
        id: Tells apart whose faults have been used up; by default the manifest's hash.
        faults: Tried in order; the first that triggers counts.
        latency: Real seconds that a call takes, by call or ``*``.
        manifest_timeout: A lease without a manifest is closed after so long.
        cleaned_after: The platform closes a deployment without leases after so long; None for never.
    """

    id: str | None = None
    faults: list[Fault] = []
    latency: dict[Call, float] = {}
    bids: Bids = Bids()
    start: Start = Start()
    ports: Ports = Ports()
    logs: Logs = Logs()
    manifest_timeout: float = 300.0
    cleaned_after: float | None = 600.0


class Controls(Scenario):
    """The simulator as a whole: a scenario for all, the pace of time, and chance."""

    time_scale: float | None = Field(None, gt=0)
    seed: int | None = None


def merged(*scenarios: Scenario) -> Scenario:
    """Merge scenarios; the last one prevails, and faults add up, the last one's first."""
    result: dict[str, Any] = {}
    faults: list[Fault] = []
    for scenario in scenarios:
        changes = scenario.model_dump(exclude_unset=True, exclude={"faults", "time_scale", "seed"}, by_alias=True)
        _overlay(result, changes)
        faults = [*scenario.faults, *faults]
    return Scenario.model_validate(result | {"faults": faults})


def _overlay(below: dict[str, Any], above: dict[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _overlay(below[key], value)
        else:
            below[key] = value


class Chance:
    """Decides which faults trigger, and counts them."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 (repeatable on purpose)
        self._triggered: dict[tuple[str, int], int] = {}

    def draw(self, owner: str, faults: list[Fault], calls: set[str]) -> Fault | None:
        """Return the fault that triggers in one of these calls now, if any.

        Args:
            owner: Whose faults these are; each owner's are counted apart.
            faults: In order.
            calls: The call's name, and ``*`` unless it is a part of another.
        """
        for index, fault in enumerate(faults):
            key = (owner, index)
            if fault.call not in calls or (fault.times is not None and self._triggered.get(key, 0) >= fault.times):
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            self._triggered[key] = self._triggered.get(key, 0) + 1
            return fault
        return None
