"""Secrets Manager: what the file's [secrets], chains and wallets become there."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


def put_secret(client: Any, name: str, value: str, tags: dict[str, str]) -> str:
    """Make a secret have a value, with a new version only if it has another one now.

    Returns:
        The secret's ARN.
    """
    try:
        found = client.get_secret_value(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        pairs = [{"Key": key, "Value": text} for key, text in tags.items()]
        created = client.create_secret(Name=name, SecretString=value, Tags=pairs)
        return str(created["ARN"])
    if found.get("SecretString") != value:
        client.put_secret_value(SecretId=name, SecretString=value)
    return str(found["ARN"])


def find_secret(client: Any, name: str) -> str | None:
    """Return a secret's ARN, or None for one that is not there."""
    try:
        return str(client.describe_secret(SecretId=name)["ARN"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
