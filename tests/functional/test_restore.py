"""Point-in-time recovery, by the API's own calls: what a table lost comes back, and what it got since stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from deploy.restore import LEFT_OUT, WAIT_SECONDS, RestoreError, copy_back, restore_beside
from tests.support.template import ROOT, table_definition

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


GONE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "an API key": ("API_KEYS#0xa", "KEY#1", {}),
    "a session": ("SESSION#family", "SESSION", {"expires_at": {"N": "4000000000"}}),
    "a nonce": ("SIGN_IN_NONCE#abc", "NONCE", {}),
    "a permit": ("BUILD#1", "BROADCAST#31337", {}),
    "what expired": ("IDEMPOTENCY#tokens#0xa#1", "REQUEST", {"expires_at": {"N": "1000"}}),
    "a failed launch's lock": ("MODEL#one", "LOCK", {"deployment_id": {"S": "failed"}}),
    "the lock of no launch": ("MODEL#two", "LOCK", {"deployment_id": {"S": "nobody"}}),
}
BACK: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a live lock": ("MODEL#three", "LOCK", {"deployment_id": {"S": "live"}}),
    "a key's event": ("KEY#0xa#1", "EVENT#2026", {}),
    "a session's event": ("SESSION#0xa#1", "EVENT#2026", {}),
    "a live answer to a key": ("IDEMPOTENCY#tokens#0xa#2", "REQUEST", {"expires_at": {"N": "3000"}}),
    "a blocked wallet": ("STANDING#0xa", "STANDING", {}),
}
LAUNCHES = {"failed": "failed", "live": "completed"}


def _put(client: Any, pk: str, sk: str, more: dict[str, Any]) -> None:
    client.put_item(TableName=TABLE, Item={"pk": {"S": pk}, "sk": {"S": sk}, "status": {"S": "-"}, **more})


def _damaged(client: Any) -> str:
    """Restore a table beside itself from which everything is gone that came with these."""
    for pk, sk, more in (*GONE.values(), *BACK.values()):
        _put(client, pk, sk, more)
    for launch, status in LAUNCHES.items():
        _put(client, f"DEPLOYMENT#{launch}", "DETAIL", {"status": {"S": status}})
    restored = restore_beside(client, TABLE, AT)
    for pk, sk, _ in (*GONE.values(), *BACK.values()):
        client.delete_item(TableName=TABLE, Key={"pk": {"S": pk}, "sk": {"S": sk}})
    client.delete_item(TableName=TABLE, Key={"pk": {"S": "DEPLOYMENT#live"}, "sk": {"S": "DETAIL"}})
    return restored


def test_what_was_deleted_on_purpose_stays_deleted(dynamodb: Any) -> None:
    restored = _damaged(dynamodb)
    done = copy_back(dynamodb, restored, TABLE, clock=lambda: 2000)
    assert (done.missing, done.left_out) == (len(BACK) + 1, len(GONE))
    there = {(item["pk"]["S"], item["sk"]["S"]) for item in dynamodb.scan(TableName=TABLE)["Items"]}
    assert {name for name, (pk, sk, _) in GONE.items() if (pk, sk) in there} == set()
    # The live launch was gone as well, and is back before its lock is judged.
    assert {name for name, (pk, sk, _) in BACK.items() if (pk, sk) not in there} == set()
    # An operator may want all of them: all but what expired and the locks that nothing holds.
    assert copy_back(dynamodb, restored, TABLE, leave=(), clock=lambda: 2000).missing == 4


@pytest.mark.parametrize("pk", ["SESSION#family", "STANDING#0xb", "SIGNER#31337#0xa"])
def test_what_was_revoked_blocked_or_counted_since_is_not_undone(dynamodb: Any, pk: str) -> None:
    _put(dynamodb, pk, "SESSION", {})
    restored = restore_beside(dynamodb, TABLE, AT)
    _put(dynamodb, pk, "SESSION", {"status": {"S": "newer"}})
    copy_back(dynamodb, restored, TABLE, overwrite=True)
    assert _table(dynamodb)[pk] == "newer"


def _session(begin: int, end: int) -> tuple[str, dict[str, Any]]:
    return f"UPTIME#{begin:015d}", {"time_from": {"N": str(begin)}, "time_to": {"N": str(end)}}


def test_a_session_that_became_part_of_another_stays_joined(dynamodb: Any) -> None:
    sessions = [(0, 10), (20, 30), (40, 50), (60, 70), (80, 90)]
    for begin, end in sessions:
        _put(dynamodb, "WORKER#0xa", *_session(begin, end))
    restored = restore_beside(dynamodb, TABLE, AT)
    for begin, _ in sessions:
        dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "WORKER#0xa"}, "sk": {"S": f"UPTIME#{begin:015d}"}})
    # Late beats joined the second with the third, and the last with the session that is open; two were lost.
    _put(dynamodb, "WORKER#0xa", *_session(20, 50))
    _put(dynamodb, "WORKER#0xa", "WORKER", {"session_start": {"N": "85"}})
    done = copy_back(dynamodb, restored, TABLE)
    assert (done.missing, done.changed, done.left_out) == (2, 1, 2)
    there = [item["sk"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"] if item["pk"]["S"] == "WORKER#0xa"]
    assert sorted(there) == [*(f"UPTIME#{begin:015d}" for begin in (0, 20, 60)), "WORKER"]


# Models whose items the library deletes, and the kind that ``make restore`` leaves out; None where a deletion says
# nothing that restoring would undo.
DELETED = {
    "ApiKey": "API_KEYS",
    "SignInNonce": "SIGN_IN_NONCE",
    "StreamTicket": "STREAM_TICKET",
    "Webhook": "WEBHOOKS",
    "WatchedOwner": "WORKER-WEBHOOKS",
    "StreamConnection": "STREAM",
    "StreamOfConnection": "CONNECTION",
    "BroadcastPermit": "BROADCAST",
    # Judged one by one.
    "ModelLock": None,
    # What restoring is for; docs/operations.md names those.
    "ProjectItem": None,
    # Judged one by one.
    "UptimeRecord": None,
}


def test_each_kind_that_is_deleted_is_decided_about() -> None:
    found: set[str] = set()
    for path in (ROOT / "layers" / "slipway" / "slipway").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"(?:\bdelete\(\s*\"\w+\",\s*|\bdelete_if\()([A-Z]\w+)\(", text))
        found |= set(re.findall(r"\b([A-Z]\w+)\([^()\n]*(?:\([^()]*\))?[^()\n]*\)\.delete\(", text))
    # These have a name by then, or a constant.
    assert found | {"StreamTicket", "BroadcastPermit", "ProjectItem"} == set(DELETED)
    assert {kind for kind in DELETED.values() if kind} <= set(LEFT_OUT)


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
