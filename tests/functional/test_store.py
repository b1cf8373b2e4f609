"""Reads of several items at once."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from slipway import store
from slipway.chain.store import ChainConfiguration, SignerNonce, save_fee_cap
from slipway.errors import UpstreamUnavailableError
from slipway.store import read_items, read_together
from slipway.tokens.store import ModelLock, model_lock_key
from tests.support.clock import ManualClock

LOCK = (ModelLock, model_lock_key("read"))
CONFIGURATION = (ChainConfiguration, ChainConfiguration.key(4711))
NOTHING = (SignerNonce, SignerNonce.key(4711, "0x0"))

pytestmark = pytest.mark.usefixtures("slipway")


@pytest.fixture(autouse=True)
def _items(slipway: Any) -> None:
    ModelLock(*LOCK[1], deployment_id="d").save()
    save_fee_cap(4711, 5)


def _answers(monkeypatch: pytest.MonkeyPatch, *changes: Any) -> list[dict[str, Any]]:
    """Change the next answers; returns what was asked."""
    dispatch, steps, asked = store.connection.dispatch, iter(changes), []

    def changed(operation: str, arguments: dict[str, Any]) -> Any:
        asked.append(arguments["RequestItems"])
        change = next(steps, None)
        if isinstance(change, Exception):
            raise change
        answer = dispatch(operation, dict(arguments))
        return change(answer, arguments["RequestItems"]) if change else answer

    monkeypatch.setattr(store.connection, "dispatch", changed)
    return asked


def test_items_of_two_tables_come_in_one_request_as_they_stand_now(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _answers(monkeypatch)
    lock, nothing, configuration = read_items(LOCK, NOTHING, CONFIGURATION, clock=ManualClock())
    assert nothing is None
    assert lock
    assert configuration
    assert (type(lock), lock.deployment_id) == (ModelLock, "d")
    assert (type(configuration), configuration.max_fee_per_gas) == (ChainConfiguration, 5)
    assert len(asked) == 1
    assert all(table["ConsistentRead"] for table in asked[0].values())


def _nothing_yet(answer: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {"Responses": {}, "UnprocessedKeys": wanted}


def _only_control(answer: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    left = {name: table for name, table in wanted.items() if name != ChainConfiguration.Meta.table_name}
    return {"Responses": {key: value for key, value in answer["Responses"].items() if key not in left}} | {
        "UnprocessedKeys": left
    }


def test_what_a_busy_table_left_out_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _answers(monkeypatch, _nothing_yet, _only_control)
    lock, configuration = read_items(LOCK, CONFIGURATION, clock=ManualClock())
    assert lock
    assert configuration
    assert [len(tables) for tables in asked] == [2, 2, 1]


def test_a_table_that_stays_busy_or_refuses_is_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, *[_nothing_yet] * 6)
    with pytest.raises(UpstreamUnavailableError, match="busy"):
        read_items(LOCK, CONFIGURATION, clock=ManualClock())
    refusal = ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "BatchGetItem")
    _answers(monkeypatch, refusal)
    with pytest.raises(UpstreamUnavailableError):
        read_items(LOCK, CONFIGURATION, clock=ManualClock())


def test_items_of_one_model_come_in_the_keys_order_without_those_that_are_missing() -> None:
    keys = [model_lock_key(f"read-{number}") for number in range(5)]
    for key in keys[::2]:
        ModelLock(*key, deployment_id=key[0]).save()
    assert [found.deployment_id for found in read_together(ModelLock, keys)] == [key[0] for key in keys[::2]]
    assert read_together(ModelLock, []) == []
