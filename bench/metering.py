"""Counts what a client asks of DynamoDB, in requests and in the units that those are billed by."""

import math
from dataclasses import dataclass
from typing import Any

# Of one read unit that need not be consistent: half of four kilobytes.
_HALF_UNIT_BYTES = 4096
_READS = {"GetItem", "BatchGetItem", "TransactGetItems"}


@dataclass(frozen=True)
class Counts:
    """Requests and units of one operation."""

    requests: int
    read_units: float
    write_units: float

    def __sub__(self, earlier: "Counts") -> "Counts":
        return Counts(
            self.requests - earlier.requests,
            self.read_units - earlier.read_units,
            self.write_units - earlier.write_units,
        )


class Meter:
    """Requests and capacity units of a client.

    Units of writes and of single reads are the engine's, which counts as DynamoDB bills: item sizes, changed index
    keys, double for transactions. What the engine does not tell is reckoned here by DynamoDB's published rules: a query
    by the size of what it read, and a write that a condition refused by the size of the item.
    """

    def __init__(self, client: Any) -> None:
        self.requests = 0
        self.queries = 0
        self.query_units = 0.0
        self.read_units = 0.0
        self.write_units = 0.0
        events = client.meta.events
        events.register("provide-client-params.dynamodb", self._ask)
        events.register("request-created.dynamodb", self._count)
        events.register("after-call.dynamodb", self._add)

    @property
    def counts(self) -> Counts:
        """Everything so far; queries are reads."""
        return Counts(self.requests, self.read_units + self.query_units, self.write_units)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"

    def _count(self, **_: Any) -> None:
        self.requests += 1

    def _add(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        told = parsed.get("ConsumedCapacity", [])
        units = sum(entry["CapacityUnits"] for entry in ([told] if isinstance(told, dict) else told))
        if model.name == "Query":
            self.queries += 1
            size = sum(item_bytes(item) for item in parsed.get("Items", []))
            self.query_units += max(0.5, 0.5 * math.ceil(size / _HALF_UNIT_BYTES))
        elif model.name in _READS:
            self.read_units += units
        elif parsed.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
            self.write_units += math.ceil(max(1, item_bytes(parsed.get("Item", {}))) / 1024)
        else:
            self.write_units += units


def item_bytes(item: dict[str, dict[str, Any]]) -> int:
    """Return the size by which DynamoDB bills an item: names and values.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return math.ceil(len(content.strip("-0.")) / 2) + 1
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value_bytes(entry) for entry in content)
        case "M":
            return 3 + len(content) + item_bytes(content)
        case "SS" | "NS" | "BS":
            return sum(_value_bytes({kind[0]: entry}) for entry in content)
    return len(content if isinstance(content, bytes) else content.encode())
