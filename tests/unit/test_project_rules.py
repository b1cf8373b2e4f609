"""Who may change a project, and in which order statuses follow."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ConflictError, ForbiddenError
from slipway.identity.models import ADMIN as ADMIN_ROLE
from slipway.identity.models import OPERATOR, USER, Caller
from slipway.projects.models import Project, ProjectStatus, StatusChange
from slipway.projects.rules import before, change_refusal, may_change, own_wallet, sees_all_payments
from tests.support.wallets import ALICE, BOB

ALLOWED = {("pending", "processing"), ("processing", "success"), ("processing", "failed")}
STATUSES = st.sampled_from(ProjectStatus)
URLS = st.none() | st.sampled_from(["https://a.example", "https://b.example"])


def _caller(wallet: str | None = ALICE.address, *roles: str) -> Caller:
    return Caller("subject", wallet, frozenset({USER, *roles}), "standard", None)


def _project(status: ProjectStatus, url: str | None = None) -> Project:
    return Project(
        id="1",
        name="shop",
        url=url,
        port=3000,
        status=status,
        github="octocat/shop",
        replicas=1,
        creator=ALICE.address,
        created_at="2026-11-21T04:20:00.000Z",
    )


@pytest.mark.parametrize(("current", "wanted"), list(product(ProjectStatus, ProjectStatus)))
def test_only_the_specifications_steps_are_allowed(current: ProjectStatus, wanted: ProjectStatus) -> None:
    assert (current in before(wanted)) is ((str(current), str(wanted)) in ALLOWED)


@given(st.lists(STATUSES, max_size=8))
def test_a_project_never_goes_back_and_ends_once(wanted: list[ProjectStatus]) -> None:
    order = [ProjectStatus.PENDING, ProjectStatus.PROCESSING]
    seen = [ProjectStatus.PENDING]
    for status in wanted:
        if seen[-1] in before(status):
            seen.append(status)
    assert seen[:2] == order[: len(seen)]
    assert len(seen) <= 3


@given(STATUSES, STATUSES, URLS, URLS)
def test_a_refusal_names_both_states(
    current: ProjectStatus, wanted: ProjectStatus, known: str | None, url: str | None
) -> None:
    refusal = change_refusal(_caller(), _project(current, known), StatusChange(status=wanted, url=url))
    if current == wanted and url in (None, known):
        assert refusal is None
        return
    assert isinstance(refusal, ConflictError)
    assert refusal.details is not None
    assert refusal.details["status"] == str(current)
    assert refusal.details["requested"] == str(wanted)
    assert str(current) in refusal.message
    assert str(wanted) in refusal.message


@given(STATUSES, STATUSES)
def test_a_stranger_learns_that_first(current: ProjectStatus, wanted: ProjectStatus) -> None:
    stranger = _caller(BOB.address, ADMIN_ROLE)
    assert isinstance(change_refusal(stranger, _project(current), StatusChange(status=wanted)), ForbiddenError)


def test_creators_and_operators_change_projects() -> None:
    assert may_change(_caller(), ALICE.address)
    assert may_change(_caller(BOB.address, OPERATOR), ALICE.address)
    assert may_change(_caller(None, OPERATOR), ALICE.address)
    assert not may_change(_caller(BOB.address, ADMIN_ROLE), ALICE.address)
    assert not may_change(_caller(None), ALICE.address)


def test_the_creator_is_the_caller() -> None:
    assert own_wallet(_caller(), None) == own_wallet(_caller(), ALICE.address) == ALICE.address
    for caller, creator in ((_caller(), BOB.address), (_caller(None), None), (_caller(None, OPERATOR), ALICE.address)):
        with pytest.raises(ForbiddenError):
            own_wallet(caller, creator)


def test_operators_and_administrators_see_all_payments() -> None:
    assert sees_all_payments(_caller(None, OPERATOR))
    assert sees_all_payments(_caller(None, ADMIN_ROLE))
    assert not sees_all_payments(_caller())
