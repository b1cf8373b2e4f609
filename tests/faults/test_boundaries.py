"""Whatever a state machine does, a test cuts it before and after: a state, or a machine, without that fails here."""

import pytest

from tests.faults import (
    test_akash_deploy,
    test_build_chains,
    test_builds,
    test_payments,
    test_stacks,
    test_token_launch,
    test_uptime_flush,
)
from tests.faults.boundaries import WHENS, boundaries, workflows

CUT: dict[str, tuple[str, ...]] = {
    "akash_deploy": (*test_akash_deploy.ON_THE_WAY, *test_akash_deploy.CHANGES, *test_payments.PAID),
    "build": (*test_builds.TASKS, *test_build_chains.ASIDE),
    "reconcile": (
        *test_token_launch.IN_RECONCILE,
        *test_akash_deploy.IN_RECONCILE,
        *test_stacks.IN_RECONCILE,
        *test_builds.IN_RECONCILE,
    ),
    "stack_api": (*test_stacks.API, test_stacks.RUN),
    "stack_node": (*test_stacks.NODE, test_stacks.RUN),
    "token_deploy": test_token_launch.IN_DEPLOYMENT,
    "token_register": test_token_launch.IN_REGISTRATION,
    "uptime_flush": test_uptime_flush.BOUNDARIES,
}


def test_every_workflow_has_its_faults() -> None:
    assert sorted(CUT) == workflows()


@pytest.mark.parametrize("workflow", CUT)
def test_every_boundary_has_its_fault(workflow: str) -> None:
    assert boundaries(workflow) == {(name, when) for name in CUT[workflow] for when in WHENS}
