"""The steps of a job, and which comes when. Pure."""

from enum import StrEnum

from slipway.stacks.models import Kind, Operation


class Step(StrEnum):
    """What is to be done next. ``CLOSING`` and ``DEPLOY`` run ``akash_deploy``; the others are tasks of ours."""

    WITHDRAW = "withdraw"
    READ = "read"
    CLOSE = "close"
    CLOSING = "closing"
    PLACE = "place"
    DEPLOY = "deploy"
    UPDATE = "update"
    AWAIT = "await"
    DISCOVER = "discover"
    PROBE = "probe"
    PUBLISH = "publish"
    ROLL = "roll"
    FINISH = "finish"
    END = "end"
    DONE = "done"


def first_step(kind: Kind, operation: Operation) -> Step:
    """Where a job begins: a node's endpoint is withdrawn before anything else happens to the node."""
    if kind is Kind.NODE:
        return Step.WITHDRAW
    return Step.CLOSE if operation is Operation.DELETE else Step.READ


def step_when_up(kind: Kind) -> Step:
    """Return what comes once a workload runs what it shall."""
    return Step.DISCOVER if kind is Kind.NODE else Step.FINISH


def plan(*, deleting: bool, open_workload: bool, lease_can_stay: bool) -> Step:
    """How a stack becomes what it shall be.

    Args:
        deleting: It shall be gone.
        open_workload: It has a workload that was not closed.
        lease_can_stay: That one is well, and may run what is wanted.
    """
    if deleting or (open_workload and not lease_can_stay):
        return Step.CLOSE
    return Step.UPDATE if open_workload else Step.PLACE
