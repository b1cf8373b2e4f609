"""Revalidates cached answers of upstream in the background, for a reader that found one stale."""

from typing import Any

from slipway.akash.providers.service import provider_catalogue
from slipway.akash.status.service import live_workloads
from slipway.errors import SlipwayError
from slipway.observability import logger, record


def handler(event: dict[str, Any], context: Any) -> None:
    """Revalidate what the event names: ``{"providers": true}``, or ``{"deployment_id", "dseq"}`` for a workload.

    Upstream's failures go to the log and the metrics, not to Lambda: the stale answer stays, with its age, and its next
    reader requests another revalidation.
    """
    try:
        if event.get("providers"):
            provider_catalogue().revalidate()
        else:
            live_workloads().revalidate(event["deployment_id"], event["dseq"])
    except SlipwayError as error:
        logger.warning("not revalidated", code=error.code, reason=error.message)
        record("RefreshFailed", code=error.code)
