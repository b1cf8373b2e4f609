"""Use case of the log route: whose logs they are, which leases write them, and the next part of the stream."""

from collections.abc import Callable, Mapping
from functools import cache

from slipway.akash.console.client import console_api
from slipway.akash.logs.cursors import Cursor, CursorError, decode_cursor
from slipway.akash.logs.lease_tokens import LeaseTokens
from slipway.akash.logs.provider_proxy import LeaseAddress, ProviderProxy, provider_proxy
from slipway.akash.logs.stream import LogRequest, Watch, end_of_stream, poll
from slipway.akash.providers.service import ProviderCatalogue, provider_catalogue
from slipway.akash.status.service import LiveWorkloads, live_workloads
from slipway.akash.store import AkashDeployment, find_workload
from slipway.errors import ConflictError, NotFoundError, UpstreamUnavailableError
from slipway.identifiers import new_id
from slipway.jobs.deployments import Deployment
from slipway.limits.semaphore import Semaphore

MAX_TAIL = 1000
# How many logs an owner may follow at once, each for a little longer than the function has.
FOLLOWED = Semaphore("log_streams", most=10, seconds=35)
_RETRY_SECONDS = 5


class LogService:
    """Streams the logs of workloads.

    Args:
        proxy: Gives the proxy that they are read from; called when there is something to read, as are the others.
        tokens: Authorize the reading.
        live: Gives the live status: which lease runs which service, and whether a workload has ended.
        providers: Gives the providers' addresses.
    """

    def __init__(
        self,
        proxy: Callable[[], ProviderProxy],
        tokens: LeaseTokens,
        live: Callable[[], LiveWorkloads],
        providers: Callable[[], ProviderCatalogue],
    ) -> None:
        self._proxy = proxy
        self._tokens = tokens
        self._live = live
        self._providers = providers

    def stream(self, deployment: Deployment, service: str | None, tail: int, last_event_id: str | None) -> str | None:
        """Return the next part of a stream; None when it has ended.

        Args:
            deployment: The caller's.
            service: One of its services; None for all.
            tail: How many lines of each to begin with.
            last_event_id: Id of the last event that the caller saw, None to begin.

        Raises:
            ConflictError: It writes no logs, or none any more, or none yet.
            NotFoundError: It has no such service.
            RateLimitExceededError: Its owner follows too many logs at once.
            UpstreamUnavailableError: They can't be read now.
        """
        if not isinstance(deployment, AkashDeployment):
            raise ConflictError("A token launch writes no logs", details={"kind": "token"})
        cursor, bad_cursor = _read_cursor(last_event_id)
        if deployment.ended:
            return self._end(deployment, cursor)
        if not deployment.leases:
            raise ConflictError(
                "The workload has no lease yet; its logs begin when a provider runs it",
                details={"status": deployment.status},
                retry_after=_RETRY_SECONDS,
            )
        request = LogRequest(self._leases(deployment, service), cursor, tail, bad_cursor)
        # Each stream that is followed keeps an invocation busy.
        with FOLLOWED.permit(deployment.wallet, new_id()):
            return poll(request, self._proxy(), self._tokens, self._watch(deployment))

    @staticmethod
    def _end(deployment: AkashDeployment, cursor: Cursor | None) -> str | None:
        if cursor is None:
            raise ConflictError(
                "The workload is closed, and its logs are gone with it", details={"status": deployment.status}
            )
        return None if cursor.ended else end_of_stream(cursor)

    def _leases(self, deployment: AkashDeployment, service: str | None) -> Mapping[str, LeaseAddress]:
        """Return the lease of each service that is to be read."""
        services = list(deployment.services)
        if service is not None and service not in services:
            raise NotFoundError(f"The workload has no service of that name; it has {', '.join(services)}")
        wanted = services if service is None else [service]
        leases = {int(lease["gseq"]): self._address(lease) for lease in deployment.leases or []}
        if len(leases) == 1:
            return dict.fromkeys(wanted, *leases.values())
        groups = self._live().groups(deployment.deployment_id, str(deployment.dseq))
        found = {name: leases[groups[name]] for name in wanted if groups.get(name) in leases}
        if not found:
            raise UpstreamUnavailableError(
                "It is not known yet which provider runs which service", retry_after=_RETRY_SECONDS
            )
        return found

    def _address(self, lease: Mapping[str, str]) -> LeaseAddress:
        provider = self._providers().find(lease["provider"])
        if provider is None or not provider.host_uri:
            raise UpstreamUnavailableError("It is not known where the provider answers", retry_after=_RETRY_SECONDS)
        return LeaseAddress(
            provider.owner, provider.host_uri, str(lease["dseq"]), int(lease["gseq"]), int(lease["oseq"])
        )

    def _watch(self, deployment: AkashDeployment) -> Watch:
        deployment_id, dseq = deployment.deployment_id, str(deployment.dseq)

        def is_closed() -> bool:
            found = find_workload(deployment_id)
            return found is None or found.ended

        return Watch(is_closed, lambda: self._live().has_ended(deployment_id, dseq))


def _read_cursor(last_event_id: str | None) -> tuple[Cursor | None, bool]:
    """Return the cursor that a client sent, and whether it sent one that can't be read."""
    if not last_event_id:
        return None, False
    try:
        return decode_cursor(last_event_id), False
    except CursorError:
        return None, True


@cache
def log_service() -> LogService:
    """Return the service over this installation's workloads."""
    return LogService(provider_proxy, LeaseTokens(console_api), live_workloads, provider_catalogue)
