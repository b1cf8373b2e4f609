"""What ``reconcile`` does for stacks: jobs nobody works on, workloads that were lost, API stacks that are to follow."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import cast

from slipway.akash.models import Status as WorkloadStatus
from slipway.akash.store import find_workload
from slipway.errors import ConflictError
from slipway.observability import logger, record
from slipway.stacks.artifact_store import ArtifactStore
from slipway.stacks.health import PROBE_EVERY_SECONDS, RESTARTED_AFTER, health_after, probe
from slipway.stacks.jobs import RECONCILE_AFTER_SECONDS, JobRequest, begin, execution_input, follow, start_job
from slipway.stacks.models import Kind, Operation, Status
from slipway.stacks.node_rpc import NodeRpc
from slipway.stacks.steps import Step
from slipway.stacks.store import (
    OPEN,
    WATCHED,
    StackItem,
    advance,
    count_stack_execution,
    due_stacks,
    find_stack,
    postpone,
)
from slipway.stacks.workflow import lost
from slipway.store import ConditionsFailedError
from slipway.times import Clock, from_text, now, now_text, to_text

_MAX_DUE = 50


class StackReconcile:
    """Finds and mends what was left behind.

    Args:
        artifacts: Where endpoints are published.
        starters: Starts the state machine of each kind.
        status: Tells how the execution of a kind and name stands.
        check_interval: Seconds between two checks of an active stack.
        clock: Gives the time.
        rpc: Probes published nodes.
    """

    def __init__(
        self,
        artifacts: ArtifactStore,
        starters: Mapping[Kind, Callable[[str, str], None]],
        status: Callable[[Kind, str], str | None],
        check_interval: float,
        clock: Clock = time,
        rpc: NodeRpc | None = None,
    ) -> None:
        self._artifacts = artifacts
        self._starters = starters
        self._status = status
        self._check_interval = check_interval
        self._clock = clock
        self._rpc = rpc

    def find(self) -> list[tuple[str, Kind]]:
        """Stacks whose job should have moved by now, and those that are to be looked at."""
        moment = now_text(self._clock)
        overdue = due_stacks(OPEN, moment, _MAX_DUE)
        record("OverdueStacks", len(overdue))
        return overdue + due_stacks(WATCHED, moment, _MAX_DUE)

    def reconcile_stack(self, environment: str, kind: Kind) -> str:
        """Make sure that a stack's job is being worked on, or that an active one still has its workload.

        Returns:
            ``ended``, ``running``, ``started``, ``active``, ``lost``, ``rolled``, ``withdrawn`` or ``restarted``.
        """
        stack = find_stack(environment, kind)
        if stack is None or stack.open_shard is None:
            return "ended"
        return self._ensure_running(stack) if stack.running else self._watch(stack)

    def _ensure_running(self, stack: StackItem) -> str:
        found = self._status(stack.which, stack.execution_name)
        record("OldestUnfinishedStack", (now(self._clock) - from_text(stack.updated_at)).total_seconds())
        if found == "RUNNING" or (found is not None and not count_stack_execution(stack)):
            done = "running"
        else:
            # A name that was used is used up; who counts first starts the next.
            self._starters[stack.which](stack.execution_name, execution_input(stack))
            logger.warning("stack started again", stack=stack.name, execution_status=found)
            record("StacksStartedAgain")
            done = "started"
        postpone(stack, to_text(now(self._clock) + timedelta(seconds=RECONCILE_AFTER_SECONDS)))
        return done

    def _watch(self, stack: StackItem) -> str:
        workload = find_workload(stack.deployment_id) if stack.deployment_id else None
        is_up = workload is not None and workload.status == str(WorkloadStatus.ACTIVE) and not workload.closing
        if stack.status == str(Status.ACTIVE) and not is_up:
            logger.warning("stack lost its workload", stack=stack.name)
            reason = (workload and (workload.close_reason or workload.closing_message)) or "its workload is gone"
            if stack.which is Kind.NODE:
                self._artifacts.withdraw(stack.environment)
            lost(stack, f"The stack's workload was closed: {reason}")
            return "lost"
        probed = self._rpc is not None and stack.which is Kind.NODE and bool(stack.endpoint)
        pause = min(self._check_interval, PROBE_EVERY_SECONDS) if probed else self._check_interval
        postpone(stack, to_text(now(self._clock) + timedelta(seconds=pause)))
        if probed:
            return self._probe(stack)
        if stack.which is Kind.API and follow(stack.environment, self._starters[Kind.API]):
            return "rolled"
        return "active"

    def _probe(self, stack: StackItem) -> str:
        """Probe a published node; withdraw its endpoint, give it back, or restart the node, as its answers say."""
        before, moment = stack.health or {}, now_text(self._clock)
        found = probe(cast("NodeRpc", self._rpc), str(stack.endpoint))
        health = health_after(before, found, moment)
        was, withdrawn = bool(before.get("withdrawn_at")), bool(health.get("withdrawn_at"))
        event: tuple[str, str, dict[str, str] | None] | None = None
        if withdrawn and not was:
            event = ("withdrawn", f"The endpoint is withdrawn: {found.reason}", None)
        elif was and not withdrawn:
            event = ("published", "The node answers again; its endpoint is published again", None)
        # A run that comes second changes nothing: what it found is judged from what it read.
        unchanged = StackItem.health == before if before else StackItem.health.does_not_exist()
        if not advance(
            stack,
            Step(stack.step),
            [StackItem.health.set(health)],
            event=event,
            condition=unchanged & (StackItem.status == str(Status.ACTIVE)),
        ):
            return "active"
        if not found.answers:
            logger.warning("node does not answer", stack=stack.name, failures=health["failures"], reason=found.reason)
            record("NodeProbesFailed")
        if health["failures"] >= RESTARTED_AFTER and stack.spec.get("restart") == "on_failure":
            return self._restart(stack)
        return "withdrawn" if withdrawn else "active"

    def _restart(self, stack: StackItem) -> str:
        wanted = JobRequest(stack.environment, Kind.NODE, Operation.RESTART, stack.spec, stack.wallet)
        try:
            restarted = begin(wanted, stack)
        except (ConditionsFailedError, ConflictError):
            # Somebody began another job.
            return "withdrawn"
        record("StacksRestarted")
        start_job(self._starters[Kind.NODE], restarted)
        return "restarted"
