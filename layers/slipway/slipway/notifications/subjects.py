"""The things that notifications are about: whose they are, and what GET of them answers."""

from collections.abc import Callable
from typing import Any

from slipway.akash import views as workloads
from slipway.akash.store import AkashDeployment
from slipway.builds.api import views as builds
from slipway.builds.store import find_build
from slipway.configuration import chain_settings
from slipway.jobs.deployments import Deployment, find_deployment
from slipway.jobs.store import JobEvent, events_of
from slipway.notifications.rules import PAYMENT
from slipway.projects.store import find_payment, find_project
from slipway.settings import stream_url
from slipway.stacks.models import Kind
from slipway.stacks.service import read_detail as stack_detail
from slipway.stacks.store import find_stack
from slipway.tokens import views as tokens
from slipway.tokens.store import TokenItem
from slipway.workers.fleet import owners_view

# A thing's owner, and what GET answers, which is read only if somebody wants it.
type Subject = tuple[str, Callable[[], dict[str, Any]]]
# What a worker's event says of its status.
_WORKER_STATUS = {"up": "healthy"}


def subject_of(event: JobEvent) -> Subject | None:
    """Return what an event happened to; None when it is no more.

    The body is as GET answers now, with the status that the event gave. It lacks what costs calls elsewhere or is
    large: a workload's live state, a build's code and audit report.
    """
    prefix, _, name = event.pk.partition("#")
    return _SUBJECTS[prefix](name, event)


def _deployment(name: str, event: JobEvent) -> Subject | None:
    item = find_deployment(name)
    if item is None:
        return None
    # What happens to its money leaves a workload's status as it is.
    given = (event.data or {}) if event.event.startswith(PAYMENT) else {"status": event.event}
    return str(item.wallet), lambda: _deployment_body(item) | given


def _deployment_body(item: Deployment) -> dict[str, Any]:
    if isinstance(item, AkashDeployment):
        return workloads.detail_of(item, events_of(item.pk), None).model_dump(mode="json")
    if not isinstance(item, TokenItem):
        raise TypeError(f"a deployment of no known kind: {type(item).__name__}")
    return tokens.read_detail(item, chain_settings().token_chain).model_dump(mode="json")


def _build(name: str, event: JobEvent) -> Subject | None:
    build = find_build(name)
    if build is None:
        return None
    chains = chain_settings().chains

    def body() -> dict[str, Any]:
        deployments = builds.read_deployments(build, chains)
        found = builds.detail_of(build, chains, stream_url(name), deployments=deployments)
        return found.model_dump(mode="json") | {"status": event.event}

    return str(build.wallet), body


def _stack(name: str, _event: JobEvent) -> Subject | None:
    environment, _, kind = name.partition("#")
    stack = find_stack(environment, Kind(kind))
    return (str(stack.wallet), lambda: stack_detail(stack).model_dump(mode="json")) if stack else None


def _worker(name: str, event: JobEvent) -> Subject | None:
    found = owners_view(name)
    status = _WORKER_STATUS.get(event.event, event.event)
    return (name, lambda: found.model_dump(mode="json") | {"status": status}) if found else None


def _project(name: str, event: JobEvent) -> Subject | None:
    found = find_project(name)
    if found is None:
        return None
    return found.creator, lambda: found.model_dump(mode="json", by_alias=True) | {"status": event.event}


def _payment(name: str, _event: JobEvent) -> Subject | None:
    found = find_payment(name)
    return (found.creator, lambda: found.model_dump(mode="json", by_alias=True)) if found else None


def _kept(name: str, event: JobEvent) -> Subject | None:
    """Return a key or a session, which may be gone: what it was lies in the event."""
    return name.partition("#")[0], lambda: dict(event.data or {})


_SUBJECTS: dict[str, Callable[[str, JobEvent], Subject | None]] = {
    "DEPLOYMENT": _deployment,
    "BUILD": _build,
    "STACK": _stack,
    "WORKER": _worker,
    "PROJECT": _project,
    "PAYMENT": _payment,
    "KEY": _kept,
    "SESSION": _kept,
}
