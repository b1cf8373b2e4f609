"""What each operation and job asks of AWS, and what a month of them costs.

``python -m bench.cost_model [--write] [--json FILE]`` counts everything over an engine of its own (see
``bench.operations``) and prints it beside what ``docs/cost-model.md`` declares. ``--write`` puts the counts into that
document. Exit status 0 if every count is the declared one. Prices are in ``bench.prices``.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from pathlib import Path

from bench import prices
from bench.figures import Figure, report
from tests.support.template import functions, resources

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "cost-model.md"
POLLED = frozenset({"akash_deploy", "stack_node", "stack_api"})
"""Jobs that look until something has happened: how often differs, so their counts may be double the declared."""

# A stack keeps how often its node's port was looked for, and may so come to a second kilobyte, written twice.
_KEEPS_LOOKS, _ONE_KILOBYTE = "/api/stacks/{environment}/node", 2
# Which deployer account takes a launch, and how long its line is, makes a request or two of difference.
_POLLED_SHARE, _JOB_SHARE = 1.0, 0.1
_ROW = re.compile(
    r"^\| `([^`]+)` \| (\d+) \| ([\d.]+) \| ([\d.]+) \| (\d+) \| (\d+) \| ([\d.]+) \| (.*?) ?\|$", re.MULTILINE
)
_BEGIN, _END = "<!-- counts -->", "<!-- end of counts -->"
_MONTH_BEGIN, _MONTH_END = "<!-- month -->", "<!-- end of month -->"
_WRITES, _READS = ("s3:PutObject",), ("s3:GetObject",)
_SECONDS_OF_MONTH = 30 * 86_400
# What a run of reconcile waits for chains' nodes and Akash, in seconds; here they answer at once.
_WAITED = Decimal(1)
# An Express workflow's memory is billed in steps of 64 MB; one of these takes 50 and its data.
_EXPRESS_GIGABYTES = Decimal(64) / 1024


@dataclass(frozen=True)
class Row:
    """One operation: requests and units of DynamoDB, transitions, invocations, GB-seconds, calls of other services."""

    requests: int
    read_units: float
    write_units: float
    transitions: int
    invocations: int
    gigabyte_seconds: float
    others: tuple[tuple[str, int], ...] = ()

    def called(self, *names: str) -> int:
        """Return calls of other services by these names."""
        return sum(count for name, count in self.others if name in names)

    @property
    def dollars(self) -> Decimal:
        """What it costs, API Gateway left out."""
        return (
            Decimal(str(self.read_units)) * prices.READ_UNIT
            + Decimal(str(self.write_units)) * prices.WRITE_UNIT
            + self.transitions * prices.TRANSITION
            + self.invocations * prices.INVOCATION
            + Decimal(str(self.gigabyte_seconds)) * prices.GIGABYTE_SECOND
            + self.called("kms:Sign") * prices.SIGNATURE
            + self.called(*_WRITES) * prices.S3_WRITE
            + self.called(*_READS) * prices.S3_READ
        )


@dataclass(frozen=True)
class Line:
    """One line of a month's bill."""

    what: str
    count: int
    dollars: Decimal


def declared(text: str) -> dict[str, Row]:
    """Return the rows of the document."""
    return {
        name: Row(
            int(requests), float(reads), float(writes), int(steps), int(calls), float(seconds), _read_others(others)
        )
        for name, requests, reads, writes, steps, calls, seconds, others in _ROW.findall(text)
    }


