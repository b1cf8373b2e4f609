"""What cold starts cost, and what a warm request costs over the calls that it has to make.

``python -m bench.cold_start [--rounds N] [--requests N] [--json FILE]`` needs built layers and AWS's runtime client
(``make prepare``); nothing has to run. Exit status 0 when every promise holds. A cold start is the CPU of a whole
process under the runtime client until it asks for work: beside the floor, a function that only makes a DynamoDB client,
and beside the naive build of the same API: FastAPI, Mangum, boto3 and web3 in one function, packaged as `sam build`
does by itself, without bytecode, which Lambda's read-only disk then never gets. (``over_naive_compiled`` leaves that
part of the difference out.) Least of the rounds, which take turns. Warm CPU is that of a request which reads a
deployment's status, over a function that verifies the same token and makes the same call by boto3. Sizes are what
Lambda unpacks.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.figures import Figure, report
from bench.installation import installed
from bench.runtime_client import running
from tests.performance.cold_start import FLOOR, LAYERS, Start, cpu_seconds, floor_start, function_start, library
from tests.support.functions import event
from tests.support.installation import Installation
from tests.support.template import functions

NAIVE = """
import boto3
from fastapi import FastAPI
from mangum import Mangum
from web3 import Web3
client = boto3.client("dynamodb")
node = Web3(Web3.HTTPProvider("http://127.0.0.1:1/"))
app = FastAPI()
@app.get("/")
def page() -> dict[str, str]:
    return {}
handler = Mangum(app)
"""
FLOOR_TARGETS = {"heartbeat": 1.3}
NAIVE_TARGET, WARM_TARGET = 0.35, 1.5
_MAX_UNPACKED = 250
_MEBIBYTE = 1024 * 1024
_BATCH, _WARM_UP = 50, 60

# The bare calls of a look at a deployment's status: believe the token, read the item, answer its fields as JSON.
_RAW = """
import json, os
import boto3
import jwt
client = boto3.client("dynamodb")
key = jwt.PyJWK.from_dict(json.loads(os.environ["PUBLIC_KEY"])).key
def handler(event, context):
    token = event["headers"]["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, key, algorithms=["ES256"], audience="slipway", issuer="https://slipway.test")
    key_of_item = json.loads(os.environ["ITEM_KEY"])
    item = client.get_item(TableName=os.environ["JOBS_TABLE"], Key=key_of_item, ConsistentRead=True)["Item"]
    assert item["wallet"]["S"] == claims["wallet"]
    body = {name: next(iter(value.values())) for name, value in item.items() if "B" not in value}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body, default=str)}
"""


def name_of(logical_id: str) -> str:
    """Name a function in figures: ``TokenDeployTasks`` is token_deploy_tasks, ``HeartbeatFunction`` heartbeat."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", logical_id.removesuffix("Function")).lower()


