"""Requests for a revalidation in the background, which no caller waits for."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from slipway.observability import logger
from slipway.settings import akash_refresh_function
from slipway.store import aws_client


def request_revalidation(entry: dict[str, Any]) -> None:
    """Invoke the function AKASH_REFRESH_FUNCTION asynchronously; returns at once.

    A request that fails is logged and forgotten: its claim ends, and the next reader requests again.

    Args:
        entry: The function's event: ``{"providers": true}``, or ``{"deployment_id", "dseq"}``.
    """
    name = akash_refresh_function()
    try:
        aws_client("lambda", 1.0).invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(entry))
    except (ClientError, BotoCoreError):
        logger.exception("revalidation not requested")
