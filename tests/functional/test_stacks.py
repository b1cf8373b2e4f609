"""Stacks from their request to their end: the functions, the state machines and the simulated network."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from slipway.akash.service import request_close
from slipway.akash.store import find_workload
from slipway.errors import ProbeRefusedError
from slipway.stacks import node_rpc, node_workflow
from slipway.stacks.artifact_store import ArtifactStore, Versions
from slipway.stacks.service import stack_service
from slipway.stacks.steps import Step
from tests.support.console_simulator import Simulator
from tests.support.installation import BUCKET, Installation
from tests.support.stacks import SERVED, Stacks, spec
from tests.support.steps import Steps
from tests.support.wallets import ADMIN, ALICE, OPERATOR

KINDS = ["node", "api"]


@pytest.fixture
def stacks(slipway: Installation, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Stacks:
    monkeypatch.setattr(node_workflow, "_PROBE_SECONDS", 0.5)
    return Stacks(slipway, simulator, steps=Steps().watch(monkeypatch))


def events(found: dict[str, Any]) -> list[str]:
    return [event["event"] for event in found["events"]]


def s3() -> Any:
    return boto3.client("s3")


# ── Who may, and what is wrong ──────────────────────────────────────────────────────────────────


ROUTES = [
    "put_node",
    "node",
    "restart_node",
    "delete_node",
    "put_api",
    "api",
    "restart_api",
    "delete_api",
    "endpoint",
    "signature",
]


def test_only_operators_may(slipway: Installation) -> None:
    for name in ROUTES:
        for account in (ALICE, ADMIN):
            answer = slipway.api(f"api_stacks_{name}", token=slipway.token(account))
            assert (answer.status, answer.code) == (403, "FORBIDDEN"), name
        assert slipway.api(f"api_stacks_{name}").status == 401, name
    assert slipway.called("StartExecution") == []


@pytest.mark.parametrize("environment", ["Production", "a_b", "-a", "a" * 33, "1", "a."])
def test_an_environment_has_a_name(stacks: Stacks, environment: str) -> None:
    for name in ROUTES:
        answer = stacks.send(name, environment)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), name
        assert answer.body["error"]["details"]["fields"][0]["field"] == "environment", name


def test_what_is_not_there(stacks: Stacks) -> None:
    for name in set(ROUTES) - {"put_node", "put_api"}:
        answer = stacks.send(name)
        assert answer.status == 404, name
        assert answer.code == ("ARTIFACT_MISSING" if name in ("endpoint", "signature") else "NOT_FOUND"), name


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"image": "no image"}, "image"),
    ({"resources": {"cpu": "much"}}, "resources.cpu"),
    ({"preferences": {"maxPrice": "-1"}}, "preferences.maxPrice"),
    ({"env": {"BANANO_RPC_ENDPOINT": "a:1"}}, "env"),
    ({"surprise": 1}, "surprise"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_field_is_named(stacks: Stacks, kind: str) -> None:
    for body, field in WRONG_FIELDS:
        answer = stacks.put(kind, body)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), field
        assert answer.body["error"]["details"]["fields"][0]["field"] == field


def test_a_paused_service_takes_no_stacks(stacks: Stacks, slipway: Installation) -> None:
    node = stacks.up("node")
    for service in ("stacks", "akash"):
        path = {"service": service}
        paused = slipway.api("api_admin_pause", token=slipway.token(ADMIN), path=path, body={"reason": "moving"})
        assert paused.status == 200
        for answer in (stacks.put("api"), stacks.send("restart_node")):
            assert (answer.status, answer.code) == (503, "SERVICE_PAUSED")
        slipway.api("api_admin_resume", token=slipway.token(ADMIN), path=path, body={"reason": "moved"})
    assert stacks.get("node")["generation"] == node["generation"]
    assert stacks.put("api").status == 202


# ── The way there ───────────────────────────────────────────────────────────────────────────────


def test_a_node_publishes_and_an_api_consumes(stacks: Stacks) -> None:
    accepted = stacks.put("node", {})
    assert accepted.status == 202
    assert accepted.body["status"] == "deploying"
    assert stacks.executions("node") == [accepted.body["job"]["job_id"]]
    assert stacks.endpoint().code == "ARTIFACT_MISSING"
    stacks.simulator.control(bids={"delay": 1, "spread": 1}, start={"silent_for": 1, "ready_after": 2}, **SERVED)
    node = stacks.run(accepted)
    assert (node["status"], node["generation"], node["error"]) == ("active", 1, None)
    assert node["node_version"] == "Banano V26.1"
    assert events(node) == [
        "deploying", "withdrawn", "placed", "available", "discovered", "probed", "active",
    ]  # fmt: skip
    assert [entry["outcome"] for entry in node["discovery"]] == ["success"]
    published = stacks.endpoint()
    assert (published.status, published.body) == (200, {"banano_rpc_endpoint": node["endpoint"]})
    assert published.headers["content-type"] == "application/json"
    assert published.headers["cache-control"] == "no-store"
    host, port = node["endpoint"].split(":")
    (entry,) = stacks.open()
    assert host == "127.0.0.1"
    assert 30000 <= int(port) <= 32767
    assert entry["dseq"] == node["dseq"]
    signature = stacks.send("signature")
    assert set(signature.body) == {"protected", "signature"}
    assert signature.headers["content-type"] == "application/jose+json"

    api = stacks.up("api", {})
    assert api["endpoint"] == node["endpoint"]
    assert api["stale_endpoint"] is False
    assert api["uris"]
    assert events(api) == ["deploying", "verified", "placed", "available", "active"]
    assert len(stacks.open()) == 2
    assert stacks.get("node") == node


def test_the_operator_may_see_the_workload_and_its_sdl_is_what_was_wanted(
    stacks: Stacks, slipway: Installation
) -> None:
    node = stacks.up("node", spec(image="me/node:7"))
    path = {"id": node["deployment_id"]}
    workload = slipway.api("api_deployments_detail", token=slipway.token(OPERATOR), path=path)
    assert workload.body["status"] == "active"
    assert slipway.api("api_deployments_detail", token=slipway.token(ALICE), path=path).status == 404
    from slipway.akash.store import sdl_of

    found = find_workload(node["deployment_id"])
    assert found
    service = json.loads(sdl_of(found))["services"]["node"]
    assert service["image"] == "me/node:7"
    assert "SLIPWAY_GENERATION=1" in service["env"]


def test_the_api_gets_the_endpoint(stacks: Stacks) -> None:
    from slipway.akash.store import sdl_of

    node = stacks.up("node")
    api = stacks.up("api")
    found = find_workload(api["deployment_id"])
    assert found
    env = json.loads(sdl_of(found))["services"]["api"]["env"]
    assert f"BANANO_RPC_ENDPOINT={node['endpoint']}" in env


def test_environments_live_side_by_side(stacks: Stacks) -> None:
    first, second = stacks.up("node"), stacks.up("node", environment="staging")
    assert first["endpoint"] != second["endpoint"]
    assert stacks.endpoint("staging").body == {"banano_rpc_endpoint": second["endpoint"]}
    api = stacks.up("api", environment="staging")
    assert api["endpoint"] == second["endpoint"]
    stacks.run(stacks.send("delete_node", "staging"))
    assert stacks.endpoint("staging").status == 404
    assert stacks.endpoint().body == {"banano_rpc_endpoint": first["endpoint"]}


# ── The same again, changes, restarts ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_again_does_nothing(stacks: Stacks, kind: str) -> None:
    stacks.up("node")
    before = stacks.up(kind) if kind == "api" else stacks.get("node")
    again = stacks.put(kind)
    assert again.status == 200
    assert again.body["unchanged"] is True
    assert (again.body["generation"], again.body["job"]) == (before["generation"], before["job"])
    flagged = stacks.put(kind, spec(keep=True))
    assert (flagged.status, flagged.body["spec"]["keep"]) == (200, True)
    assert len(stacks.executions(kind)) == 1


def test_an_idempotency_key_begins_one_job(stacks: Stacks) -> None:
    headers = {"idempotency-key": "once"}
    first = stacks.put("node", headers=headers)
    second = stacks.put("node", headers=headers)
    assert (first.status, second.status) == (202, 202)
    assert first.body["job"] == second.body["job"]
    other = stacks.put("node", spec(image="another/one:1"), headers=headers)
    assert (other.status, other.code) == (409, "IDEMPOTENCY_MISMATCH")
    found = stacks.run(first)
    assert found["status"] == "active"
    restarted = stacks.send("restart_node", headers={"idempotency-key": "again"})
    assert stacks.send("restart_node", headers={"idempotency-key": "again"}).body["job"] == restarted.body["job"]
    assert len(stacks.executions("node")) == 2


def test_a_running_job_is_named(stacks: Stacks) -> None:
    accepted = stacks.put("node")
    for answer in (stacks.put("node"), stacks.put("node", spec(image="a/b:1")), stacks.send("restart_node")):
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert answer.body["error"]["details"]["job"]["job_id"] == accepted.body["job"]["job_id"]
    assert len(stacks.executions("node")) == 1


@pytest.mark.parametrize("image", ["", "me/node", "me/node:latest", "registry.example:5000/me/node"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_image_that_moves_is_nobodys_default(
    stacks: Stacks, kind: str, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an installation of before still has as its parameter is not deployed unnoticed."""
    stacks.up("node")
    monkeypatch.setenv(f"STACK_{kind.upper()}_IMAGE", image)
    stack_service.cache_clear()
    answer = stacks.put(kind, environment="staging")
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    (field,) = answer.body["error"]["details"]["fields"]
    assert field["field"] == "image"
    assert f"Stack{kind.title()}Image" in field["message"]
    assert stacks.put("node", spec(image="me/node:latest"), environment="staging").status == 202


