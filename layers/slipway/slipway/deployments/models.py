"""Shapes of deployments over their kinds."""

from typing import Literal

from pydantic import BaseModel

from slipway.akash import models as akash
from slipway.tokens import models as tokens

Kind = Literal["token", "akash"]
AnyStatus = Literal["pending", "deploying", "registering", "completed", "failed", "active", "closed", "error"]


class Page(BaseModel):
    """A page of deployments, newest first; ``next_cursor`` is None on the last one."""

    deployments: list[tokens.DeploymentSummary | akash.WorkloadSummary]
    next_cursor: str | None = None


class DeploymentEntry(BaseModel):
    """A deployment as administrators see it in a list; ``model_id`` and ``token_address`` are a token's."""

    kind: Literal["token", "akash"]
    deployment_id: str
    user_address: str
    status: str
    model_id: str | None
    token_address: str | None
    error_code: str | None
    created_at: str
    updated_at: str


class DeploymentEntries(BaseModel):
    """A page of deployments, newest first; a page may be short, and still have a next one."""

    deployments: list[DeploymentEntry]
    next_cursor: str | None = None
