"""The table of who may call what: whole, and what the functions' code and the OpenAPI document say."""

from __future__ import annotations

import pytest

from local.openapi.operations import Operation, operations
from slipway.http import BodyReader, RoleHolder, authenticated, wallet_owner
from tests.support.authorization import ROUTES

OPERATIONS = {operation.route.key: operation for operation in operations()}


def test_the_table_has_every_route_of_the_template_and_no_other() -> None:
    assert set(ROUTES) == set(OPERATIONS)


@pytest.mark.parametrize("key", ROUTES)
def test_a_route_authenticates_as_the_table_says(key: str) -> None:
    assert _who(OPERATIONS[key]) == ROUTES[key].who


@pytest.mark.parametrize("key", ROUTES)
def test_a_path_that_names_a_users_thing_says_what_others_are_answered(key: str) -> None:
    access = ROUTES[key]
    assert (access.thing is None) == (access.others is None)
    if "{" in key and access.who in ("user", "wallet"):
        assert access.thing is not None


def _who(operation: Operation) -> str:
    if operation.scheme == "workerToken":
        return "worker"
    if operation.scheme is None:
        return "anyone"
    found = set()
    for dependency in operation.authenticated_by:
        if isinstance(dependency, RoleHolder):
            found.add(dependency.name)
        elif dependency is wallet_owner:
            found.add("wallet")
        elif dependency is authenticated:
            found.add("user")
    assert not any(isinstance(dependency, BodyReader) for dependency in operation.authenticated_by)
    # The body and the caller of one route may ask for different things; the stricter one counts.
    order = ("admin", "operator", "wallet", "user")
    return next(who for who in order if who in found)
