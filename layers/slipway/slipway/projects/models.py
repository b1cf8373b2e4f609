"""Shapes of projects and payments, as specification 001 gives them; its fields are in camel case.

Times are ISO 8601 in UTC. A payment's amount is a whole number of base units in decimal.
"""

import re
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from slipway.fields import Address, printable

MAX_REPLICAS = 100
MAX_UINT256 = 2**256 - 1

_NAME = re.compile(r"[A-Za-z0-9._-]{1,20}")
# GitHub's own limits: 39 characters for an owner, 100 for a repository.
_REPOSITORY = re.compile(
    r"(?:https://github\.com/)?(?P<owner>[A-Za-z0-9][A-Za-z0-9_-]{0,38})/(?P<name>[A-Za-z0-9._-]{1,100})/?"
)
# The characters of RFC 3986, so that an address can stand in a page or a log line as it is.
_WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.IGNORECASE)
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}")


def _name(text: str) -> str:
    # Clients would take a path that ends in a dot segment for its parent.
    if not _NAME.fullmatch(text) or text in {".", ".."}:
        raise ValueError("must be 1 to 20 letters, digits, hyphens, underscores and dots, and not only one or two dots")
    return text


def _repository(text: str) -> str:
    found = _REPOSITORY.fullmatch(text)
    if not found or found["name"].removesuffix(".git") in {"", ".", ".."}:
        raise ValueError("must be owner/repository, or https://github.com/owner/repository")
    return text


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        # Reading the port judges it.
        whole = bool(_WEB_ADDRESS.fullmatch(text) and parts.hostname and parts.port != 0)
    except ValueError:
        whole = False
    if not whole:
        raise ValueError("must be an http or https URL")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or a password")
    return text


def _uint256(text: str) -> str:
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_UINT256:
        raise ValueError("must be a whole number from 0 to 2^256 - 1 in decimal digits, without sign or leading zeros")
    return text


class ProjectStatus(StrEnum):
    """Where a project stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"


def is_name(text: str) -> bool:
    """Return whether a project can have this name."""
    return bool(_NAME.fullmatch(text))


WebAddress = Annotated[
    str,
    Field(min_length=1, max_length=2048, examples=["https://shop.example.com"]),
    AfterValidator(_web_address),
]


class NewProject(BaseModel):
    """A project to record. Specification 001 also calls ``name`` app_name and ``github`` github_repo; either is taken.

    ``creator`` is the caller's wallet, whether it is given or not.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[
        str, Field(validation_alias=AliasChoices("name", "app_name"), examples=["shop"]), AfterValidator(_name)
    ]
    github: Annotated[
        str,
        Field(
            max_length=200, validation_alias=AliasChoices("github", "github_repo"), examples=["https://github.com/o/r"]
        ),
        AfterValidator(_repository),
    ]
    port: Annotated[int, Field(ge=1, le=65535)] = 3000
    replicas: Annotated[int, Field(ge=1, le=MAX_REPLICAS)] = 1
    url: WebAddress | None = None
    creator: Address | None = None


class StatusChange(BaseModel):
    """Where a project has got to, and where it can be reached if that is known now."""

    model_config = ConfigDict(extra="forbid")

    status: ProjectStatus
    url: WebAddress | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)


class Project(_Answer):
    """A project. ``url`` is None until a request sets it."""

    id: str
    name: str
    url: str | None
    port: int
    status: ProjectStatus
    github: str
    replicas: int
    creator: str
    created_at: str


class ProjectPage(BaseModel):
    """Projects, newest first; with a filter a page may be short, or empty, and still have a ``next_cursor``."""

    deployments: list[Project]
    next_cursor: str | None = None


class NewPayment(BaseModel):
    """A payment to record. ``creator`` is the caller's wallet, whether it is given or not."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=255, examples=["Hosting, March"]), AfterValidator(printable)]
    amount: Annotated[str, Field(max_length=78, examples=["2500000"]), AfterValidator(_uint256)]
    creator: Address | None = None


class Payment(_Answer):
    """A payment. ``amount`` is exactly what was given."""

    id: str
    name: str
    amount: str
    creator: str
    created_at: str


class PaymentPage(BaseModel):
    """Payments, newest first."""

    payments: list[Payment]
    next_cursor: str | None = None