def main() -> int:
    """Exit status 0 when every promise holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    print(f"Cold starts, {given.rounds} rounds …", file=sys.stderr)
    figures = [*cold(given.rounds), *sizes()]
    print(f"{given.requests} warm requests beside as many bare ones …", file=sys.stderr)
    figures += warm(given.requests)
    return 0 if report(figures, given.json) else 1


def cold(rounds: int) -> list[Figure]:
    """Ratios to the floor and, for the APIs, to the naive build."""
    with tempfile.TemporaryDirectory() as floor, tempfile.TemporaryDirectory() as naive:
        starts = {name: function_start(name) for name in sorted(functions())}
        starts["floor"] = floor_start(Path(floor), FLOOR)
        (Path(naive) / "app.py").write_text(NAIVE)
        used = ("DependenciesLayer", "ChainLayer")
        starts["naive_compiled"] = Start(Path(naive), tuple(LAYERS[name] for name in used))
        starts["naive"] = Start(Path(naive), tuple(_without_bytecode(LAYERS[name], Path(naive)) for name in used))
        least = dict.fromkeys(starts, float("inf"))
        # The first run of each fills the page cache; it does not count.
        for counted in range(rounds + 1):
            for name, start in starts.items():
                seconds = cpu_seconds(start)
                if counted:
                    least[name] = min(least[name], seconds)
    bases = ("floor", "naive", "naive_compiled")
    figures = [Figure(f"cold_start.{name}.cpu", least[name], None, "s of CPU") for name in bases]
    for name in functions():
        short = name_of(name)
        over_floor = least[name] / least["floor"]
        figures.append(
            Figure(f"cold_start.{short}.over_floor", over_floor, FLOOR_TARGETS.get(short), "times a DynamoDB client")
        )
        if is_api(name):
            over_naive, over_compiled = (least[name] / least[base] for base in bases[1:])
            figures += [
                Figure(f"cold_start.{short}.over_naive", over_naive, NAIVE_TARGET, "times the naive build"),
                Figure(
                    f"cold_start.{short}.over_naive_compiled", over_compiled, None, "times the naive build, compiled"
                ),
            ]
    return figures


def _without_bytecode(layer: Path, beside: Path) -> Path:
    """Return the same packages as they come from a wheel."""
    copy = beside / layer.parent.name
    shutil.copytree(layer, copy, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"), copy_function=shutil.copyfile)
    return copy


def is_api(logical_id: str) -> bool:
    """Whether a function serves routes through FastAPI."""
    code = Path(functions()[logical_id]["CodeUri"], "app.py").read_text(encoding="utf-8")
    return "create_app" in code


def sizes() -> list[Figure]:
    """Return what each layer holds, and the most that a function has with its layers."""
    layers = {name: _size(path) for name, path in {**LAYERS, "SlipwayLayer": library()}.items()}
    figures = [
        Figure(f"package_size.{name_of(name)}", size / _MEBIBYTE, None, "MiB unpacked") for name, size in layers.items()
    ]
    largest = 0
    for name, entry in functions().items():
        used = ["SlipwayLayer", "DependenciesLayer", *(layer["Ref"] for layer in entry.get("Layers", []))]
        largest = max(largest, _size(function_start(name).folder) + sum(layers[layer] for layer in set(used)))
    return [*figures, Figure("package_size.largest_function", largest / _MEBIBYTE, _MAX_UNPACKED, "MiB unpacked")]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def warm(requests: int) -> list[Figure]:
    """CPU of a look at a deployment over that of its bare calls, each a function under the runtime client."""
    with installed() as here, tempfile.TemporaryDirectory() as folder:
        slipway = here.slipway
        given, key = _status_event(slipway)
        # What the template gives and this installation set.
        variables = {
            **{name: value for name, value in os.environ.items() if name in _variables()},
            "AWS_ENDPOINT_URL": here.endpoint,
        }
        bare = {**variables, "ITEM_KEY": key, "PUBLIC_KEY": _public_key(slipway)}
        used: dict[str, list[float]] = {"slipway": [], "raw": []}
        with (
            running(function_start("DeploymentsFunction"), variables) as ours,
            running(floor_start(Path(folder), _RAW), bare) as raw,
        ):
            for batch in range(-1, requests // _BATCH):
                for name, function in (("slipway", ours), ("raw", raw)):
                    count = _WARM_UP if batch < 0 else _BATCH
                    before = function.cpu_seconds
                    for _ in range(count):
                        answer = function.invoke(given)
                        assert answer["statusCode"] == 200, answer
                    if batch >= 0:
                        used[name].append((function.cpu_seconds - before) / count)
    slipway_cpu, raw_cpu = (statistics.median(used[name]) for name in ("slipway", "raw"))
    return [
        Figure("warm.deployments.over_raw", slipway_cpu / raw_cpu, WARM_TARGET, "times the CPU of its bare calls"),
        Figure("warm.deployments.cpu", slipway_cpu * 1000, None, "ms of CPU a request"),
        Figure("warm.deployments_raw.cpu", raw_cpu * 1000, None, "ms of CPU a request"),
    ]


def _status_event(slipway: Installation) -> tuple[dict[str, Any], str]:
    """GET /api/deployments/{id}/status of a launch, and the key of its item."""
    made = slipway.launch(slipway.model("measured")).body["deployment_id"]
    given = event("api_deployments_status")
    given["headers"]["authorization"] = f"Bearer {slipway.token()}"
    old = given["pathParameters"]["id"]
    given["pathParameters"]["id"] = made
    for place in (given, given["requestContext"]["http"]):
        name = "rawPath" if place is given else "path"
        place[name] = place[name].replace(old, made)
    return given, json.dumps({"pk": {"S": f"DEPLOYMENT#{made}"}, "sk": {"S": "DETAIL"}})


def _public_key(slipway: Installation) -> str:
    return json.dumps(slipway.api("api_identity_jwks").body["keys"][0])


def _variables() -> set[str]:
    return set(functions()["DeploymentsFunction"]["Environment"]["Variables"])


if __name__ == "__main__":
    sys.exit(main())
