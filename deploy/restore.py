"""Brings back what a table lost: restores it beside itself as it was at a moment, and copies what is missing.

``make restore ENV=name TABLE=JobsTable AT=2026-11-29T12:00:00Z``; ``OVERWRITE=yes`` also puts back what changed since.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

WAIT_SECONDS = 6 * 3600.0
_LOOK_SECONDS = 20.0


class RestoreError(Exception):
    """The table was not restored; says what to look at."""


@dataclass
class Copied:
    """What became of the restored items.

    Attributes:
        missing: Were gone, and are back.
        changed: Differ from what the table has now; put back only when asked.
        same: Are as they were.
    """

    missing: int = 0
    changed: int = 0
    same: int = 0


def restore_beside(
    client: Any, table: str, at: datetime, *, clock: Callable[[], float] = time.monotonic, pause: Any = time.sleep
) -> str:
    """Restore a table beside itself, and return the new one's name once it is there.

    The name follows from the moment, so that a second call goes on with the first one's table.

    Args:
        client: boto3's DynamoDB client.
        table: The table's name.
        at: The moment, aware, within the last 35 days.
        clock: Seconds, for the deadline.
        pause: Waits for seconds.

    Raises:
        RestoreError: It took longer than six hours, or ended as something else than a table in use.
    """
    name = f"{table}-{at:%Y%m%dT%H%M%SZ}"
    try:
        client.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=name, RestoreDateTime=at)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("TableAlreadyExistsException", "ResourceInUseException"):
            raise
    deadline = clock() + WAIT_SECONDS
    while (status := client.describe_table(TableName=name)["Table"]["TableStatus"]) != "ACTIVE":
        if status not in ("CREATING", "UPDATING") or clock() > deadline:
            raise RestoreError(f"{name} is {status}: look at it in DynamoDB's console")
        pause(_LOOK_SECONDS)
    return name


def copy_back(client: Any, restored: str, table: str, *, overwrite: bool = False) -> Copied:
    """Put items of a restored table back that the other has not, or has otherwise.

    What is missing is put back only while it is. What was deleted on purpose is missing, too.

    Args:
        client: boto3's DynamoDB client.
        restored: The table as it was.
        table: The one in use.
        overwrite: Whether items that changed since are put back as well, whatever is written to them meanwhile.
    """
    done = Copied()
    for item in _items(client, restored):
        key = {"pk": item["pk"], "sk": item["sk"]}
        present = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        if present == item:
            done.same += 1
        elif present is None:
            done.missing += _put_missing(client, table, item)
        else:
            done.changed += 1
            if overwrite:
                client.put_item(TableName=table, Item=item)
    return done


def _put_missing(client: Any, table: str, item: dict[str, Any]) -> int:
    try:
        client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
    except client.exceptions.ConditionalCheckFailedException:
        return 0
    return 1


def _items(client: Any, table: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]