def _read_others(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((name, int(count)) for count, name in re.findall(r"(\d+) `([^`]+)`", text))


def counted() -> dict[str, Row]:
    """Return the same, counted now."""
    from bench.operations import measure

    return {
        name: Row(
            usage.counts.requests,
            usage.counts.read_units,
            usage.counts.write_units,
            usage.transitions,
            len(usage.invocations),
            round(usage.gigabyte_seconds, 4),
            tuple(sorted(usage.others.items())),
        )
        for name, usage in measure().items()
    }


def differences(said: Mapping[str, Row], found: Mapping[str, Row]) -> list[str]:
    """Return where the document differs from the count; GB-seconds are the machine's and not compared."""
    wrong = [f"{name} is not counted" for name in said if name not in found]
    for name, row in found.items():
        told = said.get(name)
        if told is None:
            wrong.append(f"{name} is not declared")
            continue
        for field in ("requests", "read_units", "write_units", "transitions"):
            here, there = getattr(row, field), getattr(told, field)
            share = (
                _POLLED_SHARE if name in POLLED else _JOB_SHARE if field != "transitions" and told.transitions else 0
            )
            most = share * there
            if field == "write_units" and _KEEPS_LOOKS in name:
                most += _ONE_KILOBYTE
            if abs(here - there) > most:
                wrong.append(f"{name}: {field} {here:g}, declared {there:g}")
        if name not in POLLED and row.others != told.others:
            wrong.append(f"{name}: {dict(row.others)}, declared {dict(told.others)}")
    return wrong


def month(rows: Mapping[str, Row], *, workers: int = 1000, launches: int = 10_000, builds: int = 1000) -> list[Line]:
    """Return thirty days' figures: every worker's beat each five minutes, jobs with the looks of who waits for them."""
    beats = workers * _SECONDS_OF_MONTH // 300
    flushes, reconciles = _SECONDS_OF_MONTH // 300, _SECONDS_OF_MONTH // 60
    # Seldom enough that X-Ray records each: a request, its job's execution, and ten looks.
    traces = 12 * (launches + builds)
    status, detail = "GET /api/deployments/{id}/status", "GET /api/v1/builds/{build_id}"

    def asked(name: str, count: int) -> Decimal:
        return count * (rows[name].dollars + prices.HTTP_REQUEST)

    def scheduled(name: str, function: str, count: int, waited: Decimal) -> Decimal:
        memory = Decimal(functions()[function]["MemorySize"]) / 1024
        seconds = Decimal(str(rows[name].gigabyte_seconds)) / memory + waited
        billed = seconds.quantize(Decimal("0.1"), ROUND_UP)
        run = prices.EXPRESS_RUN + billed * _EXPRESS_GIGABYTES * prices.EXPRESS_GIGABYTE_SECOND
        return count * (rows[name].dollars + waited * memory * prices.GIGABYTE_SECOND + prices.SCHEDULE + run)

    flush, reconcile = "uptime_flush (nothing stale)", "reconcile (nothing due)"
    keys = len(resources("AWS::KMS::Key"))
    return [
        Line(f"heartbeats of {workers:,} workers", beats, asked("POST /heartbeat", beats)),
        Line("token launches, their requests included", launches, asked("token_launch", launches)),
        Line("looks at launches, ten each", 10 * launches, asked(status, 10 * launches)),
        Line("builds for one chain, their requests included", builds, asked("build", builds)),
        Line("looks at builds, ten each", 10 * builds, asked(detail, 10 * builds)),
        Line("traces of launches and builds", traces, traces * prices.TRACE),
        Line("uptime_flush, every five minutes", flushes, scheduled(flush, "UptimeFlushTasks", flushes, Decimal(0))),
        Line("reconcile, every minute", reconciles, scheduled(reconcile, "ReconcileTasks", reconciles, _WAITED)),
        Line("KMS keys: four deployers, identity, artifacts, SDLs", keys, keys * prices.KEY_MONTH),
    ]


def counts_table(rows: Mapping[str, Row]) -> str:
    """Return the rows as the document has them."""
    lines = [
        "| operation | requests | read units | write units | transitions | invocations | GB-s | other calls |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        others = ", ".join(f"{count} `{call}`" for call, count in row.others)
        lines.append(
            f"| `{name}` | {row.requests} | {row.read_units:g} | {row.write_units:g} | {row.transitions} "
            f"| {row.invocations} | {row.gigabyte_seconds:.4f} | {others} |"
        )
    return "\n".join(lines)


def month_table(lines: list[Line]) -> str:
    """Return a month's bill as the document has it."""
    rows = [f"| {line.what} | {line.count:,} | {line.dollars:.2f} |" for line in lines]
    together = f"| **together** | | **{total_of(lines):.2f}** |"
    return "\n".join(["| what | count | US dollars |", "|---|---|---|", *rows, together])


def total_of(lines: list[Line]) -> Decimal:
    """Return what the lines come to together."""
    return sum((line.dollars for line in lines), Decimal(0))


def between(text: str, begin: str, end: str, new: str | None = None) -> str:
    """Return what stands between two marks; with something new, the whole text with that there instead."""
    head, rest = text.split(begin, 1)
    old, tail = rest.split(end, 1)
    return old.strip() if new is None else f"{head}{begin}\n{new}\n{end}{tail}"


def main() -> int:
    """Exit status 0 when the document says what is counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = counted()
    text = DOCUMENT.read_text(encoding="utf-8")
    lines = month(rows)
    if given.write:
        text = between(text, _BEGIN, _END, counts_table(rows))
        text = between(text, _MONTH_BEGIN, _MONTH_END, month_table(lines))
        DOCUMENT.write_text(text, encoding="utf-8")
    print(counts_table(rows), month_table(lines), sep="\n\n")
    wrong = differences(declared(text), rows)
    for difference in wrong:
        print(f"DIFFERS: {difference}")
    figures = [Figure("cost_model.differences", len(wrong), 0, "counts other than declared")]
    for name in ("token_launch", "akash_deploy", "build"):
        row = rows[name]
        figures += [
            Figure(f"cost.{name}.requests", row.requests, None, "requests of DynamoDB a job"),
            Figure(f"cost.{name}.write_units", row.write_units, None, "write units a job"),
            Figure(f"cost.{name}.read_units", row.read_units, None, "read units a job"),
            Figure(f"cost.{name}.transitions", row.transitions, None, "state transitions a job"),
            Figure(f"cost.{name}.gigabyte_seconds", row.gigabyte_seconds, None, "GB-seconds of Lambda a job"),
            Figure(f"cost.{name}.dollars", float(row.dollars), None, "US dollars a job"),
        ]
    # Of the declared rows: how long the functions took is this machine's, and no promise.
    stated = declared(text)
    what = "US dollars for 1,000 workers, 10,000 launches, 1,000 builds"
    figures.append(Figure("cost.month.dollars", float(total_of(month(stated))), 30, what))
    idle = total_of(month(stated, workers=0, launches=0, builds=0))
    figures.append(Figure("cost.month.idle_dollars", float(idle), 8, "US dollars of it with nothing to do"))
    return 0 if report(figures, given.json) else 1


if __name__ == "__main__":
    sys.exit(main())
