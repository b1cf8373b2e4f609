"""Shapes of the administrator's routes."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

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


class Step(StrEnum):
    """How long each point of a series is, in UTC."""

    HOUR = "hour"
    DAY = "day"

    @property
    def length(self) -> timedelta:
        """The length of a point."""
        return timedelta(hours=1) if self is Step.HOUR else timedelta(days=1)


class SeriesPoint(BaseModel):
    """What happened from ``at`` on, for the length of a step.

    Attributes:
        requests: To the API, over all services; null, like all of requests, while CloudWatch does not answer.
        server_errors: How many of them failed with 5xx.
        p50_milliseconds: How long requests took; null without any.
        p95_milliseconds: The same of the slowest twentieth's fastest.
        success_rate: Of jobs that ended; null when none did.
        gas_used: What jobs used that ended, in units of gas.
        total_cost: What that cost, in wei.
    """

    at: str
    requests: int | None
    server_errors: int | None
    p50_milliseconds: float | None
    p95_milliseconds: float | None
    completed: int
    failed: int
    success_rate: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    gas_used: str
    total_cost: str


class SeriesAnswer(BaseModel):
    """A service over time, oldest point first; ``truncated`` where it had more ends of jobs than are counted."""

    service: str
    since: str
    until: str
    step: Step
    currency: str | None
    chain_id: int | None
    points: list[SeriesPoint]
    truncated: bool


class GasCost(BaseModel):
    """What was spent on one chain: ``cost`` is a decimal string in wei of ``currency``, ``gas_used`` units of gas.

    ``currency`` is null for a chain that this installation has no more.
    """

    chain_id: int
    currency: str | None
    transactions: int
    gas_used: str
    cost: str


class WalletGas(BaseModel):
    """What the jobs of one wallet cost, by chain."""

    wallet: str
    costs: list[GasCost]


class DayGas(BaseModel):
    """What all of them cost in one day (UTC), by chain."""

    date: str
    costs: list[GasCost]


class GasTransaction(BaseModel):
    """One transaction. ``job_id`` is the launch, the workload or the build that it served.

    Attributes:
        purpose: What it did for the job; ``cancel`` if all it did was to use its nonce up.
        transaction_hash: Of the signature that was mined.
        explorer_url: Null where the chain has no explorer.
    """

    at: str
    wallet: str
    kind: Literal["token", "akash", "build"]
    job_id: str
    purpose: str
    chain_id: int
    currency: str | None
    gas_used: str
    cost: str
    transaction_hash: str
    explorer_url: str | None


class GasAnswer(BaseModel):
    """What users' jobs cost on chains, of transactions signed within a span.

    Attributes:
        wallets: Those with most transactions first.
        days: Each day of the span, the oldest first.
        transactions: The newest hundred.
        truncated: There were more transactions than are counted: figures are of the newest ones.
    """

    since: str
    until: str
    wallets: list[WalletGas]
    days: list[DayGas]
    transactions: list[GasTransaction]
    truncated: bool
