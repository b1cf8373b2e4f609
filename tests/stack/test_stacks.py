"""Node and API stacks through the deployed template, against the simulated network with ports that really answer."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.paths import ROOT
from tests.stack.launches import Token, account, bearer
from tests.support.waiting import eventually

QUICK = {"bids": {"delay": 1, "spread": 1}, "start": {"silent_for": 1, "ready_after": 2}}
SERVED = {**QUICK, "ports": {"serve": "banano"}}
END_SECONDS = 150
ENDED = {"active", "failed"}
SCRIPT = ROOT / "examples" / "ci" / "deploy-stack.sh"


class Environment:
    """One environment of the stack, alone with its name."""

    def __init__(self, stack: Any, token: Token) -> None:
        self.stack = stack
        self.token = token
        self.name = f"e{uuid.uuid4().hex[:12]}"

    def send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        headers = {**bearer(self.token), **parts.pop("headers", {})}
        answer: httpx.Response = self.stack.http.request(
            method, f"/api/stacks/{self.name}/{path}", headers=headers, **parts
        )
        return answer

    def put(self, kind: str, scenario: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        return self.send("PUT", kind, json=self.spec(scenario, **more))

    def spec(self, scenario: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        told = SERVED if scenario is None else {**QUICK, **scenario}
        marker = json.dumps({"id": f"{self.name}", **told})
        return {"env": {"SIMULATOR": marker, **more.pop("env", {})}, **more}

    def ended(self, kind: str) -> dict[str, Any]:
        answer = eventually(
            lambda: self.send("GET", kind),
            lambda answer: answer.status_code == 404 or answer.json()["status"] in ENDED,
            within=END_SECONDS,
            every=0.5,
            what=lambda: self.send("GET", kind).text,
        )
        return dict(answer.json())

    def done(self, kind: str, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 202, answer.text
        found = self.ended(kind)
        if "job" in found:
            assert found["job"]["job_id"] == answer.json()["job"]["job_id"]
        return found

    def up(self, kind: str, scenario: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        found = self.done(kind, self.put(kind, scenario, **more))
        assert found["status"] == "active", found
        return found

    @property
    def published(self) -> httpx.Response:
        return self.send("GET", "endpoint.json")

    def ledger(self) -> list[dict[str, Any]]:
        entries = httpx.get(f"{self.stack.described['console_api']}/_simulator/ledger").json()["deployments"]
        return [entry for entry in entries if entry["scenario"] == self.name]

    def open(self) -> list[str]:
        return [entry["dseq"] for entry in self.ledger() if entry["state"] == "active"]


@pytest.fixture(scope="module")
def operator(stack: Any) -> str:
    return str(stack.sign_in(account(stack, "operator")))


@pytest.fixture
def environment(stack: Any, operator: Token) -> Iterator[Environment]:
    made = Environment(stack, operator)
    yield made
    for kind in ("api", "node"):
        made.send("DELETE", kind)


def test_strangers_may_not(stack: Any, user: Token, admin: Token) -> None:
    for token, status in ((user, 403), (admin, 403), (None, 401)):
        for method, path in (("PUT", "node"), ("GET", "api"), ("GET", "endpoint.json"), ("POST", "node/restart")):
            headers = bearer(token) if token else {}
            assert stack.http.request(method, f"/api/stacks/production/{path}", headers=headers).status_code == status


def test_from_nothing_to_both_and_back(environment: Environment) -> None:
    assert environment.published.status_code == 404
    failed = environment.done("api", environment.put("api"))
    assert (failed["status"], failed["error"]["code"]) == ("failed", "ARTIFACT_MISSING")
    assert environment.ledger() == []

    accepted = environment.put("node")
    running = environment.put("node", image="another/image:1")
    assert (running.status_code, running.json()["error"]["code"]) == (409, "CONFLICT")
    assert running.json()["error"]["details"]["job"]["job_id"] == accepted.json()["job"]["job_id"]
    node = environment.done("node", accepted)
    assert node["status"] == "active", node
    host, port = node["endpoint"].split(":")
    answer = httpx.post(f"http://{host}:{port}", json={"action": "version"})
    assert answer.json()["node_vendor"].startswith("Banano")
    published = environment.published
    assert (published.status_code, published.json()) == (200, {"banano_rpc_endpoint": node["endpoint"]})
    assert environment.put("node").status_code == 200

    api = environment.up("api")
    assert (api["endpoint"], api["stale_endpoint"]) == (node["endpoint"], False)
    assert len(environment.open()) == 2

    # Each is changed and restarted alone.
    upgraded = environment.done("node", environment.put("node", image="bananocoin/banano:V99"))
    assert (upgraded["dseq"], upgraded["endpoint"], upgraded["generation"]) == (node["dseq"], node["endpoint"], 2)
    assert environment.ended("api") == api
    changed = environment.done("api", environment.put("api", env={"LOG_LEVEL": "debug"}))
    assert (changed["dseq"], changed["status"]) == (api["dseq"], "active")
    restarted = environment.done("node", environment.send("POST", "node/restart"))
    assert (restarted["dseq"], restarted["generation"]) == (node["dseq"], 3)
    again = environment.done("api", environment.send("POST", "api/restart"))
    assert (again["dseq"], again["status"]) == (api["dseq"], "active")
    assert sorted(environment.open()) == sorted([node["dseq"], api["dseq"]])
    assert all(len(entry["leases"]) == 1 for entry in environment.ledger())

    assert environment.done("node", environment.send("DELETE", "node"))["error"]["details"]["status"] == "deleted"
    assert environment.published.status_code == 404
    assert environment.ended("api")["stale_endpoint"] is True
    assert environment.open() == [api["dseq"]]
    environment.done("api", environment.send("DELETE", "api"))
    assert environment.open() == []


def test_a_node_moves_and_its_api_follows_if_it_is_to(environment: Environment) -> None:
    node = environment.up("node")
    api = environment.up("api")
    moved = environment.done("node", environment.put("node", resources={"memory": "6Gi"}))
    assert moved["endpoint"] != node["endpoint"]
    assert environment.published.json() == {"banano_rpc_endpoint": moved["endpoint"]}
    stale = environment.ended("api")
    assert (stale["stale_endpoint"], stale["endpoint"]) == (True, node["endpoint"])
    following = environment.done("api", environment.put("api", follow=True))
    assert (following["endpoint"], following["dseq"]) == (moved["endpoint"], api["dseq"])
    again = environment.done("node", environment.put("node", resources={"memory": "8Gi"}))
    rolled = eventually(
        lambda: environment.ended("api"),
        lambda rolled: rolled["endpoint"] == again["endpoint"],
        within=END_SECONDS,
        every=0.5,
    )
    assert (rolled["job"]["operation"], rolled["stale_endpoint"]) == ("follow", False)
    assert len(environment.open()) == 2


FAILURES: dict[str, dict[str, Any]] = {
    "NOT_READY": {"start": {"never_ready": True}},
    "ENDPOINT_NOT_FORWARDED": {"ports": {"kind": "null"}},
    "ENDPOINT_AMBIGUOUS": {"ports": {"kind": "two_candidates"}},
    "ENDPOINT_PORT_OUT_OF_RANGE": {"ports": {"external": {"7072": 80}}},
    "ENDPOINT_HOST_REFUSED": {"ports": {"host": "1.2.3.4"}},
    "PROBE_REFUSED": {"ports": {"host": "localhost"}},
    "PROBE_NONSENSE": {"ports": {"serve": "nonsense"}},
}


@pytest.fixture(scope="module")
def failures(stack: Any, operator: Token) -> dict[str, tuple[Environment, dict[str, Any]]]:
    """All failures at once, each in an environment of its own."""

    def fail(code: str) -> tuple[Environment, dict[str, Any]]:
        made = Environment(stack, operator)
        return made, made.done("node", made.put("node", FAILURES[code]))

    with ThreadPoolExecutor(4) as threads:
        return dict(zip(FAILURES, threads.map(fail, FAILURES), strict=True))


@pytest.mark.parametrize("code", FAILURES)
def test_a_failure_leaves_nothing(failures: dict[str, tuple[Environment, dict[str, Any]]], code: str) -> None:
    made, node = failures[code]
    assert (node["status"], node["error"]["code"]) == ("failed", code), node
    assert made.published.status_code == 404
    assert made.open() == []


def test_what_was_tampered_with_is_refused(environment: Environment) -> None:
    environment.up("node")
    s3 = environment.stack.client("s3")
    bucket, key = environment.stack.outputs["ArtifactBucketName"], f"{environment.name}/endpoint.json"
    versions = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    assert {entry["Key"] for entry in versions} == {key, f"{key}.sig"}
    s3.put_object(Bucket=bucket, Key=key, Body=b'{"banano_rpc_endpoint":"evil.example:31000"}')
    assert (environment.published.status_code, environment.published.json()["error"]["code"]) == (
        409,
        "ARTIFACT_ALTERED",
    )
    before = environment.open()
    api = environment.done("api", environment.put("api"))
    assert (api["status"], api["error"]["code"]) == ("failed", "ARTIFACT_ALTERED")
    assert environment.open() == before
    s3.delete_object(Bucket=bucket, Key=key)
    assert environment.published.status_code == 404


def test_several_environments_at_once(stack: Any, operator: Token) -> None:
    made = [Environment(stack, operator) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        nodes = list(threads.map(lambda entry: entry.up("node"), made))
    assert len({node["endpoint"] for node in nodes}) == 3
    for entry, node in zip(made, nodes, strict=True):
        assert entry.published.json() == {"banano_rpc_endpoint": node["endpoint"]}
        entry.send("DELETE", "node")


def test_ten_puts_at_once_begin_one_job(environment: Environment) -> None:
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: environment.put("node"), range(10)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [202] + [409] * 9, [answer.text for answer in answers]
    assert environment.ended("node")["status"] == "active"
    assert len(environment.ledger()) == 1


# ── The script for CI ───────────────────────────────────────────────────────────────────────────


def run_script(environment: Environment, kind: str, spec: dict[str, Any], directory: Path) -> Any:
    file = directory / f"{kind}.json"
    file.write_text(json.dumps(spec))
    variables = {
        "PATH": os.environ["PATH"],
        "SLIPWAY_URL": environment.stack.api,
        "SLIPWAY_TOKEN": environment.token,
        "SLIPWAY_POLL_SECONDS": "0.5",
        "SLIPWAY_WAIT_SECONDS": str(END_SECONDS),
        "ENDPOINT_FILE": str(directory / "endpoint.json"),
    }
    return subprocess.run(
        [str(SCRIPT), environment.name, kind, str(file)],
        env=variables, capture_output=True, text=True, timeout=END_SECONDS + 30, check=False,
    )  # fmt: skip


def test_the_script_deploys_both_and_waits(environment: Environment, tmp_path: Path) -> None:
    missing = run_script(environment, "api", environment.spec(), tmp_path)
    assert missing.returncode == 1
    assert "ARTIFACT_MISSING" in missing.stderr
    node = run_script(environment, "node", environment.spec(), tmp_path)
    assert node.returncode == 0, node
    assert "[discover][success] look" in node.stdout
    endpoint = json.loads((tmp_path / "endpoint.json").read_text())["banano_rpc_endpoint"]
    assert f"Banano RPC endpoint resolved: {endpoint}" in node.stdout
    again = run_script(environment, "node", environment.spec(), tmp_path)
    assert (again.returncode, "is so already" in again.stdout) == (0, True)
    api = run_script(environment, "api", environment.spec(), tmp_path)
    assert api.returncode == 0, api
    assert f"The API uses {endpoint}" in api.stdout


def test_the_script_fails_with_the_job(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "endpoint.json").write_text('{"banano_rpc_endpoint": "of.an.earlier.run:31000"}')
    failed = run_script(environment, "node", environment.spec({"ports": {"serve": "nonsense"}}), tmp_path)
    assert failed.returncode == 1
    assert "PROBE_NONSENSE" in failed.stderr
    assert not (tmp_path / "endpoint.json").exists()
    refused = run_script(environment, "node", {"surprise": 1}, tmp_path)
    assert (refused.returncode, "VALIDATION_ERROR" in refused.stderr) == (1, True)
    environment.token = "forged"
    assert "AUTH_FAILED" in run_script(environment, "node", {}, tmp_path).stderr


def test_the_documented_node_works_here(environment: Environment) -> None:
    """`PUT … {}`, or without a body, as docs/stacks.md says: nobody has to know how the simulator is told."""
    accepted = environment.send("PUT", "node", json={})
    node = environment.done("node", accepted)
    assert node["status"] == "active", node
    assert environment.published.json() == {"banano_rpc_endpoint": node["endpoint"]}
    version = httpx.post(f"http://{node['endpoint']}/", json={"action": "version"}).json()
    assert version["node_vendor"].startswith("Banano")
    assert environment.send("PUT", "node").status_code == 200, "no body is the same"
    assert environment.done("api", environment.send("PUT", "api", json={}))["status"] == "active"
