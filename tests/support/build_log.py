"""A build whose progress a test writes itself, into the jobs table as the pipeline would: event and build together."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

_MOMENT = "2026-11-21T12:00:00.000Z"
# What a build of one chain tells, with its status, percentage and step.
USUAL = (
    ("pending", 0, "queued"),
    ("generating", 10, "code_generation"),
    ("auditing", 40, "security_audit"),
    ("auditing", 50, "fixing"),
    ("auditing", 60, "security_audit"),
    ("deploying", 70, "deployment"),
    ("deploying", 82, "deployment"),
    ("complete", 100, "complete"),
)


@dataclass
class WrittenBuild:
    """A build of ``wallet`` in ``table``.

    Attributes:
        client: Of DynamoDB.
        table: Name of the jobs table.
        wallet: The owner's.
        told: What clients have to be told so far.
    """

    client: Any
    table: str
    wallet: str
    build_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    told: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, *progress: tuple[str, int, str]) -> None:
        """Write the next events, each with the build's state after it."""
        for status, percent, step in progress:
            sequence = len(self.told) + 1
            message = f"Event {sequence} of “{step}”"
            event = {"status": status, "progress": percent, "step": step, "message": message, "sequence": sequence}
            key = {"S": f"BUILD#{self.build_id}"}
            common = {name: _typed(value) for name, value in event.items()}
            owner = {"wallet": {"S": self.wallet}, "created_at": {"S": _MOMENT}}
            update = {"pk": key, "sk": {"S": f"UPDATE#{sequence:08d}"}, **common, **owner}
            detail = {"pk": key, "sk": {"S": "DETAIL"}, **self._detail(event), **owner}
            new = "attribute_not_exists(pk)"
            self.client.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": self.table, "Item": update, "ConditionExpression": new}},
                    {"Put": {"TableName": self.table, "Item": detail}},
                ]
            )
            self.told.append(event)

    def _detail(self, event: dict[str, Any]) -> dict[str, Any]:
        attributes = {
            "build_id": self.build_id,
            "number": 1,
            "status": event["status"],
            "job_id": self.build_id,
            "stage": "generate",
            "step": event["step"],
            "sequence": event["sequence"],
            "prompt": "A token for a test",
            "stage_began_at": _MOMENT,
            "updated_at": _MOMENT,
        }
        return {
            **{name: _typed(value) for name, value in attributes.items()},
            "chains": {"L": [{"N": "31337"}]},
            "run_chains": {"L": [{"N": "31337"}]},
        }


def _typed(value: Any) -> dict[str, str]:
    return {"N": str(value)} if isinstance(value, int) else {"S": str(value)}
