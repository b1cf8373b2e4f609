"""Scopes of API keys: which area of the API a key may read or change. Pure."""

from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

# Methods that change nothing.
READS = frozenset({"GET", "HEAD"})
# POST routes that change nothing.
_READING_ENDS = ("/estimate", "/preview")
# Areas by the start of their paths. A path that begins with none of these takes no API key at all, so a key makes no
# keys and no sessions.
_AREAS = {
    "/api/deployments": "deployments",
    "/api/escrow": "escrow",
    "/api/models": "models",
    "/api/tokens": "tokens",
    "/api/providers": "deployments",
    "/api/v1/builds": "builds",
    "/api/stacks": "stacks",
    "/api/webhooks": "webhooks",
    "/api/admin": "admin",
    "/workers": "workers",
    "/deployments": "projects",
    "/payments": "payments",
}
SCOPES = tuple(f"{area}:{kind}" for area in sorted(set(_AREAS.values())) for kind in ("read", "write", "*"))


def _known(scope: str) -> str:
    if scope not in SCOPES:
        raise ValueError(f"must be one of {', '.join(SCOPES)}")
    return scope


# What an API key may do: read or change one area of the API, or both (``*``).
Scope = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(SCOPES)})]


def scope_needed(method: str, path: str) -> str | None:
    """Return the scope that a request needs; None where no API key will do."""
    area = next((area for start, area in _AREAS.items() if path == start or path.startswith(start + "/")), None)
    if area is None:
        return None
    reads = method in READS or path.rstrip("/").endswith(_READING_ENDS)
    return f"{area}:{'read' if reads else 'write'}"


def allows(scopes: Collection[str], needed: str | None) -> bool:
    """Return whether scopes cover the one that is needed."""
    return needed is not None and (needed in scopes or f"{needed.partition(':')[0]}:*" in scopes)
