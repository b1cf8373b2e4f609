"""What an operation costs when there is ten and a hundred times the data: the same.

``python -m bench.scale [--times N …] [--json FILE]`` starts an engine of its own, fills its tables with one, ten and a
hundred times a base of jobs, audit events, outcomes, projects, payments, builds and live workers, all but the workers
of one wallet, and counts the units of DynamoDB that the same operations take each time. Exit status 0 when none takes
more at the end than at the beginning.
"""

import argparse
import json
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from pathlib import Path
from typing import Any

import boto3

from bench.figures import Figure, report
from bench.flush import fill
from bench.installation import Installed, installed
from bench.metering import Counts
from slipway.builds.states import Status
from slipway.builds.store import BLOCK, counts_key, number_key, owner_key
from slipway.settings import tier_limit
from slipway.times import epoch_milliseconds, now, to_text
from tests.support.functions import event
from tests.support.installation import Answer
from tests.support.wallets import ADMIN, ALICE
from tests.support.workers import CONTAINERS, body, enrol

BASE = 100
"""Items of each kind at once the data, more than a page of any list; three times as many audit events."""
FLAT = 1.1
"""How much more an operation may take: pages hold items of different sizes."""

GROWING = frozenset({"builds.last_page_of_a_status"})
"""What takes more with more data, as docs/scaling.md says: half a unit for each 800 builds that lie before the page."""
_BATCH = 25
_LIMITS = json.dumps({"standard": {"hour": 100_000, "day": 1_000_000, "open": 100_000}})

type Raw = dict[str, dict[str, Any]]


