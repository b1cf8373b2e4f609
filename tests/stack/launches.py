"""What the stack tests do with the API: models, launches, and waiting for their end."""

import time
import uuid
from typing import Any

import httpx

from local.sign_in import Session
from tests.support.waiting import eventually

# A worker's token never ages; a person's is renewed, so whoever holds a session never holds an old one.
type Token = str | Session

ENDED = {"completed", "failed"}
LAUNCH_SECONDS = 90


def new_model(stack: Any, admin: Token, owner: str, **changes: Any) -> str:
    """Put a validated model of the owner's into the catalogue."""
    model_id = f"model-{uuid.uuid4().hex[:12]}"
    body = {
        "owner": owner,
        "contributors": [],
        "state": "validated",
        "validated_at": "2026-11-01T00:00:00Z",
        "run_id": "run-1",
        "metrics": {"accuracy": 0.93},
        "improvement": 0.04,
        **changes,
    }
    answer = stack.http.put(f"/api/admin/models/{model_id}", json=body, headers=bearer(admin))
    assert answer.status_code == 200, answer.text
    return model_id


def bearer(token: Token) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def account(stack: Any, role: str, index: int = 0) -> dict[str, str]:
    found: dict[str, str] = [entry for entry in stack.accounts if entry["role"] == role][index]
    return found


def launch(stack: Any, token: Token, model_id: str, owner: str, **more: Any) -> httpx.Response:
    answer: httpx.Response = stack.http.post(
        "/api/deployments", json={"model_id": model_id, "user_address": owner, **more}, headers=bearer(token)
    )
    return answer


def plain_seconds(stack: Any, token: Token) -> float:
    """Return how long a plain answer takes now, a read of one page: what is measured beside it may be as slow."""
    taken = []
    for _ in range(3):
        began = time.monotonic()
        assert stack.http.get("/api/deployments?limit=1", headers=bearer(token)).status_code == 200
        taken.append(time.monotonic() - began)
    return sorted(taken)[1]


def ended(stack: Any, token: Token, deployment_id: str) -> dict[str, Any]:
    """Poll the status until the launch has ended; fails when it takes too long."""

    def status() -> dict[str, Any]:
        answer = stack.http.get(f"/api/deployments/{deployment_id}/status", headers=bearer(token))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return eventually(status, lambda found: found["status"] in ENDED, within=LAUNCH_SECONDS, every=0.5)