def test_a_new_default_image_is_taken_by_put_and_not_by_restart(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stacks.up("node")
    monkeypatch.setenv("STACK_NODE_IMAGE", "me/node:9")
    stack_service.cache_clear()
    restarted = stacks.run(stacks.send("restart_node"))
    assert restarted["spec"]["image"] == before["spec"]["image"] == "bananocoin/banano:V26.1"
    updated = stacks.run(stacks.put("node"))
    assert (updated["status"], updated["spec"]["image"]) == ("active", "me/node:9")
    assert updated["dseq"] == before["dseq"]
    assert stacks.put("node").body["unchanged"] is True


def test_another_image_runs_on_the_same_lease(stacks: Stacks) -> None:
    before = stacks.up("node")
    answer = stacks.put("node", spec(image="me/node:8"))
    assert answer.body["job"]["operation"] == "update"
    assert stacks.endpoint().status == 404
    after = stacks.run(answer)
    assert after["status"] == "active"
    assert after["generation"] == 2
    assert {key: after[key] for key in ("dseq", "deployment_id", "endpoint", "provider")} == {
        key: before[key] for key in ("dseq", "deployment_id", "endpoint", "provider")
    }
    assert stacks.endpoint().body == {"banano_rpc_endpoint": after["endpoint"]}
    performed = stacks.steps.performed
    assert "stack_node:update" in performed
    assert "stack_node:place" not in performed[performed.index("stack_node:update") :]
    assert stacks.simulator.ledger()["leased"] == 1


def test_other_resources_need_another_lease(stacks: Stacks) -> None:
    before = stacks.up("node")
    after = stacks.run(stacks.put("node", spec(resources={"memory": "6Gi"})))
    assert after["status"] == "active"
    assert after["dseq"] != before["dseq"]
    assert after["endpoint"] != before["endpoint"]
    ledger = stacks.simulator.ledger()
    assert (ledger["open"], ledger["closed"]) == (1, 1)
    assert stacks.endpoint().body == {"banano_rpc_endpoint": after["endpoint"]}


def test_a_provider_that_refuses_an_update_gets_none(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    from slipway.akash.console.client import ConsoleApi
    from slipway.errors import UpstreamRefusedError

    before = stacks.up("node")

    def refuse(*_: Any) -> Any:
        raise UpstreamRefusedError("manifest cross-validation error")

    monkeypatch.setattr(ConsoleApi, "update_deployment", refuse)
    after = stacks.run(stacks.put("node", spec(image="me/node:8")))
    assert after["status"] == "active"
    assert after["dseq"] != before["dseq"]
    assert "lease_refused" in events(after)
    assert len(stacks.open()) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_restarted_alone_and_in_place(stacks: Stacks, kind: str) -> None:
    before = {"node": stacks.up("node"), "api": stacks.up("api")}
    other = ({*KINDS} - {kind}).pop()
    after = stacks.run(stacks.send(f"restart_{kind}"))
    assert (after["status"], after["generation"]) == ("active", 2)
    assert after["dseq"] == before[kind]["dseq"]
    assert stacks.get(other) == before[other]
    leases = {entry["dseq"]: entry["leases"] for entry in stacks.open()}
    assert set(leases) == {before["node"]["dseq"], before["api"]["dseq"]}


def test_the_api_is_stale_when_its_node_moves_and_the_same_put_mends_it(stacks: Stacks) -> None:
    stacks.up("node")
    api = stacks.up("api")
    node = stacks.run(stacks.put("node", spec(resources={"memory": "6Gi"})))
    stale = stacks.get("api")
    assert stale["stale_endpoint"] is True
    assert (stale["endpoint"], stale["generation"]) == (api["endpoint"], 1)
    assert stacks.executions("api") == [api["job"]["job_id"]]
    mended = stacks.run(stacks.put("api"))
    assert (mended["endpoint"], mended["stale_endpoint"]) == (node["endpoint"], False)
    assert mended["dseq"] == api["dseq"]


def test_an_api_that_follows_is_rolled_by_itself(stacks: Stacks) -> None:
    stacks.up("node")
    api = stacks.up("api", spec(follow=True))
    node = stacks.run(stacks.put("node", spec(resources={"memory": "6Gi"})))
    rolling = stacks.get("api")
    assert (rolling["status"], rolling["job"]["operation"]) == ("deploying", "follow")
    assert rolling["job"]["job_id"] in stacks.executions("api")
    stacks.execute("api", "production", rolling["job"]["job_id"])
    rolled = stacks.get("api")
    assert (rolled["status"], rolled["endpoint"], rolled["dseq"]) == ("active", node["endpoint"], api["dseq"])
    assert rolled["stale_endpoint"] is False


def test_an_api_that_follows_stays_when_the_endpoint_stays(stacks: Stacks) -> None:
    stacks.up("node")
    api = stacks.up("api", spec(follow=True))
    stacks.run(stacks.send("restart_node"))
    assert stacks.get("api")["job"] == api["job"]


# ── Failures ────────────────────────────────────────────────────────────────────────────────────


FAILURES = [
    ({"start": {"never_ready": True}}, "NOT_READY"),
    ({"bids": {"none": True}}, "BID_TIMEOUT"),
    ({"ports": {"kind": "null"}}, "ENDPOINT_NOT_FORWARDED"),
    ({"ports": {"kind": "empty"}}, "ENDPOINT_NOT_FORWARDED"),
    ({"ports": {"kind": "two_candidates"}}, "ENDPOINT_AMBIGUOUS"),
    ({"ports": {"external": {"7072": 80}}}, "ENDPOINT_PORT_OUT_OF_RANGE"),
    ({"ports": {"host": "8.8.8.8"}}, "ENDPOINT_HOST_REFUSED"),
    ({"ports": {"host": "localhost"}}, "PROBE_REFUSED"),
    ({"ports": {"serve": "silence"}}, "PROBE_REFUSED"),
    ({"ports": {"serve": "nonsense"}}, "PROBE_NONSENSE"),
]


@pytest.mark.parametrize(("scenario", "code"), FAILURES, ids=lambda value: json.dumps(value))
def test_a_failure_has_its_code_and_leaves_nothing(stacks: Stacks, scenario: dict[str, Any], code: str) -> None:
    node = stacks.run(stacks.put("node", spec(scenario)))
    assert node["status"] == "failed"
    assert node["error"]["code"] == code
    assert node["error"]["message"]
    assert node["endpoint"] is None
    assert stacks.endpoint().status == 404
    assert stacks.images() == []
    assert stacks.open() == []
    assert events(node)[-1] == "failed"


def test_the_looks_are_counted_with_their_causes(stacks: Stacks, caplog: pytest.LogCaptureFixture) -> None:
    node = stacks.run(stacks.put("node", spec({"ports": {"kind": "null"}})))
    assert [(entry["count"], entry["outcome"], entry["cause"]) for entry in node["discovery"]] == [
        *((count, "attempt", "ENDPOINT_NOT_FORWARDED") for count in range(1, 5)),
        (5, "failure", "ENDPOINT_NOT_FORWARDED"),
    ]
    lines: list[Any] = [entry for entry in caplog.records if entry.getMessage().startswith("[discover]")]
    assert [line.getMessage() for line in lines] == ["[discover][attempt]"] * 4 + ["[discover][failure]"]
    assert [line.count for line in lines] == [1, 2, 3, 4, 5]
    assert {line.cause for line in lines} == {"ENDPOINT_NOT_FORWARDED"}


def test_the_providers_own_host_stands_in_for_a_missing_one(stacks: Stacks) -> None:
    node = stacks.run(stacks.put("node", spec({"ports": {"kind": "no_host", "serve": "banano"}})))
    assert node["error"]["code"] == "PROBE_REFUSED"
    discovered = next(event for event in node["events"] if event["event"] == "discovered")
    assert ".test:" in discovered["message"]


def test_no_host_anywhere(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    from slipway.akash.console.client import ConsoleApi

    real = ConsoleApi.providers

    def nameless(self: ConsoleApi, *arguments: Any, **more: Any) -> Any:
        return [entry.model_copy(update={"host_uri": ""}) for entry in real(self, *arguments, **more)]

    monkeypatch.setattr(ConsoleApi, "providers", nameless)
    node = stacks.run(stacks.put("node", spec({"ports": {"kind": "no_host"}})))
    assert node["error"]["code"] == "ENDPOINT_HOST_MISSING"


@pytest.mark.parametrize("host", ["private.test", "both.test"])
def test_a_host_that_leads_inside_is_refused(stacks: Stacks, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    addresses = {"private.test": ["10.0.0.1"], "both.test": ["93.184.216.34", "169.254.169.254"]}
    monkeypatch.setattr(node_rpc, "resolved", lambda name, port: addresses[name])
    for module in (node_rpc, node_workflow):
        monkeypatch.setattr(module, "allow_private_network", lambda: False)
    node = stacks.run(stacks.put("node", spec({"ports": {"host": host}})))
    assert node["error"]["code"] == "ENDPOINT_HOST_REFUSED"


def test_what_is_kept_stays_open_until_it_is_deleted(stacks: Stacks) -> None:
    for scenario in ({"ports": {"kind": "null"}}, {"start": {"never_ready": True}}):
        node = stacks.run(stacks.put("node", spec(scenario, keep=True)))
        assert node["status"] == "failed"
        assert stacks.endpoint().status == 404
        (entry,) = stacks.open()
        assert entry["dseq"] == node["dseq"]
        gone = stacks.run(stacks.send("delete_node"))
        assert gone["error"]["details"]["status"] == "deleted"
        assert stacks.open() == []


def test_what_was_kept_is_replaced_by_the_next_put(stacks: Stacks) -> None:
    failed = stacks.run(stacks.put("node", spec({"start": {"never_ready": True}}, keep=True)))
    node = stacks.up("node")
    assert node["dseq"] != failed["dseq"]
    assert [entry["dseq"] for entry in stacks.open()] == [node["dseq"]]


def test_a_failed_update_closes_the_node(stacks: Stacks) -> None:
    stacks.up("node")
    stacks.simulator.control(start={"never_ready": True})
    node = stacks.run(stacks.put("node", spec(image="me/node:broken")))
    assert (node["status"], node["error"]["code"]) == ("failed", "NOT_READY")
    assert "stack_node:update" in stacks.steps.performed
    stacks.simulator.control()
    assert stacks.open() == []
    assert stacks.endpoint().status == 404
    again = stacks.run(stacks.put("node", spec()))
    assert (again["status"], again["generation"]) == ("active", 3)


# ── The artifact ────────────────────────────────────────────────────────────────────────────────


def _put(key: str, body: bytes) -> None:
    s3().put_object(Bucket=BUCKET, Key=key, Body=body)


def _read(key: str) -> bytes:
    return bytes(s3().get_object(Bucket=BUCKET, Key=key)["Body"].read())


def _missing(stacks: Stacks) -> None:
    s3().delete_object(Bucket=BUCKET, Key="production/endpoint.json")


def _unsigned(stacks: Stacks) -> None:
    s3().delete_object(Bucket=BUCKET, Key="production/endpoint.json.sig")


def _altered(stacks: Stacks) -> None:
    _put("production/endpoint.json", b'{"banano_rpc_endpoint":"evil.example:31000"}')


def _emptied(stacks: Stacks) -> None:
    _put("production/endpoint.json", b"")


def _foreign(stacks: Stacks) -> None:
    stacks.up("node", environment="staging")
    for name in ("endpoint.json", "endpoint.json.sig"):
        _put(f"production/{name}", _read(f"staging/{name}"))


def _outdated(stacks: Stacks) -> None:
    old = {name: _read(f"production/{name}") for name in ("endpoint.json", "endpoint.json.sig")}
    stacks.run(stacks.send("restart_node"))
    for name, body in old.items():
        _put(f"production/{name}", body)


TAMPERING: list[tuple[Callable[[Stacks], None], str, int]] = [
    (_missing, "ARTIFACT_MISSING", 404),
    (_unsigned, "ARTIFACT_UNSIGNED", 409),
    (_altered, "ARTIFACT_ALTERED", 409),
    (_emptied, "ARTIFACT_ALTERED", 409),
    (_foreign, "ARTIFACT_FOREIGN", 409),
    (_outdated, "ARTIFACT_OUTDATED", 409),
]


@pytest.mark.parametrize(("tamper", "code", "status"), TAMPERING)
def test_what_was_tampered_with_is_refused_and_named(
    stacks: Stacks, tamper: Callable[[Stacks], None], code: str, status: int
) -> None:
    stacks.up("node")
    running_api = stacks.up("api")
    tamper(stacks)
    before = len(stacks.open())
    answer = stacks.endpoint()
    assert (answer.status, answer.code) == (status, code)
    assert stacks.send("signature").code == code
    stacks.steps.performed.clear()
    api = stacks.run(stacks.put("api", spec(image="example/api:2")))
    performed = [*stacks.steps.performed]
    assert (api["status"], api["error"]["code"]) == ("failed", code)
    assert len(stacks.open()) == before
    assert api["dseq"] == running_api["dseq"]
    assert not {"stack_api:place", "stack_api:update"} & set(performed)
    # A node that publishes again mends it.
    stacks.run(stacks.send("restart_node"))
    assert stacks.run(stacks.put("api", spec(image="example/api:2")))["status"] == "active"


def test_an_api_without_a_node_fails_and_deploys_nothing(stacks: Stacks) -> None:
    api = stacks.run(stacks.put("api"))
    assert (api["status"], api["error"]["code"]) == ("failed", "ARTIFACT_MISSING")
    assert stacks.simulator.ledger()["deployments"] == []


def test_nothing_is_served_while_a_node_is_changed_or_gone(stacks: Stacks) -> None:
    stacks.up("node")
    assert stacks.endpoint().status == 200
    changing = stacks.put("node", spec(image="a/b:1"))
    assert stacks.endpoint().status == 404
    stacks.run(changing)
    assert stacks.endpoint().status == 200
    accepted = stacks.send("delete_node")
    assert (accepted.status, accepted.body["status"]) == (202, "deleting")
    assert stacks.endpoint().status == 404
    assert stacks.send("delete_node").body["job"] == accepted.body["job"]
    gone = stacks.run(accepted)
    assert gone["error"]["code"] == "NOT_FOUND"
    assert stacks.endpoint().status == 404
    assert stacks.open() == []


def test_a_node_made_again_goes_on_with_the_next_generation(stacks: Stacks) -> None:
    stacks.up("node")
    old = {name: _read(f"production/{name}") for name in ("endpoint.json", "endpoint.json.sig")}
    stacks.run(stacks.send("delete_node"))
    again = stacks.up("node")
    assert again["generation"] == 3
    for name, body in old.items():
        _put(f"production/{name}", body)
    assert stacks.endpoint().code == "ARTIFACT_OUTDATED"


def test_a_workload_closed_behind_its_back_stops_the_endpoint_at_once(stacks: Stacks) -> None:
    node = stacks.up("node")
    workload = find_workload(node["deployment_id"])
    assert workload
    request_close(workload, "The owner closed it")
    assert stacks.endpoint().code == "ARTIFACT_MISSING"
    assert stacks.reconcile() == {"production/node": "lost"}
    found = stacks.get("node")
    assert (found["status"], found["error"]["code"], found["endpoint"]) == ("failed", "LEASE_CLOSED", None)


def test_what_was_written_for_a_workload_that_is_closed_meanwhile_is_taken_back(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment_id = stacks.up("node")["deployment_id"]
    before = stacks.images()
    publish = ArtifactStore.publish

    def publish_too_late(*arguments: Any) -> Versions:
        written = publish(*arguments)
        workload = find_workload(deployment_id)
        assert workload
        request_close(workload, "The owner closed it")
        return written

    monkeypatch.setattr(ArtifactStore, "publish", publish_too_late)
    node = stacks.run(stacks.put("node", spec(image="a/b:1")))
    assert (node["status"], node["error"]["code"], node["endpoint"]) == ("failed", "LEASE_CLOSED", None)
    assert stacks.images() == before
    assert "Contents" not in s3().list_objects_v2(Bucket=BUCKET, Prefix="production/")


# ── Deletion and reconciliation ─────────────────────────────────────────────────────────────────


def test_deleting_goes_before_whatever_runs(stacks: Stacks) -> None:
    accepted = stacks.put("node")
    job_id = accepted.body["job"]["job_id"]
    begun = stacks.slipway.invoke("StackNodeTasks", {"job_id": job_id, "environment": "production"})
    assert begun["step"] == "deploy"
    deleted = stacks.send("delete_node")
    assert deleted.status == 202
    stacks.execute("node", "production", job_id)
    assert stacks.get("node")["status"] == "deleting"
    stacks.execute("node", "production", deleted.body["job"]["job_id"])
    assert stacks.send("node").status == 404
    assert stacks.open() == []


def test_an_api_is_deleted_without_its_node(stacks: Stacks) -> None:
    node = stacks.up("node")
    stacks.up("api")
    assert stacks.run(stacks.send("delete_api"))["error"]["code"] == "NOT_FOUND"
    assert stacks.get("node") == node
    assert [entry["dseq"] for entry in stacks.open()] == [node["dseq"]]


def test_reconcile_starts_a_job_whose_execution_died(stacks: Stacks) -> None:
    accepted = stacks.put("node")
    job_id = accepted.body["job"]["job_id"]
    table = boto3.resource("dynamodb").Table("jobs")
    key = {"pk": "STACK#production#node", "sk": "DETAIL"}

    def overdue() -> None:
        table.update_item(Key=key, UpdateExpression="SET open_until = :t", ExpressionAttributeValues={":t": "2026"})

    assert stacks.reconcile() == {}
    overdue()
    assert stacks.reconcile() == {"production/node": "running"}
    machine = stacks.slipway.stack_machines["node"]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{job_id}"
    boto3.client("stepfunctions").stop_execution(executionArn=execution)
    overdue()
    assert stacks.reconcile() == {"production/node": "started"}
    assert stacks.executions("node")[-1] in (job_id, f"{job_id}-2")
    assert len(stacks.executions("node")) == 2
    assert stacks.reconcile() == {}
    stacks.execute("node", "production", job_id)
    assert stacks.get("node")["status"] == "active"


def test_reconcile_rolls_a_follower_that_was_forgotten(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("rolled by nobody")

    stacks.up("node")
    stacks.up("api", spec(follow=True))
    accepted = stacks.put("node", spec(resources={"memory": "6Gi"}))
    with monkeypatch.context() as patch:
        patch.setattr(node_workflow.NodeWorkflow, "steps", {**node_workflow.NodeWorkflow.steps, Step.ROLL: fail})
        assert stacks.run(accepted)["status"] == "active"
    assert stacks.get("api")["stale_endpoint"] is True
    assert stacks.reconcile()["production/api"] == "rolled"


def test_each_job_leaves_an_outcome_and_an_audit_trail(stacks: Stacks, slipway: Installation) -> None:
    stacks.up("node")
    stacks.run(stacks.put("node", spec({"ports": {"kind": "null"}}, resources={"memory": "6Gi"})))
    answer = slipway.api("api_admin_metrics", token=slipway.token(ADMIN), query="service=stacks")
    assert (answer.body["completed"], answer.body["failed"]) == (1, 1)
    assert answer.body["errors"] == {"ENDPOINT_NOT_FORWARDED": 1}
    trail = [(entry["action"], entry["outcome"], entry["subject"]) for entry in slipway.audit()]
    assert ("PUT /api/stacks/{environment}/node", "accepted", "production/node") in trail
    assert ("stack_node", "completed", "production/node") in trail
    assert ("stack_node", "ENDPOINT_NOT_FORWARDED", "production/node") in trail


# ── Health ──────────────────────────────────────────────────────────────────────────────────────


def _dead(monkeypatch: pytest.MonkeyPatch, dead: list[bool]) -> None:
    """Let nodes answer nothing as long as the list is not empty."""
    ask = node_rpc.NodeRpc.ask

    def answer(self: node_rpc.NodeRpc, *given: Any) -> Any:
        if dead:
            raise ProbeRefusedError("Nothing answers there")
        return ask(self, *given)

    monkeypatch.setattr(node_rpc.NodeRpc, "ask", answer)


def _a_minute_later(stacks: Stacks, slipway: Installation) -> str:
    slipway.clock.advance(60)
    return stacks.reconcile()["production/node"]


def test_a_dead_node_is_withdrawn_after_two_probes_and_given_back_when_it_answers(
    stacks: Stacks, slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks.up("node")
    dead: list[bool] = []
    _dead(monkeypatch, dead)
    assert _a_minute_later(stacks, slipway) == "active"
    health = stacks.get("node")["health"]
    assert (health["answers"], health["failures"], health["block_count"], health["peers"]) == (True, 0, 123456, 3)
    published = stacks.endpoint().body
    dead.append(True)
    assert _a_minute_later(stacks, slipway) == "active"
    assert stacks.endpoint().body == published
    assert [_a_minute_later(stacks, slipway) for _ in range(3)] == ["withdrawn"] * 3
    assert stacks.endpoint().code == "ARTIFACT_MISSING"
    node = stacks.get("node")
    assert (node["status"], node["generation"], node["health"]["failures"]) == ("active", 1, 4)
    assert node["health"]["withdrawn_at"] < node["health"]["probed_at"]
    assert "Nothing answers" in node["health"]["reason"]
    dead.clear()
    assert _a_minute_later(stacks, slipway) == "active"
    assert stacks.endpoint().body == published
    assert events(stacks.get("node"))[-2:] == ["withdrawn", "published"]


def test_a_dead_node_is_restarted_after_three_probes_where_it_shall_be(
    stacks: Stacks, slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks.up("node", spec(restart="on_failure"))
    dead = [True]
    _dead(monkeypatch, dead)
    assert [_a_minute_later(stacks, slipway) for _ in range(3)] == ["active", "withdrawn", "restarted"]
    node = stacks.get("node")
    assert (node["status"], node["job"]["operation"], node["generation"], node["health"]) == (
        "deploying", "restart", 2, None,
    )  # fmt: skip
    assert len(stacks.executions("node")) == 2


def test_all_environments_are_listed_with_their_costs(stacks: Stacks, slipway: Installation) -> None:
    for environment in ("production", "staging"):
        stacks.up("node", environment=environment)
    token = slipway.token(OPERATOR)
    answer = slipway.api("api_stacks_list", token=token, query="limit=1")
    assert answer.status == 200, answer.body
    assert [entry["environment"] for entry in answer.body["stacks"]] == ["staging"]
    more = slipway.api("api_stacks_list", token=token, query=f"cursor={answer.body['next_cursor']}").body
    assert [(entry["environment"], entry["kind"]) for entry in more["stacks"]] == [("production", "node")]
    assert more["stacks"][0]["cost"]["burn_per_day"]
    assert more["next_cursor"] is None
