"""How a service and the API did over time: ends of jobs from the table, requests from API Gateway's own metrics."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions

from slipway.control.models import SeriesAnswer, SeriesPoint, Step
from slipway.control.rules import percentile, span
from slipway.control.service import currency_of, outcomes_of, service_named
from slipway.jobs.store import JobOutcome
from slipway.observability import logger
from slipway.request_budget import BudgetSpentError
from slipway.store import aws_client
from slipway.times import now, to_text

_SECONDS = 2.0


def series(name: str, since: datetime | None, until: datetime | None, step: Step, api_id: str) -> SeriesAnswer:
    """Return how a service did, by default in the last day, and all requests of the API.

    Raises:
        NotFoundError: There is no such service.
        ValidationFailedError: The span makes no sense.
    """
    service = service_named(name)
    until = until or now()
    since, until = span(since or until - timedelta(days=1), until)
    first = _begin(since, step)
    ended: dict[datetime, list[JobOutcome]] = defaultdict(list)
    outcomes, truncated = outcomes_of(service, since, until)
    for outcome in outcomes:
        ended[_begin(datetime.fromisoformat(outcome.created_at), step)].append(outcome)
    requests = _requests(api_id, first, until, step)
    count = -(-(until - first) // step.length)
    currency, chain_id = currency_of(service)
    return SeriesAnswer(
        service=service,
        since=to_text(since),
        until=to_text(until),
        step=step,
        currency=currency,
        chain_id=chain_id,
        points=[_point(at, ended[at], requests) for at in (first + place * step.length for place in range(count))],
        truncated=truncated,
    )


def _begin(moment: datetime, step: Step) -> datetime:
    day = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return day if step is Step.HOUR else day.replace(hour=0)


def _point(
    at: datetime, ended: list[JobOutcome], requests: Mapping[str, Mapping[datetime, float]] | None
) -> SeriesPoint:
    completed = [outcome for outcome in ended if outcome.outcome == "completed"]
    seconds = [float(outcome.seconds) for outcome in completed]
    asked = {metric: values.get(at) for metric, values in requests.items()} if requests else {}
    return SeriesPoint(
        at=to_text(at),
        requests=int(asked["count"] or 0) if requests else None,
        server_errors=int(asked["errors"] or 0) if requests else None,
        p50_milliseconds=asked.get("p50"),
        p95_milliseconds=asked.get("p95"),
        completed=len(completed),
        failed=len(ended) - len(completed),
        success_rate=len(completed) / len(ended) if ended else None,
        p50_seconds=percentile(seconds, 50),
        p95_seconds=percentile(seconds, 95),
        gas_used=str(sum(int(outcome.gas) for outcome in ended)),
        total_cost=str(sum(int(outcome.cost) for outcome in ended)),
    )


# By the id of its query: what API Gateway counts of each HTTP API.
_METRICS = {"count": ("Count", "Sum"), "errors": ("5xx", "Sum"), "p50": ("Latency", "p50"), "p95": ("Latency", "p95")}


def _requests(
    api_id: str, since: datetime, until: datetime, step: Step
) -> Mapping[str, Mapping[datetime, float]] | None:
    """Return the API's requests by metric and moment; None when CloudWatch does not answer."""
    dimensions = [{"Name": "ApiId", "Value": api_id}]
    queries = [
        {
            "Id": query,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/ApiGateway", "MetricName": metric, "Dimensions": dimensions},
                "Period": int(step.length.total_seconds()),
                "Stat": statistic,
            },
        }
        for query, (metric, statistic) in _METRICS.items()
    ]
    try:
        answer: dict[str, Any] = aws_client("cloudwatch", _SECONDS).get_metric_data(
            MetricDataQueries=queries, StartTime=since, EndTime=until
        )
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, BudgetSpentError) as error:
        logger.warning("metrics not read", reason=str(error))
        return None
    found: dict[str, dict[datetime, float]] = {query: {} for query in _METRICS}
    for result in answer["MetricDataResults"]:
        moments = (_begin(moment, step) for moment in result["Timestamps"])
        found[result["Id"]] = dict(zip(moments, result["Values"], strict=True))
    return found
