"""Shapes of the webhooks' routes. Times are ISO 8601 in UTC."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from slipway.notifications.rules import NAMES, TYPES

_CHOICES = frozenset((*TYPES, *(f"{kind}.*" for kind in NAMES)))


def _known(event: str) -> str:
    if event not in _CHOICES:
        raise ValueError(f"must be one of {', '.join(sorted(_CHOICES))}")
    return event


EventChoice = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": sorted(_CHOICES)})]


class Format(StrEnum):
    """What a message is: Standard Webhooks, what Slack's or Discord's incoming webhooks take, or a mail."""

    STANDARD = "standard"
    SLACK = "slack"
    DISCORD = "discord"
    EMAIL = "email"


class WebhookRequest(BaseModel):
    """Where to send which events.

    Attributes:
        url: A public https address without credentials and fragment, or ``mailto:`` and an e-mail address.
        events: Types, such as ``worker.down``, or all of a kind, such as ``stack.*``.
        format: How messages look; ``mailto:`` makes it ``email``.
        all: Events of everybody's things; for operators.
    """

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    events: Annotated[list[EventChoice], Field(min_length=1, max_length=50)]
    format: Format = Format.STANDARD
    all: bool = False


class WebhookView(BaseModel):
    """A webhook; ``disabled_reason`` says why it was switched off. Only an e-mail address has to be confirmed."""

    id: str
    url: str
    events: list[str]
    format: Format
    all: bool
    confirmed: bool
    created_at: str
    disabled_at: str | None = None
    disabled_reason: str | None = None


class WebhookCreated(WebhookView):
    """A new webhook with its secret, which appears only here; an e-mail address has none."""

    secret: str | None


class Confirmation(BaseModel):
    """The code that came by e-mail."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=64)]


class SecretAnswer(BaseModel):
    """A new secret; the one before signs as well for 24 hours."""

    secret: str


class WebhookList(BaseModel):
    """A caller's webhooks, at most twenty."""

    webhooks: list[WebhookView]


class TestAnswer(BaseModel):
    """The id of the test message that is on its way."""

    id: str


class AttemptView(BaseModel):
    """One try to deliver; ``response`` is the answer's first 500 bytes, or why there was none."""

    at: str
    response_status: int | None
    duration_ms: int
    response: str


class DeliveryView(BaseModel):
    """A message of the last seven days and the tries to deliver it."""

    id: str
    type: str
    attempts: list[AttemptView]


class DeliveryList(BaseModel):
    """The latest deliveries, newest first."""

    deliveries: list[DeliveryView]
