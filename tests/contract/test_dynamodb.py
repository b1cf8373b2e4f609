"""The stores over AWS's own DynamoDB for developers instead of moto: the same functional tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.paths import ROOT
from local.ports import free_ports
from local.processes import end_with_parent, tail
from tests.support.dynamodb_local import VARIABLE
from tests.support.waiting import eventually

POM = ROOT / "tests" / "contract" / "dynamodb" / "pom.xml"
TARGET = ROOT / ".local" / "dynamodb"
START_SECONDS = 60
# What writes under conditions, in transactions, by pages and by indexes.
SUBJECTS = ("store", "write_ahead", "nonce_queue", "budgets", "semaphore", "projects_api")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Yield a server with nothing in it, from Maven; built once."""
    java, maven = shutil.which("java"), shutil.which("mvn")
    if not java or not maven:
        reason = "DynamoDB Local needs Java and Maven"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    libraries = TARGET / "lib"
    if not libraries.is_dir():
        log = TARGET / "maven.log"
        TARGET.mkdir(parents=True, exist_ok=True)
        command = [
            str(maven),
            "-q",
            "-B",
            "-f",
            str(POM),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={libraries}",
        ]
        with log.open("wb") as output:
            done = subprocess.run(command, stdout=output, stderr=output, timeout=600, check=False)
        assert done.returncode == 0, tail(log)
    yield from _served(str(java), libraries)


def _served(java: str, libraries: Path) -> Iterator[str]:
    (port,) = free_ports(1)
    log = TARGET / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [java, f"-Djava.library.path={libraries}", "-cp", f"{libraries}/*",
             "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
             "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)],
            stdout=output, stderr=output, preexec_fn=end_with_parent(),
        )  # fmt: skip
    try:

        def listens() -> bool:
            assert server.poll() is None, tail(log)
            return _listens(port)

        eventually(listens, within=START_SECONDS, every=0.2, what=lambda: tail(log))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_stores_pass_their_tests_over_it(endpoint: str) -> None:
    files = [f"tests/functional/test_{subject}.py" for subject in SUBJECTS]
    environment = {**os.environ, VARIABLE: endpoint, "AWS_ENDPOINT_URL_DYNAMODB": endpoint}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:xdist", *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
    # It was really there that they wrote.
    import boto3

    client = boto3.client(
        "dynamodb", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id="any", aws_secret_access_key="any",
    )  # fmt: skip
    assert {"jobs", "control"} <= set(client.list_tables()["TableNames"])
