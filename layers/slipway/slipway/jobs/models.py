"""Shapes that the answers of every kind of job share."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
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
    def of(cls, event: "JobEvent") -> "EventDetail":
        """Return an event as the API shows it."""
        return cls(event=event.event, message=event.message, data=event.data, created_at=event.created_at)
