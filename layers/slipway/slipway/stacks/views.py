"""Stacks as the API shows them."""

from slipway.akash.models import Observation
from slipway.akash.store import AkashDeployment
from slipway.jobs.models import EventDetail
from slipway.jobs.store import JobEvent
from slipway.stacks.jobs import is_stale
from slipway.stacks.models import (
    DiscoveryTry,
    Health,
    JobDetail,
    Kind,
    Operation,
    StackAnswer,
    StackDetail,
    StackError,
    Status,
)
from slipway.stacks.store import StackItem


def answer_of(stack: StackItem, node: StackItem | None, workload: AkashDeployment | None) -> StackAnswer:
    """Return a stack.

    Args:
        stack: The stack.
        node: The node of its environment, for an API stack.
        workload: Its workload.
    """
    leases = (workload and workload.leases) or []
    seen = Observation.model_validate(workload.observation) if workload and workload.observation else None
    return StackAnswer(
        environment=stack.environment,
        kind=stack.which,
        status=Status(stack.status),
        generation=int(stack.generation),
        spec=stack.spec,
        job=JobDetail(
            job_id=stack.job_id,
            operation=Operation(stack.operation),
            generation=int(stack.generation),
            started_at=stack.job_began_at,
            ended_at=stack.job_ended_at,
        ),
        deployment_id=stack.deployment_id,
        dseq=workload.dseq if workload else None,
        provider=leases[0]["provider"] if leases else None,
        uris=[uri for service in seen.services.values() for uri in service.uris] if seen else [],
        endpoint=stack.endpoint,
        stale_endpoint=is_stale(stack, node) if stack.which is Kind.API else None,
        discovery=[DiscoveryTry(**entry) for entry in stack.discovery or []],
        node_version=stack.node_version,
        health=Health(**stack.health) if stack.health else None,
        error=StackError(code=stack.error_code, message=stack.error_message or "") if stack.error_code else None,
        created_at=stack.created_at,
        updated_at=stack.updated_at,
    )


def detail_of(
    stack: StackItem, node: StackItem | None, workload: AkashDeployment | None, events: list[JobEvent]
) -> StackDetail:
    """Return a stack with its events."""
    answer = answer_of(stack, node, workload)
    return StackDetail(**answer.model_dump(), events=[EventDetail.of(event) for event in events])
