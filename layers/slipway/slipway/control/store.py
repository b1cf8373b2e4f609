"""Whether services take new work. Key in the control table: ``SERVICE#<name>`` / ``STATE``.

Switch and breaker share an item, so a request learns of both in one read; each is written by its own attributes.
"""

import time
from dataclasses import asdict
from enum import StrEnum

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from slipway.control.breaker import WINDOW_SECONDS, Breaker, Decision, Outcome
from slipway.errors import ServicePausedError, SlipwayError
from slipway.observability import logger, record
from slipway.store import ControlItem, ItemKey, Transaction, read_item, update_if, upstream_errors
from slipway.times import Clock, now_text

_TRIES = 5
PROBE_WRITE = "probe"


class Service(StrEnum):
    """What an administrator can pause."""

    TOKENS = "tokens"
    AKASH = "akash"
    STACKS = "stacks"
    BUILDS = "builds"
    PROJECTS = "projects"
    PAYMENTS = "payments"
    WORKERS = "workers"
    ESCROW = "escrow"


class ServiceState(ControlItem):
    """The administrator's switch, and the breaker's counts; ``breaker_version`` makes each change build on the last."""

    paused = BooleanAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    changed_by = UnicodeAttribute(null=True)
    changed_at = UnicodeAttribute(null=True)
    breaker_version = NumberAttribute(null=True)
    window_began = NumberAttribute(default=0)
    successes = NumberAttribute(default=0)
    failures = NumberAttribute(default=0)
    unreachable = NumberAttribute(default=0)
    open_until = NumberAttribute(default=0)
    probe_until = NumberAttribute(default=0)

    @property
    def breaker(self) -> Breaker:
        """The breaker as a value."""
        return Breaker(
            window_began=float(self.window_began),
            successes=int(self.successes),
            failures=int(self.failures),
            unreachable=int(self.unreachable),
            open_until=float(self.open_until),
            probe_until=float(self.probe_until),
        )


def _key(service: Service) -> tuple[str, str]:
    return f"SERVICE#{service}", "STATE"


def switch_key(service: Service) -> ItemKey[ServiceState]:
    """Return what a ``Gate`` reads, so that it can be read together with other items."""
    return ServiceState, _key(service)


def service_state(service: Service) -> ServiceState:
    """Return the state of a service, the initial one if it was never changed."""
    return read_item(ServiceState, _key(service)) or ServiceState(*_key(service))


def set_switch(service: Service, *, paused: bool, reason: str | None, changed_by: str) -> ServiceState:
    """Pause or resume a service; running work goes on."""
    state = ServiceState(*_key(service))
    with upstream_errors():
        state.update(
            actions=[
                ServiceState.paused.set(paused),
                ServiceState.reason.set(reason) if reason else ServiceState.reason.remove(),
                ServiceState.changed_by.set(changed_by),
                ServiceState.changed_at.set(now_text()),
            ]
        )
    return state


class Gate:
    """Whether a service takes new work, as it was at one moment.

    Args:
        service: The service.
        read: What was found under its ``switch_key``, if it was read already.
        clock: Gives the time.

    Raises:
        UpstreamUnavailableError: The store did not answer.
    """

    def __init__(self, service: Service, *read: ServiceState | None, clock: Clock = time) -> None:
        self._state = (read[0] or ServiceState(*_key(service))) if read else service_state(service)
        self._now = clock.time()
        self._decision = self._state.breaker.decide(self._now)

    @property
    def refusal(self) -> SlipwayError | None:
        """Why it takes none now, or None."""
        if self._state.paused:
            reason = f": {self._state.reason}" if self._state.reason else ""
            return ServicePausedError(f"The service is paused{reason}", retry_after=60)
        return self._breaker_open() if self._decision is Decision.REFUSE else None

    def enter(self, write: Transaction) -> None:
        """Go through with the transaction that accepts the work.

        A half-open breaker lets one at a time: under the name ``PROBE_WRITE`` the work becomes its probe, or the
        transaction fails because other work has. Work that is refused for any other reason takes no probe away.
        """
        if self._decision is Decision.PROBE:
            actions, unchanged = _change(self._state, self._state.breaker.probing(self._now))
            write.update(PROBE_WRITE, ServiceState(self._state.pk, self._state.sk), actions, condition=unchanged)

    def probed(self) -> SlipwayError:
        """Return why ``PROBE_WRITE`` failed."""
        return self._breaker_open()

    def _breaker_open(self) -> ServicePausedError:
        return ServicePausedError(
            "The service has stopped taking work because too much of it failed; it tries again by itself",
            details={"breaker": "open"},
            retry_after=self._state.breaker.retry_after(self._now),
        )


def _count_success(service: Service, clock: Clock) -> bool:
    """Count a success where it can't change the breaker, in one write that doesn't meet others of its kind."""
    window = ServiceState.window_began > clock.time() - WINDOW_SECONDS
    nothing_failed = (ServiceState.failures == 0) & (ServiceState.open_until == 0)
    actions: list[Action] = [
        ServiceState.successes.add(1),
        ServiceState.unreachable.set(0),
        ServiceState.breaker_version.add(1),
    ]
    return update_if(ServiceState(*_key(service)), window & nothing_failed, actions)


def record_outcome(service: Service, outcome: Outcome, clock: Clock = time) -> None:
    """Count an outcome of a service's work. Best effort: a lost count must not fail the work."""
    try:
        if outcome is Outcome.SUCCESS and _count_success(service, clock):
            return
        for _ in range(_TRIES):
            state = service_state(service)
            after = state.breaker.after(outcome, clock.time())
            if after == state.breaker:
                return
            actions, unchanged = _change(state, after)
            if update_if(ServiceState(state.pk, state.sk), unchanged, actions):
                if bool(after.open_until) != bool(state.open_until):
                    record("BreakerOpened" if after.open_until else "BreakerClosed", service=str(service))
                    logger.warning("breaker changed", service=str(service), open=bool(after.open_until))
                return
    except SlipwayError:
        logger.exception("outcome not counted", service=str(service))


def _change(state: ServiceState, breaker: Breaker) -> tuple[list[Action], Condition]:
    """Return the actions that write the breaker, and the condition that it is unchanged since ``state`` was read."""
    version = int(state.breaker_version or 0)
    unchanged: Condition = ServiceState.breaker_version == version
    if not version:
        unchanged = unchanged | ServiceState.breaker_version.does_not_exist()
    actions = [getattr(ServiceState, name).set(value) for name, value in asdict(breaker).items()]
    return [ServiceState.breaker_version.set(version + 1), *actions], unchanged
