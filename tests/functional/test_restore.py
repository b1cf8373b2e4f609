"""Point-in-time recovery, by the API's own calls: what a table lost comes back, and what it got since stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from deploy.restore import WAIT_SECONDS, RestoreError, copy_back, restore_beside
from tests.support.template import table_definition

TABLE = "jobs"
AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(TableName=TABLE, **table_definition("JobsTable"))
        client.update_continuous_backups(
            TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        for number in range(3):
            client.put_item(TableName=TABLE, Item=_item(number, "as it was"))
        yield client


def _item(number: int, text: str) -> dict[str, Any]:
    return {"pk": {"S": f"DEPLOYMENT#{number}"}, "sk": {"S": "DETAIL"}, "status": {"S": text}}


def _table(client: Any) -> dict[str, str]:
    return {item["pk"]["S"]: item["status"]["S"] for item in client.scan(TableName=TABLE)["Items"]}


def _damage(client: Any) -> None:
    """One item is gone, one changed, one is as it was, and one is new."""
    client.delete_item(TableName=TABLE, Key={"pk": {"S": "DEPLOYMENT#0"}, "sk": {"S": "DETAIL"}})
    client.put_item(TableName=TABLE, Item=_item(1, "changed"))
    client.put_item(TableName=TABLE, Item=_item(3, "new"))


def test_what_is_gone_comes_back_and_what_is_new_stays(dynamodb: Any) -> None:
    restored = restore_beside(dynamodb, TABLE, AT)
    assert restored == "jobs-20261129T120000Z"
    _damage(dynamodb)
    done = copy_back(dynamodb, restored, TABLE)
    assert (done.missing, done.changed, done.same) == (1, 1, 1)
    assert _table(dynamodb) == {
        "DEPLOYMENT#0": "as it was", "DEPLOYMENT#1": "changed", "DEPLOYMENT#2": "as it was", "DEPLOYMENT#3": "new",
    }  # fmt: skip
    # Once more changes nothing, and finds the same restored table.
    assert restore_beside(dynamodb, TABLE, AT) == restored
    assert copy_back(dynamodb, restored, TABLE).missing == 0
    copy_back(dynamodb, restored, TABLE, overwrite=True)
    assert _table(dynamodb)["DEPLOYMENT#1"] == "as it was"


class Slow:
    """DynamoDB that takes its time."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.passed = 0.0

    def restore_table_to_point_in_time(self, **_: Any) -> None:
        """Nothing to answer."""

    def describe_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": {"TableStatus": self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]}}

    def pause(self, seconds: float) -> None:
        self.passed += seconds


def test_a_restore_is_waited_for_within_a_bound() -> None:
    slow = Slow("CREATING", "CREATING", "ACTIVE")
    restore_beside(slow, TABLE, AT, clock=lambda: slow.passed, pause=slow.pause)
    assert slow.passed == 40
    endless = Slow("CREATING")
    with pytest.raises(RestoreError, match="CREATING"):
        restore_beside(endless, TABLE, AT, clock=lambda: endless.passed, pause=endless.pause)
    assert endless.passed <= WAIT_SECONDS + 20
    with pytest.raises(RestoreError, match="DELETING"):
        restore_beside(Slow("DELETING"), TABLE, AT)