@dataclass
class Data:
    """Fills the tables of an installation, by writing what the library wrote once again and again."""

    here: Installed
    client: Any
    size: int = 0

    def seed(self) -> None:
        """One of each kind, by its own route."""
        slipway = self.here.slipway
        token = slipway.token()
        self.deployment = str(slipway.launch(slipway.model("seed")).body["deployment_id"])
        self.project = slipway.api("api_projects_create", token=token, body={"name": "seed", "github": "octocat/seed"})
        self.payment = slipway.api("api_payments_create", token=token, body={"name": "Hosting", "amount": "2500000"})
        asked = {"prompt": "An ERC-20 token called Harbor with 1 million supply", "chains": [31337]}
        self.build = str(slipway.api("api_builds_create", token=token, body=asked).body["build_id"])
        self.worker_token = enrol(ALICE.address)
        (self.audit, *_) = slipway.audit()

    def grow(self, size: int) -> None:
        """Up to so many items of each kind."""
        numbers = range(self.size, size)
        print(f"Writing up to {size} of each kind …", file=sys.stderr)
        self._write("jobs", self._deployments(numbers))
        self._write("jobs", self._audits(range(3 * numbers.start, 3 * numbers.stop)))
        self._write("jobs", self._outcomes(numbers))
        self._write("jobs", self._builds(numbers))
        self._write("jobs", self._build_counts(size))
        self._write("projects", self._projects(numbers))
        fill(self.client, range(10_000 + numbers.start, 10_000 + numbers.stop), live=True)
        self.size = size

    def _write(self, table: str, items: Iterator[Raw]) -> None:
        for some in batched(items, _BATCH, strict=False):
            waiting: Any = {table: [{"PutRequest": {"Item": item}} for item in some]}
            while waiting:
                waiting = self.client.batch_write_item(RequestItems=waiting)["UnprocessedItems"]

    def _item(self, table: str, pk: str, sk: str = "DETAIL") -> Raw:
        found: Raw = self.client.get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]
        return found

    def _deployments(self, numbers: range) -> Iterator[Raw]:
        seed = self._item("jobs", f"DEPLOYMENT#{self.deployment}")
        for number in numbers:
            yield _ended(seed, {self.deployment: str(uuid.uuid4()), seed["created_at"]["S"]: _before(number)})

    def _audits(self, numbers: range) -> Iterator[Raw]:
        seed = self._item("jobs", self.audit["pk"], self.audit["sk"])
        # Within the day, so that one day has them all.
        for number in numbers:
            moment = seed["created_at"]["S"][:11] + f"00:00:00.{number:06}Z"
            new = _with(seed, {seed["created_at"]["S"]: moment, seed["sk"]["S"].split("#")[1]: uuid.uuid4().hex})
            yield {**new, "outcome": {"S": "RATE_LIMIT_EXCEEDED" if number % 5 == 0 else "accepted"}}

    def _outcomes(self, numbers: range) -> Iterator[Raw]:
        for number in numbers:
            moment = _before(number % 50)
            yield {
                "pk": {"S": f"OUTCOME#stack#{moment[:10]}"},
                "sk": {"S": f"{moment}#{uuid.uuid4().hex[:8]}"},
                "outcome": {"S": "completed"},
                "seconds": {"N": "30"},
                "gas": {"N": "0"},
                "cost": {"S": "0"},
                "created_at": {"S": moment},
                "expires_at": {"N": "4102444800"},
            }

    def _builds(self, numbers: range) -> Iterator[Raw]:
        seed = self._item("jobs", f"BUILD#{self.build}")
        for number in numbers:
            if number:
                status = Status.FAILED if number % 5 == 0 else Status.COMPLETE
                yield _ended(seed, {self.build: str(uuid.uuid4())}) | {
                    "number": {"N": str(number + 1)},
                    "owner_sort": {"S": number_key(number + 1)},
                    "status": {"S": str(status)},
                    "subject_key": {"S": owner_key(ALICE.address, status)},
                }

    def _build_counts(self, size: int) -> Iterator[Raw]:
        def counts(numbers: range) -> dict[str, int]:
            failed = sum(number % 5 == 0 and number > 0 for number in numbers)
            pending = int(0 in numbers)
            return {"failed": failed, "pending": pending, "complete": len(numbers) - failed - pending}

        def item(block: int | None, of: range) -> Raw:
            pk, sk = counts_key(ALICE.address, block)
            figures = {**counts(of), "open": int(0 in of), **({"number": len(of)} if block is None else {})}
            return {"pk": {"S": pk}, "sk": {"S": sk}, **{name: {"N": str(value)} for name, value in figures.items()}}

        yield item(None, range(size))
        for block in range((size + BLOCK - 1) // BLOCK):
            yield item(block, range(block * BLOCK, min(size, (block + 1) * BLOCK)))

    def _projects(self, numbers: range) -> Iterator[Raw]:
        project = self._item("projects", "PROJECT#seed")
        payment = self._item("projects", f"PAYMENT#{self.payment.body['id']}")
        for number in numbers:
            yield _with(project, {"seed": f"s{number:06}", project["created_at"]["S"]: _before(number)})
            new = {self.payment.body["id"]: str(uuid.uuid4()), payment["created_at"]["S"]: _before(number)}
            yield _with(payment, new)


def _with(item: Raw, changes: dict[str, str]) -> Raw:
    """Return a copy in which texts are others, wherever they stand."""
    text = json.dumps(item)
    for old, new in changes.items():
        text = text.replace(old, new)
    changed: Raw = json.loads(text)
    return changed


def _ended(item: Raw, changes: dict[str, str]) -> Raw:
    """Return the same of a job that is over, which no index of open work holds."""
    copied = _with(item, changes) | {"status": {"S": "completed"}}
    return {name: value for name, value in copied.items() if name not in ("open_shard", "open_until")}


def _before(number: int) -> str:
    return to_text(now() - timedelta(minutes=1, seconds=number))


class Operations:
    """What is counted at each size."""

    def __init__(self, here: Installed, data: Data) -> None:
        self._here = here
        self._slipway = here.slipway
        self._data = data
        self._moments = iter(range(epoch_milliseconds() - 600_000, epoch_milliseconds()))

    def count(self) -> dict[str, Counts]:
        """Return requests and units by operation; each is done once before."""
        found = {}
        for name, act in self._all().items():
            act()
            before = self._here.meter.counts
            answer = act()
            found[name] = self._here.meter.counts - before
            if isinstance(answer, Answer):
                assert answer.status < 300, (name, answer.body)
        return found

    def _api(self, name: str, account: Any = ALICE, **parts: Any) -> Answer:
        return self._slipway.api(name, token=self._slipway.token(account), **parts)

    def _all(self) -> dict[str, Callable[[], Any]]:
        path = {"id": self._data.deployment}
        pages = self._data.size // 20
        return {
            "deployments.list": lambda: self._api("api_deployments_list", query="limit=20"),
            "deployments.status": lambda: self._api("api_deployments_status", path=path),
            "deployments.detail": lambda: self._api("api_deployments_detail", path=path),
            "deployments.create": self._launch,
            "projects.list": lambda: self._api("api_projects_list", query="limit=20"),
            "payments.list": lambda: self._api("api_payments_list", query="limit=20"),
            "workers.list": lambda: self._api("api_workers_list", query="limit=20"),
            "builds.first_page": lambda: self._api("api_builds_list", query="page=1&page_size=20"),
            "builds.last_page": lambda: self._api("api_builds_list", query=f"page={pages}&page_size=20"),
            "builds.first_page_of_a_status": lambda: self._builds_of("failed", 1),
            "builds.last_page_of_a_status": lambda: self._builds_of("failed", max(1, (self._data.size - 1) // 50)),
            "audit.newest": lambda: self._audit(""),
            "audit.by_user": lambda: self._audit(f"&user={ALICE.address}"),
            "audit.by_model": lambda: self._audit("&model=seed"),
            "audit.by_outcome": lambda: self._audit("&outcome=RATE_LIMIT_EXCEEDED"),
            "heartbeat": self._beat,
            "uptime_flush": self._flush,
            "reconcile": self._reconcile,
        }

    def _launch(self) -> Answer:
        return self._slipway.launch(self._slipway.model(f"model-{uuid.uuid4().hex[:8]}"))

    def _builds_of(self, status: str, page: int) -> Answer:
        return self._api("api_builds_list", query=f"status={status}&page={page}&page_size=10")

    def _audit(self, query: str) -> Answer:
        return self._api("api_admin_audit", ADMIN, query=f"limit=20{query}")

    def _beat(self) -> None:
        given = event("heartbeat")
        given["headers"]["authorization"] = f"Bearer {self._data.worker_token}"
        given["body"] = json.dumps(body(ALICE.address, next(self._moments), CONTAINERS))
        assert self._slipway.invoke("HeartbeatFunction", given)["statusCode"] == 200

    def _flush(self) -> None:
        self._slipway.invoke("UptimeFlushTasks", event("uptime_flush_flush"))

    def _reconcile(self) -> None:
        # Looks for what is due; what is done about one job does not know of the others.
        for state in ("FindLaunches", "FindSigners", "FindStacks"):
            self._slipway.invoke("ReconcileTasks", {"state": state})


def measure(times: Sequence[int], base: int = BASE) -> dict[str, list[Counts]]:
    """Return counts by operation, one for each size."""
    found: dict[str, list[Counts]] = {}
    with installed() as here:
        for name in ("LAUNCH_LIMITS", "BUILD_LIMITS"):
            here.patches.setenv(name, _LIMITS)
        here.patches.setenv("BUILD_ARN", here.slipway.state_machine)
        tier_limit.cache_clear()
        data = Data(here, boto3.client("dynamodb"))
        data.seed()
        for factor in times:
            data.grow(base * factor)
            for name, counts in Operations(here, data).count().items():
                found.setdefault(name, []).append(counts)
    return found


def units(counts: Counts) -> float:
    """Read and write units together."""
    return counts.read_units + counts.write_units


def main() -> int:
    """Exit status 0 when no operation takes more with more data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = measure(given.times)
    print(f"{'units at ' + ', '.join(f'{factor}x' for factor in given.times):<40}")
    figures = []
    for name, counts in found.items():
        print(f"{name:<36}" + "".join(f"{units(entry):>10g}" for entry in counts))
        ratio = units(counts[-1]) / units(counts[0])
        figures.append(
            Figure(
                f"scale.{name.replace('.', '_')}.last_over_first",
                ratio,
                None if name in GROWING else FLAT,
                "times the units",
            )
        )
    return 0 if report(figures, given.json) else 1


if __name__ == "__main__":
    sys.exit(main())
