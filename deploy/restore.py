"""Brings back what a table lost: restores it beside itself as it was at a moment, and copies what is missing.

``make restore ENV=name TABLE=JobsTable AT=2026-11-29T12:00:00Z``; ``OVERWRITE=yes`` also puts back what changed since,
``LEAVE=API_KEYS,SESSION`` names the kinds of items that are left out instead of ``LEFT_OUT``, ``LEAVE=none`` none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

WAIT_SECONDS = 6 * 3600.0
_POLL_INTERVAL_SECONDS = 20.0

# What is gone of these kinds is most likely gone on purpose, and what changed was changed for a reason: to bring it
# back would let somebody in, or hold something, again. A kind is what a partition or sort key begins with. What is lost
# of them can be made anew.
LEFT_OUT = {
    "API_KEYS": "an owner's word that a key is good no more",
    "SESSION": "a session that ended, or a refresh token that was used",
    "SIGN_IN_NONCE": "used once",
    "STREAM_TICKET": "used once",
    "WEBHOOKS": "an owner's word that a receiver gets nothing more",
    "WORKER-WEBHOOKS": "goes with its webhook",
    "STREAM": "a connection that was closed",
    "CONNECTION": "a connection that was closed",
    "HELD": "a semaphore's lease, given back",
    "BROADCAST": "a permit, given back",
}
# These are put back where they are gone, for then it was no deletion; but not over what they say by now.
_NEVER_OVERWRITTEN = frozenset({"SIGNER", "STANDING"})
# Facts about what is left out stay facts.
_RECORDS = frozenset({"EVENT"})
_LOCK, _UPTIME = "MODEL", "UPTIME"


class RestoreError(Exception):
    """The table was not restored; says what to look at."""


@dataclass
class Copied:
    """What became of the restored items.

    Attributes:
        missing: Were gone, and are back.
        changed: Differ from what the table has now; put back only when asked.
        same: Are as they were.
        left_out: Are gone or differ, and stay so: their kind is left out, their time is over, or they are a lock that
            nothing holds, or part of a longer session.
    """

    missing: int = 0
    changed: int = 0
    same: int = 0
    left_out: int = 0


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
        pause(_POLL_INTERVAL_SECONDS)
    return name


def copy_back(
    client: Any,
    restored: str,
    table: str,
    *,
    overwrite: bool = False,
    leave: Collection[str] = tuple(LEFT_OUT),
    clock: Callable[[], float] = time.time,
) -> Copied:
    """Put items of a restored table back that the other has not, or has otherwise.

    What is missing is put back only while it is. What depends on other items comes after them: a model's lock, for a
    launch that has not failed (that lets it go), and a worker's session, where none is that it became part of.

    Args:
        client: boto3's DynamoDB client.
        restored: The table as it was.
        table: The one in use.
        overwrite: Whether items that changed since are put back as well, whatever is written to them meanwhile.
        leave: Kinds that are left as they are.
        clock: Seconds since 1970; what expired before is not brought back.
    """
    done, later = Copied(), []
    for item in _items(client, restored):
        present = _read(client, table, item["pk"], item["sk"])
        kinds = _kinds(item)
        if present == item:
            done.same += 1
        elif kinds.isdisjoint(_RECORDS) and not kinds.isdisjoint(leave):
            done.left_out += 1
        elif present is not None:
            done.changed += 1
            if overwrite and kinds.isdisjoint(_NEVER_OVERWRITTEN):
                client.put_item(TableName=table, Item=item)
        elif float(item.get("expires_at", {}).get("N", "inf")) <= clock():
            done.left_out += 1
        elif kinds & {_LOCK, _UPTIME}:
            later.append(item)
        else:
            done.missing += _put_missing(client, table, item)
    for item in later:
        holds = _is_held if _LOCK in _kinds(item) else _is_apart
        if holds(client, table, item):
            done.missing += _put_missing(client, table, item)
        else:
            done.left_out += 1
    return done


def _kinds(item: dict[str, Any]) -> set[str]:
    return {item[name]["S"].partition("#")[0] for name in ("pk", "sk")}


def _read(client: Any, table: str, pk: dict[str, str], sk: dict[str, str]) -> dict[str, Any] | None:
    found: dict[str, Any] = client.get_item(TableName=table, Key={"pk": pk, "sk": sk}, ConsistentRead=True)
    return found.get("Item")


def _is_held(client: Any, table: str, lock: dict[str, Any]) -> bool:
    launch = _read(client, table, {"S": f"DEPLOYMENT#{lock['deployment_id']['S']}"}, {"S": "DETAIL"})
    return launch is not None and launch["status"]["S"] != "failed"


def _is_apart(client: Any, table: str, session: dict[str, Any]) -> bool:
    """Return whether a worker has no session now, neither over nor open, that shares time with this one."""
    begin, end = (int(session[name]["N"]) for name in ("time_from", "time_to"))
    worker = _read(client, table, session["pk"], {"S": "WORKER"}) or {}
    if int(worker.get("session_start", {}).get("N", end + 1)) <= end:
        return False
    found = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":pk": session["pk"], ":first": {"S": f"{_UPTIME}#"}, ":last": {"S": f"{_UPTIME}#{end:015d}"},
        },
        ScanIndexForward=False,
        Limit=1,
        ConsistentRead=True,
    )["Items"]  # fmt: skip
    return not found or int(found[0]["time_to"]["N"]) < begin


def _put_missing(client: Any, table: str, item: dict[str, Any]) -> int:
    try:
        client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
    except client.exceptions.ConditionalCheckFailedException:
        return 0
    return 1


def _items(client: Any, table: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]
