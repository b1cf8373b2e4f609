"""Routes of functions that do without a framework, described as FastAPI would; nothing of this runs in a function."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Path, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from slipway.errors import NotFoundError
from slipway.fields import Address
from slipway.http import BodyReader, refusals
from slipway.workers import heartbeat_request as beats


class Healthy(BaseModel):
    """The API answers."""

    status: Literal["ok"]


class Container(BaseModel):
    """A container that a worker runs, and all ports that it publishes, as Docker writes them."""

    model_config = ConfigDict(extra="forbid")

    containerName: Annotated[str, Field(min_length=1, max_length=beats.MAX_NAME_CHARACTERS)]  # noqa: N815
    port: Annotated[str, Field(max_length=beats.MAX_PORT_CHARACTERS)]


class Figures(BaseModel):
    """How busy the machine is, in whole percent."""

    model_config = ConfigDict(extra="forbid")

    cpu_percent: Annotated[int, Field(ge=0, le=100)]
    memory_percent: Annotated[int, Field(ge=0, le=100)]
    disk_percent: Annotated[int, Field(ge=0, le=100)]


class Heartbeat(BaseModel):
    """What a worker says: its wallet, the time (ISO 8601, at most 5 minutes ahead and 24 hours old), what it runs.

    ``boot_id`` names the running system that sends it, by which a cloned machine is noticed.
    """

    model_config = ConfigDict(extra="forbid")

    walletAddress: Address  # noqa: N815
    timestamp: Annotated[str, Field(min_length=1, max_length=64)]
    containers: Annotated[list[Container], Field(max_length=beats.MAX_CONTAINERS)]
    boot_id: Annotated[str | None, Field(min_length=1, max_length=beats.MAX_BOOT_ID_CHARACTERS)] = None
    figures: Figures | None = None


class HeartbeatAnswer(BaseModel):
    """The heartbeat counts.

    ``clock_offset_seconds`` is how far the worker's clock is ahead, and null for a heartbeat over ten minutes old.
    """

    success: Literal[True]
    clock_offset_seconds: int | None


async def worker() -> None:
    """Stand for a worker's token."""


class _AnyFile(Response):
    media_type = "*/*"


health = FastAPI()


@health.get("/health")
def check() -> Healthy:
    """Check whether the API answers."""
    raise NotImplementedError


heartbeat = FastAPI()


@heartbeat.post("/heartbeat")
def beat(
    body: Annotated[Heartbeat, Depends(BodyReader(Heartbeat, worker, (), may_be_empty=False, long_text=None))],
) -> HeartbeatAnswer:
    """Say that a worker is alive."""
    raise NotImplementedError


documents = FastAPI()


@documents.get("/openapi.json")
def openapi() -> dict[str, object]:
    """Return this document."""
    raise NotImplementedError


@documents.get("/docs", response_class=HTMLResponse)
def page() -> Response:
    """Return this document as a page to read and to try."""
    raise NotImplementedError


@documents.get("/docs/{file}", response_class=_AnyFile, responses=refusals(NotFoundError))
def file(file: Annotated[str, Path()]) -> Response:
    """Return a part of that page."""
    raise NotImplementedError


# By the folder of the function.
APPLICATIONS = {
    "functions/api/documents": documents,
    "functions/api/health": health,
    "functions/heartbeat": heartbeat,
}
