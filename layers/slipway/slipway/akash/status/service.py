"""What upstream tells of a workload now: services, addresses, leases, cost. No request waits for it longer than 2 s."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

from slipway.akash.console.client import ConsoleApi, console_api
from slipway.akash.console.models import Deployment, Lease
from slipway.akash.refresh_requests import ask_for_refresh
from slipway.akash.stale_while_revalidate import BACKGROUND_SECONDS, Copy, Shelf, Source, read_copy, refresh
from slipway.akash.status.costs import cost_of, money
from slipway.akash.status.models import LiveLease, LivePort, LiveService, LiveStatus
from slipway.akash.status.store import LiveShelf
from slipway.errors import SlipwayError
from slipway.observability import logger
from slipway.times import to_text

FRESH_SECONDS = 15.0
# For the question whether it is over, which is asked when a provider knows no such lease any more.
_OVER_SECONDS = 1.0


class LiveWorkloads:
    """Workloads as upstream tells of them, fifteen seconds ago at most, or as lately as it could be had.

    Args:
        console: Who is asked.
        ask_background: Asks for a refresh of a deployment's copy, by its id and dseq.
        shelf: Where a deployment's copy is kept.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        console: Callable[[], ConsoleApi],
        ask_background: Callable[[str, str], None],
        shelf: Callable[[str], Shelf[Deployment]] = LiveShelf,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._console = console
        self._ask_background = ask_background
        self._shelf = shelf
        self._clock = clock

    def status(self, deployment_id: str, dseq: str, *, ended: bool = False) -> LiveStatus:
        """Return what is known of a workload. Never raise: what can't be had now is shown as unknown.

        Args:
            deployment_id: Its id.
            dseq: Its number on Akash.
            ended: Whether it is closed, so that no copy from before is good.
        """
        copy = self._copy(deployment_id, dseq, 0.0 if ended else FRESH_SECONDS)
        return status_of(copy, self._clock()) if copy else LiveStatus()

    def is_over(self, deployment_id: str, dseq: str) -> bool:
        """Return whether upstream says that the deployment, or every lease of it, is closed; False while it can't
        say."""
        copy = self._copy(deployment_id, dseq, _OVER_SECONDS)
        return copy is not None and (copy.value.is_closed or bool(copy.value.leases and not copy.value.open_leases))

    def groups(self, deployment_id: str, dseq: str) -> dict[str, int]:
        """Return the group (gseq) of each service, as far as providers have reported it."""
        copy = self._copy(deployment_id, dseq)
        leases = [lease for lease in copy.value.leases if lease.status] if copy else []
        return {name: lease.id.gseq for lease in leases if lease.status for name in lease.status.services}

    def refresh(self, deployment_id: str, dseq: str) -> None:
        """Bring a copy up to date, however long upstream needs within the background's time.

        Raises:
            SlipwayError: Upstream did not tell.
        """
        refresh(self._shelf(deployment_id), self._source(deployment_id, dseq), BACKGROUND_SECONDS, self._clock)

    def _copy(self, deployment_id: str, dseq: str, fresh_seconds: float = FRESH_SECONDS) -> Copy[Deployment] | None:
        source = self._source(deployment_id, dseq, fresh_seconds)
        try:
            return read_copy(self._shelf(deployment_id), source, self._clock)
        except SlipwayError as error:
            logger.warning("live status not read", code=error.code, reason=error.message)
            return None

    def _source(self, deployment_id: str, dseq: str, fresh_seconds: float = FRESH_SECONDS) -> Source[Deployment]:
        return Source(
            fetch=lambda seconds: self._console().deployment(dseq, seconds),
            ask_background=lambda: self._ask_background(deployment_id, dseq),
            fresh_seconds=fresh_seconds,
            is_final=lambda told: told.is_closed,
        )


def status_of(copy: Copy[Deployment], now: float) -> LiveStatus:
    """Return a copy as the API shows it. A closed deployment's copy never grows stale."""
    told, age = copy.value, copy.age(now)
    return LiveStatus(
        as_of=to_text(datetime.fromtimestamp(copy.as_of, UTC)),
        age_seconds=round(age, 1),
        stale=age >= FRESH_SECONDS and not told.is_closed,
        state=told.deployment.state or None,
        leases=[_lease(lease) for lease in told.leases],
        services=_services(told),
        cost=cost_of(told, now),
    )


def _lease(lease: Lease) -> LiveLease:
    return LiveLease(
        provider=lease.id.provider,
        gseq=lease.id.gseq,
        oseq=lease.id.oseq,
        state=lease.state,
        price_per_block=money(lease.price.amount, lease.price.denom),
        reachable=lease.status is not None,
    )


def _services(told: Deployment) -> list[LiveService] | None:
    statuses = [lease.status for lease in told.leases if lease.status is not None]
    if not statuses:
        return None
    return [
        LiveService(
            name=name,
            # Providers differ in which of the two they count.
            ready=max(service.ready_replicas, service.available),
            total=service.total,
            uris=service.uris,
            ports=[
                LivePort(host=port.host or None, port=port.port, external_port=port.external_port, proto=port.proto)
                for port in status.forwarded_ports.get(name, [])
            ],
            ips=[
                LivePort(host=ip.ip or None, port=ip.port, external_port=ip.external_port, proto=ip.protocol)
                for ip in status.ips.get(name, [])
            ],
        )
        for status in statuses
        for name, service in status.services.items()
    ]


@cache
def live_workloads() -> LiveWorkloads:
    """Return the workloads of this installation."""
    return LiveWorkloads(
        console_api, lambda deployment_id, dseq: ask_for_refresh({"deployment_id": deployment_id, "dseq": dseq})
    )
