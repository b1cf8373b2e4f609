"""The shapes that Sourcify's API version 2 publishes for what Slipway calls, as JSON schemas.

Facts of its OpenAPI document, ``services/server/src/apiv2.yaml`` of argotorg/sourcify at commit 09489d9a: names, types,
patterns and what is required. Nullable enumerations there are of type string; here null is a type of its own.
"""

from __future__ import annotations

from typing import Any

import jsonschema

_UUID = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}
_MATCH = {"enum": ["match", "exact_match", None]}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
CONTRACT: dict[str, Any] = {
    "type": "object",
    "required": ["match", "creationMatch", "runtimeMatch", "chainId", "address"],
    "properties": {
        "match": _MATCH,
        "creationMatch": _MATCH,
        "runtimeMatch": _MATCH,
        "chainId": {"type": "string", "pattern": r"^\d+$", "minLength": 1, "maxLength": 20},
        "address": {"type": "string", "pattern": r"(\b0x[a-fA-F0-9]{40}\b)"},
        "verifiedAt": _TIME,
        "matchId": {"type": "string"},
    },
}
ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["customCode", "message", "errorId"],
    "properties": {"customCode": {"type": "string"}, "message": {"type": "string"}, "errorId": _UUID},
}
ACCEPTED: dict[str, Any] = {
    "type": "object",
    "required": ["verificationId"],
    "properties": {"verificationId": _UUID},
}
JOB: dict[str, Any] = {
    "type": "object",
    "required": ["isJobCompleted", "verificationId"],
    "properties": {
        "isJobCompleted": {"type": "boolean"},
        "verificationId": _UUID,
        "error": ERROR,
        "jobStartTime": _TIME,
        "jobFinishTime": {"type": "string"},
        "compilationTime": {"type": "string"},
        "contract": CONTRACT,
    },
}
REQUEST: dict[str, Any] = {
    "type": "object",
    "required": ["stdJsonInput", "compilerVersion", "contractIdentifier"],
    "additionalProperties": False,
    "properties": {
        "stdJsonInput": {
            "type": "object",
            "required": ["language"],
            "properties": {
                "language": {"enum": ["Solidity", "Vyper", "Fe", "Yul"]},
                "sources": {"type": "object"},
                "settings": {"type": "object"},
            },
            # Other fields of the compiler's input are refused.
            "additionalProperties": False,
        },
        "compilerVersion": {"type": "string", "pattern": r"^v?\d+\.\d+\.\d+\S*$"},
        "contractIdentifier": {"type": "string", "pattern": r"^[^:]+:[^:]+$"},
        "creationTransactionHash": {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"},
    },
}
# What each call may be answered, by status.
_ANSWERS = {
    "submit": {202: ACCEPTED, 400: ERROR, 409: ERROR, 429: ERROR, 500: ERROR},
    "job": {200: JOB, 404: ERROR},
    "contract": {200: CONTRACT, 400: ERROR, 404: CONTRACT, 429: ERROR, 500: ERROR},
}


def check_answer(call: str, status: int, body: Any) -> None:
    """Hold an answer to the schema; raises ``KeyError`` for a status that the call does not have."""
    jsonschema.validate(body, _ANSWERS[call][status])


def check_request(body: Any) -> None:
    """Hold a submission to the schema."""
    jsonschema.validate(body, REQUEST)
