"""Asking for a refresh that no request waits for."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from slipway.observability import logger
from slipway.settings import akash_refresh_function
from slipway.store import aws_client


def ask_for_refresh(wanted: dict[str, Any]) -> None:
    """Invoke the function AKASH_REFRESH_FUNCTION asynchronously; returns at once.

    A refresh that could not be asked for is logged and forgotten: its claim ends, and the next reader asks again.

    Args:
        wanted: The function's event: ``{"providers": true}``, or ``{"deployment_id", "dseq"}``.
    """
    name = akash_refresh_function()
    try:
        aws_client("lambda", 1.0).invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(wanted))
    except (ClientError, BotoCoreError):
        logger.exception("refresh not asked for")
