"""One logger and one metrics sink for every function.

The logger writes JSON with the request's ids; metrics are CloudWatch's embedded metric format, so they cost no call.
"""

import json
import logging
import time
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from slipway.settings import metrics_namespace, service_name

NAMESPACE = metrics_namespace()
_SERVICE = service_name()

logger = Logger(service="slipway", use_rfc3339=True)
# At INFO it logs each request's address, and RPC addresses often carry a key.
logging.getLogger("httpx").setLevel(logging.WARNING)


def record(name: str, value: float = 1, unit: MetricUnit = MetricUnit.Count, **dimensions: str) -> None:
    """Write one metric with dimensions of its own, in CloudWatch's embedded metric format."""
    with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE) as metric:
        for dimension, text in dimensions.items():
            metric.add_dimension(name=dimension, value=text)


def record_request(route: str, status: int, milliseconds: float) -> None:
    """Count a request by route and status, and record how long it took by route.

    One line with two metrics of different dimensions, which Powertools writes as two; on the path of heartbeats those
    cost more than all else that is ours, and each line is paid for.
    """
    line = {
        "_aws": {
            "Timestamp": time.time_ns() // 1_000_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["route", "service", "status"]],
                    "Metrics": [{"Name": "Requests", "Unit": "Count"}],
                },
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["route", "service"]],
                    "Metrics": [{"Name": "RequestDuration", "Unit": "Milliseconds"}],
                },
            ],
        },
        "route": route,
        "service": _SERVICE,
        "status": str(status),
        "Requests": 1,
        "RequestDuration": milliseconds,
    }
    print(json.dumps(line, separators=(",", ":")))  # noqa: T201 (where metrics are written to)


def use_request(request_id: str, correlation_id: str, **keys: Any) -> None:
    """Put the ids of the request at hand on every line that follows, and drop the last request's."""
    logger.clear_state()
    logger.append_keys(request_id=request_id, correlation_id=correlation_id, **keys)
