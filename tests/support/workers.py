"""Workers for tests: enrolled straight into the table, and what the table then tells of their sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3

from slipway import store
from slipway.addresses import to_checksum
from slipway.jobs.store import JobEvent
from slipway.times import now_text, of_milliseconds, to_text
from slipway.workers.rules import HOUR, OVERDUE
from slipway.workers.store import FLEET, UptimeRecord, WorkerItem, find_worker, worker_key
from slipway.workers.worker_tokens import new_worker_token, token_hash
from tests.support.template import table_definition

CONTAINERS = [
    {"containerName": "web", "port": "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"},
    {"containerName": "inference-1", "port": ""},
]


def wallet(number: int) -> str:
    """Return a wallet's address in EIP-55 form."""
    return to_checksum(f"0x{number:040x}")


def enrol(address: str) -> str:
    """Put a worker that never sent a beat into the table; returns its token."""
    token = new_worker_token()
    WorkerItem(
        *worker_key(address), fleet=FLEET, enrolled_at=now_text(), token_hash=token_hash(token), revision=0
    ).save()
    return token


def enrol_at(client: Any, table: str, address: str) -> str:
    """Do the same through a DynamoDB client, into a table of another name."""
    token = new_worker_token()
    pk, sk = worker_key(address)
    item = {
        "pk": {"S": pk},
        "sk": {"S": sk},
        "fleet": {"S": FLEET},
        "enrolled_at": {"S": now_text()},
        "token_hash": {"B": token_hash(token)},
        "revision": {"N": "0"},
    }
    client.put_item(TableName=table, Item=item)
    return token


def silent_since(client: Any, table: str, address: str, at: int) -> None:
    """Let a worker's last beat have arrived at a time in milliseconds, as when that much time has really passed."""
    pk, sk = worker_key(address)
    client.update_item(
        TableName=table,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        UpdateExpression="SET arrived_at = :at, enrolled_at = :enrolled, flush_at = :overdue",
        ExpressionAttributeValues={
            ":at": {"N": str(at)},
            ":enrolled": {"S": to_text(of_milliseconds(at - HOUR))},
            ":overdue": {"N": str(OVERDUE)},
        },
    )


def records_at(client: Any, table: str, address: str) -> list[tuple[int, int]]:
    """Uptime records, oldest first, through a DynamoDB client from a table of another name."""
    items = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": {"S": worker_key(address)[0]}, ":prefix": {"S": "UPTIME#"}},
        ConsistentRead=True,
    )["Items"]
    return [(int(item["time_from"]["N"]), int(item["time_to"]["N"])) for item in items]


def body(address: str, at: int, containers: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """Return the body of a beat at a time in milliseconds."""
    timestamp = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "walletAddress": address,
        "timestamp": timestamp,
        "containers": CONTAINERS if containers is None else containers,
    }


def records(address: str) -> list[tuple[int, int]]:
    """Uptime records, oldest first."""
    found = UptimeRecord.query(worker_key(address)[0], UptimeRecord.sk.startswith("UPTIME#"), consistent_read=True)
    return [(record.time_from, record.time_to) for record in found]


def sessions(address: str) -> list[tuple[int, int]]:
    """Uptime records and the open session, oldest first."""
    worker = find_worker(address)
    assert worker is not None
    start, last = worker.session_start, worker.last_seen
    return records(address) + ([(start, last)] if start is not None and last is not None else [])


@contextmanager
def library_at(endpoint: str) -> Iterator[Any]:
    """Let the library in this process use an engine, with an empty workers table and one for the events of workers.

    Gives a DynamoDB client of it.
    """
    client = boto3.client("dynamodb", endpoint_url=endpoint)
    tables = {WorkerItem.Meta.table_name: "WorkersTable", JobEvent.Meta.table_name: "JobsTable"}
    for name, logical_id in tables.items():
        client.create_table(TableName=name, **table_definition(logical_id))
    old = store.connection.host, store.connection._client
    store.connection.host, store.connection._client = endpoint, None
    try:
        yield client
    finally:
        store.connection.host, store.connection._client = old
        for name in tables:
            client.delete_table(TableName=name)
