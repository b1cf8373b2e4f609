"""Refreshes in the background, asked for by whoever found a copy too old (``slipway.akash.refresh_requests``)."""

from typing import Any

from slipway.akash.providers.service import provider_catalogue
from slipway.akash.status.service import live_workloads
from slipway.errors import SlipwayError
from slipway.observability import logger, record


def handler(event: dict[str, Any], context: Any) -> None:
    """Refresh what the event names: ``{"providers": true}``, or ``{"deployment_id", "dseq"}`` for a workload.

    Upstream's failures are told to the log and the metrics, not to Lambda: the copy stays, with its age, and whoever
    reads it next asks again.
    """
    try:
        if event.get("providers"):
            provider_catalogue().refresh()
        else:
            live_workloads().refresh(event["deployment_id"], event["dseq"])
    except SlipwayError as error:
        logger.warning("not refreshed", code=error.code, reason=error.message)
        record("RefreshFailed", code=error.code)
