"""AWS's own DynamoDB, as it is for developers: under the functional tests instead of moto where SLIPWAY_DYNAMODB is its
address, which `make contract` sees to.

moto is more forgiving: it knows no reserved words, no limits of expressions, and other names of errors.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import boto3

VARIABLE = "SLIPWAY_DYNAMODB"


@dataclass(frozen=True)
class DynamoDbLocal:
    """A running one."""

    endpoint: str

    def stand_in(self) -> None:
        """Let calls of DynamoDB pass moto and go there; before the library is imported."""
        from moto.core.config import default_user_config

        config: Any = default_user_config
        config["core"]["passthrough"] = {"services": ["dynamodb"], "urls": []}

    def empty(self) -> None:
        """Delete every table."""
        client = boto3.client("dynamodb", endpoint_url=self.endpoint)
        for name in client.list_tables()["TableNames"]:
            client.delete_table(TableName=name)


def given() -> DynamoDbLocal | None:
    """Return the one that the environment names, if it does."""
    endpoint = os.environ.get(VARIABLE)
    return DynamoDbLocal(endpoint) if endpoint else None
