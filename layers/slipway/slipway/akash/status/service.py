"""The live status of a workload: services, addresses, leases, cost. No request waits longer than 2 s for upstream."""

import time
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from slipway.akash.console.client import ConsoleApi, console_api
from slipway.akash.console.models import Deployment, Lease
from slipway.akash.revalidation_requests import request_revalidation
from slipway.akash.stale_while_revalidate import BACKGROUND_SECONDS, Cache, CacheEntry, Origin, read_through, revalidate
from slipway.akash.status.costs import cost_of, money
from slipway.akash.status.models import LiveLease, LiveService, LiveStatus, Port
from slipway.akash.status.store import LiveCache
from slipway.errors import SlipwayError
from slipway.observability import logger
from slipway.times import Clock, epoch_text

FRESH_SECONDS = 15.0
# For the question whether a workload has ended, which is asked when its provider does not know the lease any more.
_ENDED_SECONDS = 1.0


class LiveWorkloads:
    """Workloads as upstream described them fifteen seconds ago at most, or as lately as possible.

    Args:
        console: Gives the Console API.
        request_revalidation: Requests a revalidation in the background, by deployment id and dseq.
        cache: Gives a deployment's cache.
        clock: Gives and passes the time.
    """

    def __init__(
        self,
        console: Callable[[], ConsoleApi],
        request_revalidation: Callable[[str, str], None],
        cache: Callable[[str], Cache[Deployment]] = LiveCache,
        clock: Clock = time,
    ) -> None:
        self._console = console
        self._request_revalidation = request_revalidation
        self._cache = cache
        self._clock = clock

    def status(
        self, deployment_id: str, dseq: str, *, ended: bool = False, hosts: Mapping[str, str] = MappingProxyType({})
    ) -> LiveStatus:
        """Return what is known of a workload, and of one that has ended only what was asked after its end. Never raise:
        what can't be had now is shown as unknown. ``hosts`` are providers' where they name none for a port."""
        entry = self._entry(deployment_id, dseq, 0.0 if ended else FRESH_SECONDS)
        return status_of(entry, self._clock.time(), hosts) if entry else LiveStatus()

    def has_ended(self, deployment_id: str, dseq: str) -> bool:
        """Return whether upstream says that the deployment, or every lease of it, is closed; False while it can't
        say."""
        entry = self._entry(deployment_id, dseq, _ENDED_SECONDS)
        return entry is not None and (entry.value.is_closed or bool(entry.value.leases and not entry.value.open_leases))

    def groups(self, deployment_id: str, dseq: str) -> dict[str, int]:
        """Return the group (gseq) of each service, as far as providers have reported it."""
        entry = self._entry(deployment_id, dseq)
        leases = [lease for lease in entry.value.leases if lease.status] if entry else []
        return {name: lease.id.gseq for lease in leases if lease.status for name in lease.status.services}

    def revalidate(self, deployment_id: str, dseq: str) -> None:
        """Bring a workload's cache up to date, however long upstream needs within the background's time.

        Raises:
            SlipwayError: Upstream did not answer.
        """
        revalidate(self._cache(deployment_id), self._origin(deployment_id, dseq), BACKGROUND_SECONDS, self._clock)

    def _entry(
        self, deployment_id: str, dseq: str, fresh_seconds: float = FRESH_SECONDS
    ) -> CacheEntry[Deployment] | None:
        origin = self._origin(deployment_id, dseq, fresh_seconds)
        try:
            entry = read_through(self._cache(deployment_id), origin, self._clock)
            # What is kept may be of the lease before this one.
            return entry if entry and entry.value.dseq == dseq else None
        except SlipwayError as error:
            logger.warning("live status not read", code=error.code, reason=error.message)
            return None

    def _origin(self, deployment_id: str, dseq: str, fresh_seconds: float = FRESH_SECONDS) -> Origin[Deployment]:
        return Origin(
            fetch=lambda seconds: self._console().deployment(dseq, seconds),
            request_revalidation=lambda: self._request_revalidation(deployment_id, dseq),
            fresh_seconds=fresh_seconds,
            is_final=lambda deployment: deployment.is_closed and deployment.dseq == dseq,
        )


def status_of(entry: CacheEntry[Deployment], now: float, hosts: Mapping[str, str] = MappingProxyType({})) -> LiveStatus:
    """Return a cached answer as the API shows it. A closed deployment's never grows stale."""
    deployment, age = entry.value, entry.age(now)
    return LiveStatus(
        as_of=epoch_text(entry.as_of),
        age_seconds=round(age, 1),
        stale=age >= FRESH_SECONDS and not deployment.is_closed,
        state=deployment.deployment.state or None,
        leases=[_lease(lease) for lease in deployment.leases],
        services=_services(deployment, hosts),
        cost=cost_of(deployment, now),
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


def _services(deployment: Deployment, hosts: Mapping[str, str]) -> list[LiveService] | None:
    statuses = [(lease.status, hosts.get(lease.id.provider)) for lease in deployment.leases if lease.status is not None]
    if not statuses:
        return None
    return [
        LiveService(
            name=name,
            # Providers differ in which of the two they count.
            available=max(service.ready_replicas, service.available),
            total=service.total,
            uris=service.uris,
            ports=[
                Port(host=port.host or host, port=port.port, external_port=port.external_port, protocol=port.proto)
                for port in status.forwarded_ports.get(name, [])
            ],
            ips=[
                Port(host=ip.ip or None, port=ip.port, external_port=ip.external_port, protocol=ip.protocol)
                for ip in status.ips.get(name, [])
            ],
        )
        for status, host in statuses
        for name, service in status.services.items()
    ]


@cache
def live_workloads() -> LiveWorkloads:
    """Return the workloads of this installation."""
    return LiveWorkloads(
        console_api, lambda deployment_id, dseq: request_revalidation({"deployment_id": deployment_id, "dseq": dseq})
    )
