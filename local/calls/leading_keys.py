"""What kinds of items a call of DynamoDB names, by the beginnings of their partition keys.

Imports the standard library only: it runs in functions' processes.
"""

import re
from collections.abc import Iterator
from typing import Any

# Kinds whose next part says which capability they are of.
_OF_CAPABILITIES = {"ADDRESS", "BUDGET", "HELD", "IDEMPOTENCY", "OPEN", "OUTCOME", "RATE", "SERVICE"}
_EQUALS = re.compile(r"(#?\w+) = (:\w+)")
_HASH_KEYS = {
    None: "pk", "by_owner": "owner_key", "by_subject": "subject_key", "open_work": "open_shard",
    "by_creator": "creator_key", "by_kind": "kind", "fleet": "fleet", "stale": "flush_shard", "token": "token_hash",
}  # fmt: skip


def kind_of(key: str) -> str:
    """Return a partition key without what identifies one item: ``BUILD#id``, ``RATE#builds#id``, ``LIMITS``."""
    first, *rest = key.split("#")
    if first in _OF_CAPABILITIES and rest:
        second = re.sub(r"\d+", "0", rest[0])
        return f"{first}#{second}{'#id' if rest[1:] else ''}"
    return f"{first}#id" if rest else first


def leading_keys(operation: str, arguments: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield kind of write (or the operation), table and kind of partition key of what a call names.

    Raises:
        KeyError: The call names no partition key, as a scan does.
    """
    if operation == "TransactWriteItems":
        for entry in arguments["TransactItems"]:
            for write, part in entry.items():
                yield write, part["TableName"], _of(part["Item" if write == "Put" else "Key"])
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table, part in arguments["RequestItems"].items():
            for key in part["Keys"] if operation == "BatchGetItem" else map(_written, part):
                yield operation, table, _of(key)
    elif operation == "Query":
        yield operation, arguments["TableName"], _of_query(arguments)
    else:
        yield operation, arguments["TableName"], _of(arguments["Item" if operation == "PutItem" else "Key"])


def _written(write: dict[str, Any]) -> dict[str, Any]:
    put = write.get("PutRequest")
    found: dict[str, Any] = put["Item"] if put else write["DeleteRequest"]["Key"]
    return found


def _of(item: dict[str, Any]) -> str:
    return _kind(item["pk"])


def _kind(value: Any) -> str:
    # Clients of boto3 and PynamoDB name types; a resource of boto3 does not.
    given = value.get("S") if isinstance(value, dict) else value
    return kind_of(given) if isinstance(given, str) else "bytes"


def _of_query(arguments: dict[str, Any]) -> str:
    names = arguments.get("ExpressionAttributeNames", {})
    wanted = _HASH_KEYS[arguments.get("IndexName")]
    for name, value in _EQUALS.findall(arguments["KeyConditionExpression"]):
        if names.get(name, name) == wanted:
            return _kind(arguments["ExpressionAttributeValues"][value])
    raise KeyError(wanted)
