"""Ids of jobs and records: random UUIDs in their canonical spelling."""

import uuid


def new_id() -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Return whether a text is a UUID as ``new_id`` spells it: lower case, with hyphens."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
