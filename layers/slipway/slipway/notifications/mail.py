"""Notifications by e-mail, through Amazon SES, to addresses whose reader confirmed them (double opt-in)."""

import json
import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from slipway.errors import UpstreamUnavailableError, ValidationFailedError
from slipway.notifications.rules import subject_line
from slipway.settings import notification_sender
from slipway.store import aws_client

SCHEME = "mailto:"
CONFIRM_SECONDS = 86_400
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_SECONDS = 3.0


def checked_address(url: str) -> str:
    """Return the address of a ``mailto:`` URL.

    Raises:
        ValidationFailedError: It is none, or this installation sends no e-mail.
    """
    address = url.removeprefix(SCHEME)
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise ValidationFailedError.of_field("url", "must be mailto: and one e-mail address, without anything else")
    if not notification_sender():
        raise ValidationFailedError.of_field("url", "this installation sends no e-mail")
    return address


def send_code(url: str, webhook_id: str, code: str) -> None:
    """Ask the reader of an address to confirm it; raises UpstreamUnavailableError when SES does not take the mail."""
    text = (
        "Somebody wants Slipway's notifications to come to this address. If it was you, confirm it:\n\n"
        f'    POST /api/webhooks/{webhook_id}/confirm {{"code": "{code}"}}\n\n'
        "The code is good for 24 hours. If it was not you, do nothing: no more mail will come.\n"
    )
    try:
        _send(url, "Confirm this address for Slipway", text)
    except (ClientError, BotoCoreError) as error:
        raise UpstreamUnavailableError("The mail with the code was not taken; try again", retry_after=10) from error


def send_message(url: str, webhook_id: str, message: dict[str, Any]) -> tuple[int | None, str]:
    """Send a message; returns the status and text that SES answered, the status None without an answer."""
    data = json.dumps(message["data"], indent=1, ensure_ascii=False)
    text = (
        f"{message['type']} at {message['timestamp']}\n\n{data}\n\n"
        f"You confirmed this address for notification {webhook_id}. To stop: DELETE /api/webhooks/{webhook_id}\n"
    )
    try:
        answer = _send(url, f"Slipway: {subject_line(message['type'], message['data'])}", text)
    except ClientError as error:
        return error.response["ResponseMetadata"].get("HTTPStatusCode", 500), error.response["Error"]["Code"]
    except BotoCoreError as error:
        return None, type(error).__name__
    return 200, answer


def _send(url: str, subject: str, text: str) -> str:
    sent = aws_client("sesv2", _SECONDS, 1).send_email(
        FromEmailAddress=notification_sender(),
        Destination={"ToAddresses": [url.removeprefix(SCHEME)]},
        Content={"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": text}}}},
    )
    return str(sent["MessageId"])
