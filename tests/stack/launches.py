"""What the stack tests do with the API: models, launches, and waiting for their end."""

import time
import uuid
from typing import Any

import httpx

ENDED = {"completed", "failed"}
LAUNCH_SECONDS = 90


def new_model(stack: Any, admin: str, owner: str, **changes: Any) -> str:
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


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def account(stack: Any, role: str, index: int = 0) -> dict[str, str]:
    found: dict[str, str] = [entry for entry in stack.accounts if entry["role"] == role][index]
    return found


def launch(stack: Any, token: str, model_id: str, owner: str, **more: Any) -> httpx.Response:
    answer: httpx.Response = stack.http.post(
        "/api/deployments", json={"model_id": model_id, "user_address": owner, **more}, headers=bearer(token)
    )
    return answer


def ended(stack: Any, token: str, deployment_id: str) -> dict[str, Any]:
    """Poll the status until the launch has ended; fails when it takes too long."""
    ends_at = time.monotonic() + LAUNCH_SECONDS
    while True:
        answer = stack.http.get(f"/api/deployments/{deployment_id}/status", headers=bearer(token))
        assert answer.status_code == 200, answer.text
        status: dict[str, Any] = answer.json()
        if status["status"] in ENDED:
            return status
        assert time.monotonic() < ends_at, status
        time.sleep(0.5)
