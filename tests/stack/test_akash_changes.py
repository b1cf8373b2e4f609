"""Changes of a running workload through the deployed template."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.stack.launches import Token, bearer
from tests.stack.test_akash_deploy import QUICK, deploy, read, settled
from tests.support.waiting import eventually
from tests.support.workloads import sdl_with


def _has(events: list[dict[str, Any]], name: str) -> bool:
    return any(event["event"] == name for event in events)


def test_a_workload_is_named_updated_topped_up_replaced_and_closed(stack: Any, user: Token) -> None:
    token = user
    marker = {"id": uuid.uuid4().hex, **QUICK}
    deployment_id = deploy(stack, token, text=sdl_with(marker, "API_TOKEN=abc123"), name="shop").json()["deployment_id"]
    before = settled(stack, token, deployment_id)
    assert (before["status"], before["name"]) == ("active", "shop"), before

    def send(method: str, path: str = "", **more: Any) -> httpx.Response:
        url = f"/api/deployments/{deployment_id}{path}"
        answer: httpx.Response = stack.http.request(method, url, headers=bearer(token), **more)
        return answer

    def until(event: str) -> dict[str, Any]:
        return eventually(
            lambda: read(stack, token, deployment_id), lambda found: _has(found["events"], event), every=0.5
        )

    assert send("PATCH", json={"name": "store"}).json()["name"] == "store"
    assert "abc123" not in send("GET", "/sdl").json()["sdl"]
    text = sdl_with(marker, "API_TOKEN=def456")
    assert send("PUT", json={"sdl": text}).status_code == 202
    assert until("updated")["dseq"] == before["dseq"]
    assert send("GET", "/sdl", params={"reveal": "true"}).json()["sdl"] == text
    assert send("POST", "/deposit", json={"amount": "1"}).status_code == 202
    assert until("deposited")["deposit"] == "6"
    bigger = sdl_with(marker, profiles__compute__small__resources__memory__size="1Gi")
    refused = send("PUT", json={"sdl": bigger})
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "REPLACEMENT_NEEDED"
    assert send("PUT", json={"sdl": bigger, "replace": True}).json()["status"] == "pending"
    replaced = settled(stack, token, deployment_id)
    assert (replaced["status"], replaced["name"]) == ("active", "store"), replaced
    assert replaced["dseq"] != before["dseq"]
    assert send("DELETE").status_code in (200, 202)
    closed = settled(stack, token, deployment_id, {"closed"})
    assert closed["last_seen"]
    assert float(closed["final_cost"]) >= 0
