"""Shapes of the workers' routes. Times are ISO 8601 in UTC; names in camel case are those of specification 001."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from slipway.fields import Address
from slipway.workers.rules import Liveness


class EnrolRequest(BaseModel):
    """Nothing: a worker is enrolled for the wallet that signed in."""

    model_config = ConfigDict(extra="forbid")


class EnrolmentAnswer(BaseModel):
    """A code that is exchanged for the worker's token, once and until ``expires_at``, and a command that does so."""

    wallet: Address
    enrolment_code: str
    expires_at: str
    setup_command: str


class ExchangeRequest(BaseModel):
    """The enrolment code."""

    model_config = ConfigDict(extra="forbid")

    enrolment_code: Annotated[str, Field(min_length=1, max_length=256)]


class WorkerTokenAnswer(BaseModel):
    """The worker's token; it appears only here."""

    token: str


class ContainerView(BaseModel):
    """A container that a worker runs, and its ports as Docker writes them."""

    containerName: str  # noqa: N815
    port: str


class SessionView(BaseModel):
    """The first and the last beat of a session."""

    timeFrom: str  # noqa: N815
    timeTo: str  # noqa: N815


class FiguresView(BaseModel):
    """How busy a worker's machine was at its last beat, in whole percent."""

    cpu_percent: int
    memory_percent: int
    disk_percent: int


class WorkerView(BaseModel):
    """A worker. ``session`` is None when none is open, ``containers`` and ``figures`` for callers who may not see them.

    ``figures`` is None, too, for a worker that does not send them.

    ``last_seen`` is when its last beat arrived. ``clock_offset_seconds`` is how far its clock was ahead then.
    ``clone_noticed_at`` is when two machines were last seen to use its token. ``public`` is whether it has a badge.
    """

    wallet: Address
    status: Liveness
    last_seen: str | None
    clock_offset_seconds: int | None
    clone_noticed_at: str | None
    retired_at: str | None
    public: bool
    enrolled_at: str
    session: SessionView | None
    containers: list[ContainerView] | None
    figures: FiguresView | None


class UptimeRecordView(SessionView):
    """A session; ``open`` is there, and true, while further beats may lengthen it.

    ``reported`` is true when Slipway did not see more than ten minutes of it as they passed, or nothing of it.
    """

    reported: bool
    open: Literal[True] | None = None


class DayView(BaseModel):
    """How much of a UTC day, so far as it lies in the window and has passed since the enrolment, the worker was up.

    ``percent`` is None for a day before the enrolment.
    """

    date: str
    percent: float | None


class FleetUptime(BaseModel):
    """A worker's days of a list, and the share of all of them that was observed; None when nothing of it counts."""

    days: list[DayView]
    percent: float | None


class WorkerPage(BaseModel):
    """A page of the fleet, newest enrolment first. It may be short, or empty, and still have a ``next_cursor``.

    ``uptime`` has each worker's days by its wallet when ``days`` are asked for.
    """

    workers: list[WorkerView]
    next_cursor: str | None = None
    uptime: dict[str, FleetUptime] | None = None


class UptimeAnswer(BaseModel):
    """Sessions that reach into the window, whole, oldest first, and percentages of its time since the enrolment.

    ``percent`` and ``days`` count what Slipway observed; ``reported_percent`` adds what was reported later. They are
    None when nothing of the window counts.
    """

    records: list[UptimeRecordView]
    days: list[DayView]
    percent: float | None
    reported_percent: float | None


class WorkerChange(BaseModel):
    """Whether anyone may see the worker's badge and status page."""

    model_config = ConfigDict(extra="forbid")

    public: Annotated[bool, Field(strict=True)]
