"""Examples: of requests from ``events/``, of answers from the answers' own schemas."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from local.paths import ROOT

_ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
_HASH = "0x3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
_ID = "3f0b9a52-6f0e-4a58-9d4c-2f1c5a7e8b90"
_TIME = "2026-11-21T04:20:00Z"
_WEI = "1250000000000000"
# What a text, or a number, of this name looks like, where its schema gives no example.
_BY_NAME: dict[str, Any] = {
    "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIweDcwIn0.c2lnbmF0dXJl",
    "address": _ADDRESS, "amount": "25000000", "app_name": "pay2slay", "available": 1, "block_number": 7421998,
    "chain_id": 11155111, "code": "MODEL_NOT_VALIDATED", "containerName": "web", "controller": _ADDRESS,
    "contributors": _ADDRESS, "cost": _WEI, "creator": _ADDRESS, "date": "2026-11-21", "deployment_id": _ID,
    "deployment_tx_hash": _HASH, "deposit": "5", "dseq": "19876543", "enrolment_code": "K7QF-2M9D-XT4C-81ZB",
    "environment": "production", "error": None, "estimated_confirmation_time": 45, "estimated_gas_cost": _WEI,
    "expires_in": 3600,
    "explorer_url": f"https://sepolia.etherscan.io/tx/{_HASH}", "external_port": 31542, "fee_cap": "200000000000",
    "gas": 2130000, "gas_price": "1500000000", "gas_used": "2104332", "gpu_usd_per_hour": None, "gseq": 1, "oseq": 1,
    "hash": _HASH, "host": "provider.example.com", "image": "nginx:1.27", "ip": "203.0.113.7", "job_id": "1",
    "limit": 20, "max_fee_per_gas": "3000000000", "max_priority_fee_per_gas": "1000000000", "message": "It is done",
    "model_id": "sentiment-v2", "name": "web", "next_cursor": None, "nonce": "k3PZ8bT1qYw0RmVx", "owner": _ADDRESS,
    "percent": 99.65, "port": "0.0.0.0:8080->80/tcp", "price": "1234.5", "protocol": "tcp", "provider":
    "akash1u5cdg7k3gl43mukca4aeultuz8x2j68mgwn28e", "registry_tx_hash": _HASH, "replicas": 1, "run_id": "4f1c2ab0",
    "service": "tokens", "setup_command":
    f"curl -fsSL 'https://api.example.com/api/setup?wallet={_ADDRESS}' | sudo bash",
    "status_url": f"/api/deployments/{_ID}/status", "timeFrom": _TIME, "timeTo": "2026-11-21T08:40:00Z",
    "token": "slw_Zm9yIHRlc3RzIG9ubHksIG5vIHdvcmtlciBoYXMgdGh", "token_address": _ADDRESS, "token_name": "Sentiment",
    "token_symbol": "SENT", "total": 1, "total_cost": _WEI, "transaction_hash": _HASH, "tx_hash": _HASH,
    "uris": "web.provider.example.com", "url": "https://example.com", "usd_per_hour": "0.0123", "usd_per_month":
    "8.98", "user_address": _ADDRESS, "wallet": _ADDRESS,
}  # fmt: skip
_BY_TYPE: dict[str, Any] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
# Of several words, the one for the usual end.
_USUAL = ("completed", "active", "up")
_MAX_DEPTH = 8


@cache
def events_of(route_key: str) -> tuple[dict[str, Any], ...]:
    """Return the events of a route, in the order of their files' names."""
    loaded = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "events").glob("*.json"))]
    return tuple(event for event in loaded if event.get("routeKey") == route_key)


def body_examples(route_key: str) -> list[Any]:
    """Return the bodies that the events of a route carry."""
    return [json.loads(event["body"]) for event in events_of(route_key) if event.get("body")]


def parameter_examples(route_key: str) -> dict[tuple[str, str], str]:
    """Return the values of parameters in the events of a route, by place and name."""
    found: dict[tuple[str, str], str] = {}
    for event in events_of(route_key):
        found |= {("path", name): value for name, value in event.get("pathParameters", {}).items()}
        found |= {("query", name): value for name, value in parse_qsl(event.get("rawQueryString", ""))}
        found |= {("header", name): value for name, value in event["headers"].items()}
    return found


class Sampler:
    """Makes an example of a schema."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas

    def examples(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return an example of each shape that the schema allows, by the shape's name."""
        branches = [branch for branch in schema.get("anyOf", [schema]) if branch.get("type") != "null"]
        return {branch.get("$ref", "/answer").rpartition("/")[2]: self.example(branch) for branch in branches}

    def example(self, schema: dict[str, Any], name: str = "", depth: int = 0) -> Any:
        """Return one example; ``name`` is the property's that has the schema."""
        if "$ref" in schema:
            return self.example(self._schemas[schema["$ref"].rpartition("/")[2]], name, depth)
        if "const" in schema:
            return schema["const"]
        if chosen := schema.get("examples") or schema.get("enum"):
            return next((value for value in chosen if value in _USUAL), chosen[0])
        if "anyOf" in schema:
            return self._any_of(schema["anyOf"], name, depth)
        kind = schema.get("type", "object")
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return [self.example(schema.get("items", {}), name, depth + 1)] if depth < _MAX_DEPTH else []
        if kind == "string":
            return _text(name)
        return _BY_NAME[name] if isinstance(_BY_NAME.get(name), int | float) else _BY_TYPE[kind]

    def _any_of(self, branches: list[dict[str, Any]], name: str, depth: int) -> Any:
        if name in _BY_NAME and _BY_NAME[name] is None:
            return None
        return self.example(next(branch for branch in branches if branch.get("type") != "null"), name, depth)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        values = schema.get("additionalProperties")
        if isinstance(values, dict) and depth < _MAX_DEPTH:
            return {"web": self.example(values, "", depth + 1)}
        return {name: self.example(entry, name, depth + 1) for name, entry in schema.get("properties", {}).items()}


def _text(name: str) -> str:
    if isinstance(_BY_NAME.get(name), str):
        return str(_BY_NAME[name])
    if name in ("at", "since", "until") or name.endswith(("_at", "_until", "_seen")):
        return _TIME
    return name.replace("_", " ") or "text"
