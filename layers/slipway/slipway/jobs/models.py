"""Shapes that the answers of every kind of job share."""

from typing import Any

from pydantic import BaseModel

from slipway.jobs.store import JobEvent


class Refusal(BaseModel):
    """Why a request would be refused now."""

    code: str
    message: str


class EventDetail(BaseModel):
    """One thing that happened to a job."""

    event: str
    message: str
    data: dict[str, Any] | None = None
    created_at: str

    @classmethod
    def of(cls, event: JobEvent) -> "EventDetail":
        """An event as the API shows it."""
        return cls(event=event.event, message=event.message, data=event.data, created_at=event.created_at)
