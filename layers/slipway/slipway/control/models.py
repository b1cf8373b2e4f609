"""Shapes of the administrator's routes."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class PauseRequest(BaseModel):
    """Why a service is paused or resumed; refused callers read it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=200, examples=["Moving to another RPC provider"])]


class SwitchAnswer(BaseModel):
    """A service's switch as it is now."""

    service: str
    paused: bool
    reason: str | None
    changed_by: str
    changed_at: str


class AuditEntry(BaseModel):
    """One attempt: who, from where, what, on what, and how it ended (``accepted``, ``completed`` or an error code)."""

    at: str
    user: str | None
    source_ip: str | None
    action: str
    subject: str | None
    outcome: str
    message: str | None
    request_id: str | None


class AuditPage(BaseModel):
    """A page of the audit trail, newest first. A page may be short, or empty, and still have a ``next_cursor``."""

    events: list[AuditEntry]
    next_cursor: str | None = None


class MetricsAnswer(BaseModel):
    """How a service did between two moments. Durations in seconds, cost a decimal string in wei of ``currency``.

    ``success_rate`` is None when nothing ended. Launches that were refused at the request are in the audit trail only.
    """

    service: str
    since: str
    until: str
    completed: int
    failed: int
    success_rate: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    gas_used: str
    total_cost: str
    currency: str | None
    chain_id: int | None
    errors: dict[str, int]
    in_flight: int
    paused: bool
    breaker: dict[str, Any]
    truncated: bool
