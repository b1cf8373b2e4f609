"""What loads ask of an account's quotas, from the counts that the cost model keeps.

``python -m bench.load [--write]`` prints the table of docs/scaling.md, or writes it there. Each row is a quota with its
default of a full account in us-east-1 (Service Quotas, 2026-11), what each load needs of it, and the smallest increase
that fits. New accounts begin with ten concurrent executions of Lambda.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.cost_model import DOCUMENT, Row, between, declared
from tests.support.template import functions, resources

SCALING = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
BEGIN, END = "<!-- load -->", "<!-- end of load -->"
BEAT_SECONDS = 300
"""As the daemon beats."""
POLL_SECONDS = 20.0
"""As a long poll for logs waits; see ``slipway.akash.logs.stream``."""
LOOKS = 10
"""How often somebody looks at a launch."""
ABROAD = 4.0
"""How often a Lambda function's processor takes the time that the counts' machine took, and a cold start besides."""


@dataclass(frozen=True)
class Flow:
    """So many of an operation in a second."""

    operation: str
    function: str
    rate: float
    held_seconds: float = 0.0
    """How long each waits besides its work."""


@dataclass(frozen=True)
class Need:
    """What one quota is asked for."""

    requests: float = 0.0
    concurrency: float = 0.0
    write_units: float = 0.0
    read_units: float = 0.0
    signatures: float = 0.0
    starts: float = 0.0
    transitions: float = 0.0


def loads() -> dict[str, list[Flow]]:
    """Return the loads by name."""
    launches = 1000 / 3600
    return {
        "10,000 workers": [Flow("POST /heartbeat", "HeartbeatFunction", 10_000 / BEAT_SECONDS)],
        "1,000 launches an hour": [
            Flow("POST /api/deployments (token)", "DeploymentsFunction", launches),
            Flow("token_launch", "TokenDeployTasks", launches),
            Flow("GET /api/deployments/{id}/status", "DeploymentsFunction", LOOKS * launches),
        ],
        "100,000 log readers": [
            Flow("GET /api/deployments/{id}/status", "LogsFunction", 100_000 / POLL_SECONDS, POLL_SECONDS),
        ],
    }


def needed(flows: list[Flow], rows: Mapping[str, Row]) -> Need:
    """Add up what a load needs each second; of concurrency, at the same time."""
    used = [(flow, rows[flow.operation]) for flow in flows]
    # What a job does besides, the request for it is counted with.
    asked = [(flow, row) for flow, row in used if not row.transitions]
    return Need(
        requests=sum(flow.rate for flow, _ in asked),
        concurrency=sum(flow.rate * _seconds(flow, row) for flow, row in used),
        write_units=sum(flow.rate * row.write_units for flow, row in used),
        read_units=sum(flow.rate * row.read_units for flow, row in used),
        # Each launch signs two transactions in one go.
        signatures=sum(
            flow.rate * (2 if flow.operation == "token_launch" else row.called("kms:Sign")) for flow, row in used
        ),
        starts=sum(flow.rate * row.called("stepfunctions:StartExecution") for flow, row in asked),
        transitions=sum(flow.rate * row.transitions for flow, row in used),
    )


def _seconds(flow: Flow, row: Row) -> float:
    """Return how long each of a flow keeps an execution environment."""
    memory = float(functions()[flow.function].get("MemorySize", 1024)) / 1024
    return ABROAD * row.gigabyte_seconds / memory + flow.held_seconds


def throttle() -> float:
    """Return requests a second that the template lets through."""
    (api,) = resources("AWS::Serverless::HttpApi").values()
    return float(api["DefaultRouteSettings"]["ThrottlingRateLimit"])


# A quota's name, its default, and what a load needs of it.
QUOTAS: list[tuple[str, float, Callable[[Need], float]]] = [
    ("Lambda: concurrent executions", 1000, lambda need: need.concurrency),
    ("API Gateway: requests a second", 10_000, lambda need: need.requests),
    ("DynamoDB: write units a second of a table", 40_000, lambda need: need.write_units),
    ("DynamoDB: read units a second of a table", 40_000, lambda need: need.read_units),
    ("KMS: signatures a second with elliptic curves", 300, lambda need: need.signatures),
    ("Step Functions: starts a second", 300, lambda need: need.starts),
    ("Step Functions: transitions a second", 5000, lambda need: need.transitions),
]


def _text(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 or number == 0 else f"{number:.2g}"


def table() -> str:
    """Return the table of docs/scaling.md."""
    rows = declared(DOCUMENT.read_text(encoding="utf-8"))
    needs = {name: needed(flows, rows) for name, flows in loads().items()}
    lines = [f"| quota | default | {' | '.join(needs)} | smallest increase |", "|---|---|" + "---|" * (len(needs) + 1)]
    own: list[tuple[str, float, Callable[[Need], float]]] = [
        ("the template's throttle: requests a second", throttle(), lambda need: need.requests)
    ]
    for name, default, of in [*own, *QUOTAS]:
        found = {load: of(need) for load, need in needs.items()}
        over = [f"{_text(value)} for {load}" for load, value in found.items() if value > default]
        cells = " | ".join(_text(value) for value in found.values())
        lines.append(f"| {name} | {_text(default)} | {cells} | {', '.join(over) or 'none'} |")
    return "\n".join(lines)


def main() -> int:
    """Print the table, or write it into the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        text = SCALING.read_text(encoding="utf-8")
        SCALING.write_text(between(text, BEGIN, END, table()), encoding="utf-8")
    print(table())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
